// mbedTLS's memory: one static pool, so that a reconnect finds what the last connection gave back.
//
// Call init() before anything that verifies, signs or connects. What lives as long as the program
// (credentials) is allocated first; what a connection takes is freed when it ends, so the pool does not
// fragment.
#pragma once

#include <cstddef>

namespace app::crypto_memory {

/// A TLS connection takes about 35 KiB at its peak (16 KiB in, 4 KiB out, handshake), and there may be two;
/// signature checks come on top.
inline constexpr std::size_t kPoolSize = 144 * 1024;

void init();

}  // namespace app::crypto_memory
