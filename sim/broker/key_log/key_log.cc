#include "sim/broker/key_log/key_log.h"

#include <dlfcn.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sim/crypto/key_log_file.h"

namespace {

void log_secret(const SSL* /*connection*/, const char* line) {
  const char* const path = std::getenv(otasim::broker::kKeyLogVariable);
  if (path == nullptr) return;
  const int error = otasim::crypto::append_key_log(path, line);
  if (error != 0) std::fprintf(stderr, "cannot log a TLS secret to %s: %s\n", path, std::strerror(error));
}

/// The function of that name in the library behind this one; the program links it, so there is one.
template <typename Function>
Function* behind(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

SSL_CTX* with_key_log(SSL_CTX* context) {
  if (context != nullptr) SSL_CTX_set_keylog_callback(context, log_secret);
  return context;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) SSL_CTX* SSL_CTX_new(const SSL_METHOD* method) {
  auto* const make = behind<SSL_CTX*(const SSL_METHOD*)>("SSL_CTX_new");
  return make == nullptr ? nullptr : with_key_log(make(method));
}

__attribute__((visibility("default"))) SSL_CTX* SSL_CTX_new_ex(OSSL_LIB_CTX* library, const char* properties,
                                                               const SSL_METHOD* method) {
  auto* const make = behind<SSL_CTX*(OSSL_LIB_CTX*, const char*, const SSL_METHOD*)>("SSL_CTX_new_ex");
  return make == nullptr ? nullptr : with_key_log(make(library, properties, method));
}

}  // extern "C"
