// What otasim's own build made and a run needs: firmware, plugins, the image-signing key.
//
// They stand beside the program (build/<preset>/): bin/otasim, firmware/*.elf, lib/*.so, keys/*.pem.
#pragma once

#include <cstdint>
#include <string>

#include "sim/base/result.h"

namespace otasim::lab {

/// Where images for the mps2 boards are loaded; the application's linker script agrees.
inline constexpr std::uint32_t kMps2LoadAddress = 0x0010'0000;

struct BuildProducts {
  std::string bootloader_elf;
  std::string application_elf;
  std::string flash_plugin;
  std::string broker_plugin;
  std::string boot_signing_key;

  /// Finds them for a board. @returns kEnvironment, naming the first file that is missing
  [[nodiscard]] static Result<BuildProducts> find(const std::string& board);
};

// The build's keys (scripts/cmake/OtasimKeys.cmake), by file name.
inline constexpr const char* kBootSigningKey = "boot_signing_key.pem";
inline constexpr const char* kImageEncryptionKey = "image_encryption_key.pem";

/// The path of one of them. @returns kEnvironment if it is not there
[[nodiscard]] Result<std::string> build_key(const char* name);

}  // namespace otasim::lab
