// How the broker is made to log its TLS secrets.
//
// Mosquitto 2.0 over OpenSSL 3.0 has no setting for it. It is started with the library of this folder in
// LD_PRELOAD, which stands before OpenSSL's SSL_CTX_new() and SSL_CTX_new_ex(): each new context gets a key
// log callback (SSL_CTX_set_keylog_callback(3)) that appends to the file which the environment names. What
// Mosquitto does is otherwise the same.
//
// What can go wrong: a secret that cannot be written is told on stderr, which is in Mosquitto's log; the
// connection goes on, and its part of the capture stays unreadable.
#pragma once

namespace otasim::broker {

/// Stands beside the broker's plugin.
inline constexpr const char* kKeyLogLibrary = "otasim_broker_key_log.so";
/// The environment variable with the file's path.
inline constexpr const char* kKeyLogVariable = "OTASIM_TLS_KEY_LOG";

}  // namespace otasim::broker
