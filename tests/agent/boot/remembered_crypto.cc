// Answers of the device's two slow primitives, remembered: random histories ask the same few questions
// thousands of times. Linked with --wrap (CMakeLists.txt): each new question goes to the device's own code.
#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "agent/crypto/crypto.h"

namespace {

using Question = std::vector<std::uint8_t>;
using Shared = std::optional<std::array<std::uint8_t, 32>>;

Question question(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
                  std::span<const std::uint8_t> c = {}) {
  Question all;
  for (const auto part : {a, b, c}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

// Under the linker's names for wrapped symbols, which are reserved on purpose.
// NOLINTBEGIN(bugprone-reserved-identifier)
crypto::Verdict
real_verify(const crypto::P256PublicKey& key, const crypto::Sha256Digest& digest, std::span<const std::uint8_t> signature) __asm__(
    "__real__ZN6crypto17ecdsa_p256_verifyERKSt5arrayIhLm65EERKS0_IhLm32EESt4spanIKhLm18446744073709551615EE");
crypto::Verdict
wrapped_verify(const crypto::P256PublicKey& key, const crypto::Sha256Digest& digest, std::span<const std::uint8_t> signature) __asm__(
    "__wrap__ZN6crypto17ecdsa_p256_verifyERKSt5arrayIhLm65EERKS0_IhLm32EESt4spanIKhLm18446744073709551615EE");
Shared real_shared_secret(const crypto::P256PrivateKey& own, const crypto::P256PublicKey& peer) __asm__(
    "__real__ZN6crypto18p256_shared_secretERKSt5arrayIhLm32EERKS0_IhLm65EE");
Shared wrapped_shared_secret(const crypto::P256PrivateKey& own, const crypto::P256PublicKey& peer) __asm__(
    "__wrap__ZN6crypto18p256_shared_secretERKSt5arrayIhLm32EERKS0_IhLm65EE");
// NOLINTEND(bugprone-reserved-identifier)

crypto::Verdict wrapped_verify(const crypto::P256PublicKey& key, const crypto::Sha256Digest& digest,
                               std::span<const std::uint8_t> signature) {
  static std::map<Question, crypto::Verdict> answers;
  const Question asked = question(key, digest, signature);
  const auto known = answers.find(asked);
  return known != answers.end() ? known->second
                                : answers.emplace(asked, real_verify(key, digest, signature)).first->second;
}

Shared wrapped_shared_secret(const crypto::P256PrivateKey& own, const crypto::P256PublicKey& peer) {
  static std::map<Question, Shared> answers;
  const Question asked = question(own, peer);
  const auto known = answers.find(asked);
  return known != answers.end() ? known->second
                                : answers.emplace(asked, real_shared_secret(own, peer)).first->second;
}
