#include "sim/cloud/base64.h"

#include <openssl/evp.h>

namespace otasim::cloud {

std::string base64_encode(std::span<const std::uint8_t> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  // Writes the text and the terminating NUL, for which std::string has room.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                  static_cast<int>(bytes.size()));
  return text;
}

std::optional<std::vector<std::uint8_t>> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::vector<std::uint8_t> bytes(text.size() / 4 * 3);
  const int decoded = EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()));
  if (decoded < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(decoded) - padding);
  // EVP_DecodeBlock() takes blanks and bits behind the end, too.
  if (base64_encode(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace otasim::cloud
