// A NOR part as a disk: what QEMU's SPI NOR chip writes back, turned into the operations that it stands for.
//
// QEMU's chip (s25sl12801) keeps the whole content in its own memory. It reads its drive once, when it
// starts, and from then on writes back results: after a page program the page as it is now, after a sector
// erase the sector full of 0xFF. Commands never come here, nor does a status go back. So
// - a write of whole sectors of nothing but 0xFF is an erase of each;
// - any other write is a program of each page that it touches: of the bytes between the first and the last
// that
//   differ from what the client knows, or of all of them if none does (a record that is programmed again);
// - a write that would set bits in any other way is no operation of a NOR part. It is refused and changes
//   nothing.
//
// What the client knows is kept beside the part: what it has read and written. The part may hold something
// else, because cells are stuck or were cleared by a fault; that is no fault of the client's.
//
// The part's bank of one-time cells is ordinary cells at the same place of the window here (programs there
// are logged as burns). Its sector is not for use otherwise: other writes to it, erases too, are refused.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/flash/flash_part.h"

namespace otasim::flash_file {

enum class DiskOutcome : std::uint8_t {
  kDone,
  kOutOfRange,  ///< the range leaves the disk; nothing is read or changed
  kRefused,     ///< the part does not take it, or no NOR part could; what it would have changed is as it was
  kNoPower,     ///< power is cut, or was in this: nobody is left to be answered
};

class NorDisk {
 public:
  /// @param part  outlives the disk
  explicit NorDisk(FlashPart& part);

  [[nodiscard]] std::uint64_t size() const { return known_.size(); }
  [[nodiscard]] DiskOutcome read(std::uint64_t offset, std::span<std::uint8_t> out);
  [[nodiscard]] DiskOutcome write(std::uint64_t offset, std::span<const std::uint8_t> data);

 private:
  [[nodiscard]] bool contains(std::uint64_t offset, std::size_t length) const;
  [[nodiscard]] bool is_erase(std::uint32_t offset, std::span<const std::uint8_t> data) const;
  [[nodiscard]] bool only_clears(std::uint32_t offset, std::span<const std::uint8_t> data) const;
  [[nodiscard]] DiskOutcome erase(std::uint32_t offset, std::uint32_t length);
  [[nodiscard]] DiskOutcome program(std::uint32_t offset, std::span<const std::uint8_t> data);
  [[nodiscard]] DiskOutcome program_page(std::uint32_t offset, std::span<const std::uint8_t> data);
  [[nodiscard]] DiskOutcome execute(const flash::Request& request);

  FlashPart& part_;
  std::uint32_t sector_size_;
  std::vector<std::uint8_t> known_;
};

}  // namespace otasim::flash_file
