#include "qemu_boards/mps2/trustzone/crypto_pool.h"

#include <mbedtls/memory_buffer_alloc.h>

#include <array>

namespace mps2 {
namespace {

alignas(8) std::array<unsigned char, 8192> pool;
bool is_given = false;

}  // namespace

void give_crypto_memory() {
  if (!is_given) mbedtls_memory_buffer_alloc_init(pool.data(), pool.size());
  is_given = true;
}

}  // namespace mps2
