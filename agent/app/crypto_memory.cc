#include "agent/app/crypto_memory.h"

#include <mbedtls/memory_buffer_alloc.h>

#include <array>

namespace app::crypto_memory {
namespace {

alignas(8) std::array<unsigned char, kPoolSize> pool;

}  // namespace

void init() {
  mbedtls_memory_buffer_alloc_init(pool.data(), pool.size());
}

}  // namespace app::crypto_memory
