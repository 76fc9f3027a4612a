// Verifies images and remembers the answers by the images' full content: each distinct content is verified
// once, never less, and the same bytes are compared from then on, which is some hundred times faster.
//
// For sweeps, which ask about the same few images many thousand times. An object belongs to one thread.
#pragma once

#include <deque>
#include <span>

#include "sim/image/image.h"

namespace otasim::image {

class RememberingVerifier {
 public:
  /// Contents that are remembered; the oldest gives way.
  static constexpr std::size_t kMaxRemembered = 32;

  /// @param key  outlives it, as does `decryption_key`, which may be null
  explicit RememberingVerifier(const crypto::P256Key& key, const crypto::P256Key* decryption_key = nullptr)
      : key_(key), decryption_key_(decryption_key) {}

  /// What image::verify() returns. The reference is good until the next call.
  const Result<Info>& verify(std::span<const std::uint8_t> bytes);

 private:
  struct Known {
    Bytes content;  ///< of the image, exactly
    Result<Info> answer;
  };

  const crypto::P256Key& key_;
  const crypto::P256Key* decryption_key_;
  std::deque<Known> known_;
  Result<Info> unknown_ = Info{};  ///< the answer about bytes that are no image
};

}  // namespace otasim::image
