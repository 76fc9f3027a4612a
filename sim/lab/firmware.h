// Firmware for a device: an image ready for a slot, made from what a user gives, and the recovery image that
// the factory adds.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agent/boot/image_format.h"
#include "sim/base/result.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"

namespace otasim::lab {

/// What to make an image from: a signed image as it is, else an application to sign under `version`.
struct FirmwareSource {
  std::string image = {};    ///< file
  std::string elf = {};      ///< file; empty: the demo application
  std::string variant = {};  ///< of the demo application (variants.h), if there is no `elf`
  std::string version = {};
  std::uint32_t security_counter = 1;
  boot::image::Kind kind = boot::image::Kind::kApplication;
  std::size_t total_bytes = 0;  ///< the size the signed image is filled up to; 0: as it comes
};

/// Below any application's version: the agent installs only what is newer than the image that fetched it, and
/// recovery must be able to install whatever the device's security counter lets in.
inline constexpr const char* kRecoveryVersion = "0.0.1";

/// A user's input file: what cannot be read is a wrong command line (kUsage), not a broken machine.
[[nodiscard]] Result<std::vector<std::uint8_t>> read_input(const std::string& path);

/// Makes the image. Whether it is trusted is for the device to say: only the form of a given image is
/// checked.
/// @returns kUsage  a file cannot be read, is no image or no ELF of the board, or does not fit a slot; or the
///                  version or the variant is none; or the application does not fit `total_bytes`
[[nodiscard]] Result<std::vector<std::uint8_t>> make_firmware(const FirmwareSource& source,
                                                              const Board& board,
                                                              const BuildProducts& products);

/// The recovery image of this build: the recovery program, signed as of its own kind.
/// @returns kEnvironment  the build's recovery program or its key cannot be read
[[nodiscard]] Result<std::vector<std::uint8_t>> make_recovery_image(const Board& board,
                                                                    const BuildProducts& products);

/// A file that is no image at all, of `size` bytes: what a job may offer, and a device must refuse.
[[nodiscard]] std::vector<std::uint8_t> make_no_image(std::size_t size);

/// @returns the version in an image's header; kUsage if it is no image or does not fit a slot
[[nodiscard]] Result<std::string> check_firmware(std::span<const std::uint8_t> image);

}  // namespace otasim::lab
