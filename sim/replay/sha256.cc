#include "sim/replay/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "sim/base/file_io.h"

namespace otasim::replay {
namespace {

/// A program with all its symbols has some megabytes.
constexpr std::size_t kMaxProgramBytes = std::size_t{256} * 1024 * 1024;

}  // namespace

Result<std::string> sha256_of_file(const std::string& path) {
  const auto bytes = read_regular_file(path, kMaxProgramBytes);
  if (!bytes) return fail(ExitCode::kEnvironment, bytes.error().message, bytes.error().hint);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(bytes->data(), bytes->size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    return fail(ExitCode::kInternal, "OpenSSL cannot hash");
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace otasim::replay
