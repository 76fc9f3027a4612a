// The application's random numbers: CTR_DRBG, seeded from the flash part's entropy source and mixed with the
// seed provisioned at manufacture.
//
// Call seed() once before the network starts, after the TLS memory pool is set up. If the part has no entropy
// source, the provisioned seed alone is used; without that either, seed() fails and TLS must not be started.
// fill() before a successful seed() stops the device: a guessable number is never handed out.
#pragma once

#include <cstdint>
#include <span>

#include "pal_sim/flash/flash_driver.h"

namespace app::random {

enum class Status {
  kOk,
  kSeedOnly,   ///< the entropy source failed; the provisioned seed is all there is
  kNoEntropy,  ///< neither the source nor a provisioned seed: the generator is not usable
};

/// @param provisioned_seed  may be empty
/// @param boot_unique       anything that differs between devices or images; not secret
[[nodiscard]] Status seed(flash::FlashDriver& flash, std::span<const std::uint8_t> provisioned_seed,
                          std::span<const std::uint8_t> boot_unique);

void fill(std::span<std::uint8_t> out);

[[nodiscard]] std::uint32_t next_u32();

/// mbedTLS's `f_rng` signature; the context is not used.
int mbedtls_source(void* context, unsigned char* out, std::size_t size);

}  // namespace app::random
