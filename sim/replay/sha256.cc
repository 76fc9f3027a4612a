#include "sim/replay/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "sim/base/file_io.h"

namespace otasim::replay {

Result<std::string> sha256_of_file(const std::string& path) {
  const auto bytes = read_file(path);
  if (!bytes) return tl::unexpected(bytes.error());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(bytes->data(), bytes->size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    return fail(ExitCode::kInternal, "OpenSSL cannot hash");
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace otasim::replay
