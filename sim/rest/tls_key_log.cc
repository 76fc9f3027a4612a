#include "sim/rest/tls_key_log.h"

#include <memory>

#include "sim/crypto/key_log_file.h"

namespace otasim::rest {
namespace {

void free_path(void* /*context*/, void* path, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*argument*/,
               void* /*pointer*/) {
  delete static_cast<std::string*>(path);
}

/// Where a context keeps the path: OpenSSL's callback is told nothing else.
int path_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_path);
  return index;
}

void log_secret(const SSL* connection, const char* line) {
  const auto* const path =
      static_cast<const std::string*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), path_index()));
  if (path == nullptr) return;
  [[maybe_unused]] const int lost = crypto::append_key_log(path->c_str(), line);
}

}  // namespace

Result<void> log_tls_keys(SSL_CTX* context, const std::string& path) {
  auto kept = std::make_unique<std::string>(path);
  if (path_index() < 0 || SSL_CTX_set_ex_data(context, path_index(), kept.get()) != 1) {
    return fail(ExitCode::kInternal, "OpenSSL cannot keep the path of the TLS key log.");
  }
  static_cast<void>(kept.release());  // free_path() takes it
  SSL_CTX_set_keylog_callback(context, log_secret);
  return {};
}

}  // namespace otasim::rest
