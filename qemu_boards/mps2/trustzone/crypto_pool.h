// mbedTLS's memory in the secure world: what opening the provisioned settings takes.
#pragma once

namespace mps2 {

/// Hands the memory over, once; before the first use of mbedTLS.
void give_crypto_memory();

}  // namespace mps2
