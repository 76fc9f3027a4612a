#include <bearssl.h>

#include <algorithm>
#include <new>
#include <type_traits>

#include "agent/crypto/crypto.h"
#include "agent/crypto/p256.h"

namespace crypto {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kScalarSize = 32;
using RawSignature = std::array<std::uint8_t, 2 * kScalarSize>;

static_assert(std::is_trivially_copyable_v<br_sha256_context>);

/// Takes one DER INTEGER that is positive and has no needless leading zero, right-aligned into `out`.
/// @returns false if there is none at the start of `rest`
bool take_positive_integer(Bytes& rest, std::span<std::uint8_t, kScalarSize> out) {
  constexpr std::uint8_t kTagInteger = 0x02;
  if (rest.size() < 2 || rest[0] != kTagInteger) return false;
  const std::size_t length = rest[1];
  if (length == 0 || length > kScalarSize + 1 || length > rest.size() - 2) return false;
  Bytes value = rest.subspan(2, length);
  rest = rest.subspan(2 + length);
  if ((value[0] & 0x80U) != 0) return false;
  if (value[0] == 0) {
    if (length == 1 || (value[1] & 0x80U) == 0) return false;
    value = value.subspan(1);
  }
  if (value.size() > kScalarSize) return false;
  std::ranges::fill(out, std::uint8_t{0});
  std::ranges::copy(value, out.end() - static_cast<std::ptrdiff_t>(value.size()));
  return true;
}

/// SEQUENCE { INTEGER r, INTEGER s }, below 128 bytes, so with one length byte. BearSSL's own decoder takes
/// more than DER.
std::optional<RawSignature> decode_signature(Bytes der) {
  constexpr std::uint8_t kTagSequence = 0x30;
  if (der.size() < 2 || der.size() > kMaxEcdsaSignature) return std::nullopt;
  if (der[0] != kTagSequence || der[1] != der.size() - 2) return std::nullopt;
  Bytes rest = der.subspan(2);
  RawSignature raw;
  const std::span<std::uint8_t, raw.size()> scalars(raw);
  if (!take_positive_integer(rest, scalars.first<kScalarSize>())) return std::nullopt;
  if (!take_positive_integer(rest, scalars.last<kScalarSize>())) return std::nullopt;
  if (!rest.empty()) return std::nullopt;
  return raw;
}

}  // namespace

Sha256::Sha256() {
  static_assert(sizeof(br_sha256_context) <= sizeof(state_));
  br_sha256_init(new (state_.data()) br_sha256_context);
}

void Sha256::update(Bytes data) {
  br_sha256_update(std::launder(reinterpret_cast<br_sha256_context*>(state_.data())), data.data(),
                   data.size());
}

Sha256Digest Sha256::finish() const {
  Sha256Digest digest{};
  br_sha256_out(std::launder(reinterpret_cast<const br_sha256_context*>(state_.data())), digest.data());
  return digest;
}

Sha256Digest sha256(Bytes data) {
  Sha256 hash;
  hash.update(data);
  return hash.finish();
}

Verdict ecdsa_p256_verify(const P256PublicKey& key, const Sha256Digest& digest, Bytes der_signature) {
  const std::optional<RawSignature> raw = decode_signature(der_signature);
  if (!raw) return Verdict::kNo;
  P256PublicKey point = key;  // BearSSL's type has no const
  const br_ec_public_key public_key{BR_EC_secp256r1, point.data(), point.size()};
  const std::uint32_t holds = br_ecdsa_i31_vrfy_raw(&crypto_p256, digest.data(), digest.size(), &public_key,
                                                    raw->data(), raw->size());
  return holds == 1 ? Verdict::kYes : Verdict::kNo;
}

bool equal_constant_time(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

std::optional<std::array<std::uint8_t, 32>> p256_shared_secret(const P256PrivateKey& own,
                                                               const P256PublicKey& peer) {
  std::size_t order_size = 0;
  const unsigned char* order = crypto_p256.order(BR_EC_secp256r1, &order_size);
  const bool is_zero = std::ranges::all_of(own, [](std::uint8_t byte) { return byte == 0; });
  if (is_zero || !std::ranges::lexicographical_compare(own, std::span(order, order_size)))
    return std::nullopt;
  P256PublicKey point = peer;
  if (crypto_p256.mul(point.data(), point.size(), own.data(), own.size(), BR_EC_secp256r1) != 1)
    return std::nullopt;
  std::array<std::uint8_t, 32> shared;
  std::copy_n(point.begin() + 1, shared.size(), shared.begin());
  return shared;
}

void hkdf_sha256(Bytes input, Bytes info, std::span<std::uint8_t> out) {
  br_hkdf_context context;
  br_hkdf_init(&context, &br_sha256_vtable, BR_HKDF_NO_SALT, 0);
  br_hkdf_inject(&context, input.data(), input.size());
  br_hkdf_flip(&context);
  br_hkdf_produce(&context, info.data(), info.size(), out.data(), out.size());
}

Sha256Digest hmac_sha256(Bytes key, Bytes data) {
  br_hmac_key_context key_context;
  br_hmac_key_init(&key_context, &br_sha256_vtable, key.data(), key.size());
  br_hmac_context context;
  br_hmac_init(&context, &key_context, 0);
  br_hmac_update(&context, data.data(), data.size());
  Sha256Digest digest{};
  br_hmac_out(&context, digest.data());
  return digest;
}

void aes128_ctr(const Aes128Key& key, std::span<std::uint8_t> data) {
  br_aes_ct_ctr_keys keys;
  br_aes_ct_ctr_init(&keys, key.data(), key.size());
  constexpr std::array<std::uint8_t, 12> kNonce{};
  br_aes_ct_ctr_run(&keys, kNonce.data(), 0, data.data(), data.size());
}

}  // namespace crypto
