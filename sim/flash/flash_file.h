// The flash file: one part's whole window on disk, mapped into memory.
//
// Create it once per device, or open one that exists; then bytes() is the part itself. QEMU and its flash
// plugin map the same file, so an edit here is seen by the guest's next data read, and the guest's operations
// are seen here, without any call. The file outlives both processes, killed or not.
//
// Between power-off and power-on call clear_volatile_state(), while no QEMU runs on the file. For resets of a
// running machine qemu_arguments.h has a device that clears the locks in the reset itself.
//
// What can go wrong: the file is missing, exists already, has another size or is not a flash file, or the
// disk is full; each is an error that names the path. Nobody may shorten the file while it is mapped.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/result.h"

namespace otasim::flash_file {

class FlashFile {
 public:
  /// Makes a blank part of this kind at `path`, which must not exist, and maps it.
  [[nodiscard]] static Result<FlashFile> create(const std::string& path,
                                                const flash::Geometry& part = flash::kControllerPart);

  /// Maps an existing part, of any kind.
  [[nodiscard]] static Result<FlashFile> open(const std::string& path);

  FlashFile(FlashFile&& other) noexcept;
  FlashFile& operator=(FlashFile&& other) noexcept;
  ~FlashFile();

  /// The whole window, kWindowSize bytes; valid as long as this object.
  [[nodiscard]] std::span<std::uint8_t> bytes() const { return bytes_; }
  [[nodiscard]] std::span<std::uint8_t> partition(const flash::Partition& partition) const;
  [[nodiscard]] std::span<std::uint8_t> otp() const;

  /// What power-on does to the controller: locks, operands, status and page buffer are cleared.
  void clear_volatile_state();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const flash::Geometry& part() const { return part_; }

 private:
  FlashFile(std::string path, std::span<std::uint8_t> bytes, const flash::Geometry& part);
  [[nodiscard]] static Result<FlashFile> map(const std::string& path, int descriptor,
                                             const flash::Geometry& part);
  [[nodiscard]] static Result<FlashFile> format_new(const std::string& path, int descriptor,
                                                    const flash::Geometry& part);

  std::string path_;
  std::span<std::uint8_t> bytes_;
  flash::Geometry part_;
};

}  // namespace otasim::flash_file
