#include "sim/web/token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>

namespace otasim::web {

Secret Secret::make() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, kBytes> bytes{};
  // Without randomness there is no lab either: its keys come from there.
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) std::abort();
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0x0FU];
  }
  return Secret(std::move(text));
}

bool Secret::is(std::string_view text) const {
  return text.size() == text_.size() && CRYPTO_memcmp(text.data(), text_.data(), text_.size()) == 0;
}

}  // namespace otasim::web
