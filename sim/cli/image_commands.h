// `otasim image sign|info|verify`: make, read and check firmware images.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/lab/boards.h"

namespace otasim::cli {

struct ImageSignOptions {
  std::string board = std::string(lab::boards().front().name);
  std::string elf;  ///< application as linked, or
  std::string bin;  ///< its payload as raw bytes
  std::string out;  ///< the image to write
  std::string version;
  std::string key;  ///< PEM; empty: the lab's build-time key
  std::uint32_t security_counter = 1;
  bool is_recovery = false;
  std::vector<std::uint32_t> revoked_keys;  ///< numbers of signers in ROM
  bool encrypt = false;
  std::string encryption_key;  ///< PEM; empty: the lab's build-time key
  bool json = false;
};

struct ImageReadOptions {
  std::string file;
  std::string key;             ///< PEM, verify only; empty: the lab's build-time key
  std::string decryption_key;  ///< PEM, private, verify only; empty: the lab's build-time key
  bool json = false;
};

[[nodiscard]] Result<void> image_sign(const ImageSignOptions& options);
[[nodiscard]] Result<void> image_info(const ImageReadOptions& options);
[[nodiscard]] Result<void> image_verify(const ImageReadOptions& options);

}  // namespace otasim::cli
