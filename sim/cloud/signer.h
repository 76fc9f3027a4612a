// AWS Signer's part: signs an object with the lab's code-signing key.
//
// The signature is ECDSA over P-256 and SHA-256 of the whole object, DER: the platform
// AmazonFreeRTOS-Default.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/crypto/key.h"

namespace otasim::cloud {

class Signer {
 public:
  /// @param key_path  PEM private key
  /// @returns kUsage for a file that is missing, no key, or not P-256
  [[nodiscard]] static Result<Signer> load(const std::string& key_path);

  [[nodiscard]] Result<std::vector<std::uint8_t>> sign(std::span<const std::uint8_t> object) const {
    return key_.sign(object);
  }

 private:
  explicit Signer(crypto::P256Key key) : key_(std::move(key)) {}

  crypto::P256Key key_;
};

}  // namespace otasim::cloud
