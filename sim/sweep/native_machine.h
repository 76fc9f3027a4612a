// The native board as a machine that boots once: the bootloader's own sources on the host, over the NOR
// model.
//
// What a boot costs here is copying and comparing the image, some 50 microseconds. Its signature checks are
// the device's own code, too, but their answers are remembered by the image's full content
// (remembered_verification.cc): each distinct content is verified once in each thread, never less.
//
// Load memory is lost at power-off: a copy that is short or left out does not find the image of the boot
// before.
//
// Of the boards it lacks start-up code, memory protection and the jump. `loaded` of a boot is the memory that
// would run.
#pragma once

#include <memory>
#include <vector>

#include "agent/boot/image.h"
#include "qemu_boards/native/native_flash.h"
#include "sim/base/result.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"
#include "sim/sweep/boot_machine.h"

namespace otasim::sweep {

/// What stands in the boot ROM.
struct RomKeys {
  struct Signer {
    ::crypto::P256PublicKey point{};
    ::crypto::Sha256Digest hash{};
  };
  std::vector<Signer> signers;
  ::crypto::P256PrivateKey decryption_key{};

  /// Those of this build. @returns kEnvironment or kUsage if a key cannot be read
  [[nodiscard]] static Result<RomKeys> load();
};

class NativeMachine final : public BootMachine {
 public:
  /// @param load_address  what its images are linked for
  /// @param load_size     bytes an image may have in memory
  NativeMachine(RomKeys keys, const flash::Geometry& part, std::uint32_t load_address,
                std::uint32_t load_size);

  [[nodiscard]] std::span<std::uint8_t> window() override { return flash_.window(); }
  [[nodiscard]] Result<Boot> boot(flash::CellState& cells, std::uint64_t seed) override;

  /// As the last boot has left it.
  [[nodiscard]] std::span<const std::uint8_t> load_memory() const { return load_memory_; }
  /// What memory holds at power-on where an image stood.
  static constexpr std::uint8_t kLostByte = 0xA5;

 private:
  RomKeys keys_;
  std::vector<boot::image::PublicKey> signers_;
  native::NativeFlash flash_;
  std::vector<std::uint8_t> load_memory_;
  std::uint32_t load_address_;
  std::size_t largest_loaded_ = 0;  // bytes of load memory that boots have used
};

}  // namespace otasim::sweep
