// What otasim's own build made and a run needs: firmware, plugins, the image-signing key, the code-signing
// root.
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

/// The PAL's qualification program for a board, and the certificate of its samples' signer (DER).
struct PalTestProducts {
  std::string elf;
  std::string signer;
};
/// @returns kEnvironment, naming the first file that is missing
[[nodiscard]] Result<PalTestProducts> find_pal_test(const std::string& board);

/// The root that the devices' boot ROM trusts to issue code signers.
struct CodeSigningRoot {
  std::string certificate;  ///< DER
  std::string key;  ///< PEM, private; the file is missing if the root was given to the build without it
};
/// @returns kEnvironment if the certificate is not there
[[nodiscard]] Result<CodeSigningRoot> code_signing_root();

/// The lab's build-time image-signing key (PEM). @returns kEnvironment if it is not there
[[nodiscard]] Result<std::string> default_signing_key();

}  // namespace otasim::lab
