#include "agent/app/random.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/sha256.h>

#include <algorithm>
#include <array>

#include "agent/app/fatal.h"
#include "agent/crypto/crypto.h"

namespace app::random {
namespace {

/// Where the generator takes its seed material from; lives as long as the generator may reseed.
struct Source {
  flash::FlashDriver* flash = nullptr;
  crypto::Sha256Digest fallback{};  ///< digest of the provisioned seed
  bool has_fallback = false;
  bool source_failed = false;
};

struct Generator {
  mbedtls_ctr_drbg_context drbg;
  Source source;
  bool ready = false;
};

Generator& generator() {
  static Generator instance;
  return instance;
}

/// mbedTLS's entropy callback. Each request takes fresh bytes from the part.
int collect(void* context, unsigned char* out, std::size_t size) {
  auto& source = *static_cast<Source*>(context);
  constexpr std::size_t kMaxRequest = 256;  // the controller gives a page at most
  if (size > kMaxRequest) return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
  if (source.flash->entropy({out, size}) == flash::Status::kOk) return 0;

  source.source_failed = true;
  if (!source.has_fallback) return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
  for (std::size_t at = 0; at < size; at += source.fallback.size()) {
    source.fallback = crypto::sha256(source.fallback);
    std::copy_n(source.fallback.begin(), std::min(size - at, source.fallback.size()), out + at);
  }
  return 0;
}

}  // namespace

Status seed(flash::FlashDriver& flash, std::span<const std::uint8_t> provisioned_seed,
            std::span<const std::uint8_t> boot_unique) {
  Generator& self = generator();
  self.source.flash = &flash;
  self.source.has_fallback = !provisioned_seed.empty();
  crypto::Sha256 hash;
  hash.update(provisioned_seed);
  hash.update(boot_unique);
  self.source.fallback = hash.finish();
  const crypto::Sha256Digest personalisation = self.source.fallback;

  mbedtls_ctr_drbg_init(&self.drbg);
  if (mbedtls_ctr_drbg_seed(&self.drbg, collect, &self.source, personalisation.data(),
                            personalisation.size()) != 0) {
    return Status::kNoEntropy;
  }
  self.ready = true;
  return self.source.source_failed ? Status::kSeedOnly : Status::kOk;
}

void fill(std::span<std::uint8_t> out) {
  if (!generator().ready) fatal("random numbers were asked for before the generator was seeded");
  while (!out.empty()) {
    const std::size_t count = std::min<std::size_t>(out.size(), MBEDTLS_CTR_DRBG_MAX_REQUEST);
    if (mbedtls_ctr_drbg_random(&generator().drbg, out.data(), count) != 0) {
      fatal("the entropy source failed while the generator reseeded");
    }
    out = out.subspan(count);
  }
}

std::uint32_t next_u32() {
  std::array<std::uint8_t, 4> bytes;
  fill(bytes);
  return static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
         static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

int mbedtls_source(void*, unsigned char* out, std::size_t size) {
  fill({out, size});
  return 0;
}

}  // namespace app::random
