// What otasim's own build made and a run needs: firmware, plugins, keys.
//
// They stand beside the program (build/<preset>/): bin/otasim, firmware/*.elf, lib/*.so, keys/*.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "pal_sim/provisioning/seal.h"
#include "sim/base/result.h"

namespace otasim::lab {

struct BuildProducts {
  std::string bootloader_elf;
  std::string application_elf;
  std::string recovery_elf;  ///< to be signed as a recovery image
  std::string flash_plugin;
  std::string broker_plugin;
  std::string boot_signing_key;
  std::string device_key;  ///< seals provisioning; in the ROM of every device of this build

  /// Finds them for a board. @returns kEnvironment, naming the first file that is missing
  [[nodiscard]] static Result<BuildProducts> find(const std::string& board);
};

/// A program of the firmware's build, by file name. @returns kEnvironment if it is missing
[[nodiscard]] Result<std::string> find_program(const std::string& file);

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

using DeviceKey = std::array<std::uint8_t, provisioning::kDeviceKeySize>;

/// Reads the key that seals provisioning.
/// @returns kEnvironment if it cannot be read or has another size
[[nodiscard]] Result<DeviceKey> load_device_key(const std::string& path);

// The build's keys (scripts/cmake/OtasimKeys.cmake), by file name.
inline constexpr const char* kBootSigningKey = "boot_signing_key.pem";
inline constexpr const char* kBootSpareKey = "boot_spare_key.pem";
inline constexpr const char* kImageEncryptionKey = "image_encryption_key.pem";

/// The path of one of them. @returns kEnvironment if it is not there
[[nodiscard]] Result<std::string> build_key(const char* name);

}  // namespace otasim::lab
