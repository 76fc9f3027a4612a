// Lets a TLS server of this process log its secrets, so that captures of its connections can be read.
//
//   create_key_log(path);                          // sim/crypto/key_log_file.h
//   log_tls_keys(context.native_handle(), path);   // before its first connection
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "sim/base/result.h"

namespace otasim::rest {

/// Appends the secrets of every connection that is made in this context to the file. A secret that cannot be
/// written is lost, and the connection goes on.
/// @returns kInternal if OpenSSL has no memory for it
[[nodiscard]] Result<void> log_tls_keys(SSL_CTX* context, const std::string& path);

}  // namespace otasim::rest
