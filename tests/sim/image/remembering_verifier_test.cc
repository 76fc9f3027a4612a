// What remembers its answers answers as image::verify() does, whatever became of the image.
#include "sim/image/remembering_verifier.h"

#include <gtest/gtest.h>

#include <random>

namespace otasim::image {
namespace {

constexpr std::size_t kSlot = 4096;

crypto::P256Key key() {
  return crypto::P256Key::generate().value();
}

Bytes image_of(std::uint8_t filling, const crypto::P256Key& signer,
               const crypto::P256Key* encrypt_to = nullptr) {
  return sign(Bytes(600, filling),
              {.version = {1, 0, filling, 0}, .load_address = 0x1000, .encrypt_to = encrypt_to}, signer)
      .value();
}

/// A slot with the image at its beginning.
Bytes slot_with(const Bytes& image) {
  Bytes slot(kSlot, 0xFF);
  std::ranges::copy(image, slot.begin());
  return slot;
}

/// Both say the same, twice: the second time from memory.
void expect_same_answers(RememberingVerifier& verifier, std::span<const std::uint8_t> bytes,
                         const crypto::P256Key& signer, const crypto::P256Key* decryption_key = nullptr) {
  const auto wanted = verify(bytes, signer, decryption_key);
  for (int time = 1; time <= 2; ++time) {
    const auto& answer = verifier.verify(bytes);
    ASSERT_EQ(answer.has_value(), wanted.has_value()) << "time " << time;
    if (!wanted) {
      EXPECT_EQ(answer.error().code, wanted.error().code);
      EXPECT_EQ(answer.error().message, wanted.error().message);
      continue;
    }
    EXPECT_EQ(answer->total_size, wanted->total_size);
    EXPECT_EQ(answer->sha256, wanted->sha256);
    EXPECT_EQ(answer->security_counter, wanted->security_counter);
    EXPECT_EQ(answer->signature, wanted->signature);
    EXPECT_EQ(answer->version.revision, wanted->version.revision);
  }
}

TEST(RememberingVerifier, AnswersAsVerifyDoes) {
  const auto signer = key();
  const auto stranger = key();
  RememberingVerifier verifier(signer);
  expect_same_answers(verifier, slot_with(image_of(1, signer)), signer);
  expect_same_answers(verifier, slot_with(image_of(2, stranger)), signer);
  expect_same_answers(verifier, slot_with({}), signer);
  expect_same_answers(verifier, {}, signer);
  expect_same_answers(verifier, image_of(1, signer), signer);
}

TEST(RememberingVerifier, OpensEncryptedImagesWithTheKeyGiven) {
  const auto signer = key();
  const auto device = key();
  const Bytes slot = slot_with(image_of(1, signer, &device));
  RememberingVerifier with_key(signer, &device);
  expect_same_answers(with_key, slot, signer, &device);
  RememberingVerifier without(signer);
  expect_same_answers(without, slot, signer);
}

/// One bit of a remembered image, each in its turn: what was proven of the whole says nothing of it.
TEST(RememberingVerifier, ADamagedImageIsVerifiedAnew) {
  const auto signer = key();
  const Bytes sound = image_of(1, signer);
  std::mt19937 random(3);
  RememberingVerifier verifier(signer);
  for (std::size_t at = 0; at < sound.size(); at += at < 32 || at + 200 > sound.size() ? 1 : 37) {
    ASSERT_TRUE(verifier.verify(slot_with(sound)));
    Bytes damaged = slot_with(sound);
    damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ (1U << random() % 8));
    expect_same_answers(verifier, damaged, signer);
  }
}

TEST(RememberingVerifier, RandomDamageAndLengthsChangeNothingOfThat) {
  const auto signer = key();
  const Bytes sound = slot_with(image_of(1, signer));
  std::mt19937 random(4);
  RememberingVerifier verifier(signer);
  for (int i = 0; i < 150; ++i) {
    Bytes bytes = sound;
    const auto flips = random() % 4;
    for (unsigned flip = 0; flip < flips; ++flip) bytes[random() % 900] = static_cast<std::uint8_t>(random());
    if (random() % 3 == 0) bytes.resize(random() % bytes.size());
    expect_same_answers(verifier, bytes, signer);
  }
}

/// More contents than are remembered: the oldest gives way and is verified again.
TEST(RememberingVerifier, ForgetsTheOldestAndAnswersAllTheSame) {
  const auto signer = key();
  std::vector<Bytes> slots;
  for (std::size_t i = 0; i < RememberingVerifier::kMaxRemembered + 3; ++i)
    slots.push_back(slot_with(image_of(static_cast<std::uint8_t>(i), signer)));
  RememberingVerifier verifier(signer);
  for (const Bytes& slot : slots) expect_same_answers(verifier, slot, signer);
  expect_same_answers(verifier, slots.front(), signer);
}

/// The answer that is given again is the one that was kept.
TEST(RememberingVerifier, VerifiesEachContentOnce) {
  const auto signer = key();
  RememberingVerifier verifier(signer);
  std::vector<const Result<Info>*> answers;
  const std::vector<Bytes> images{image_of(1, signer), image_of(2, signer)};
  for (const std::size_t i : {0U, 1U, 0U, 1U}) answers.push_back(&verifier.verify(slot_with(images[i])));
  EXPECT_EQ(answers[0], answers[2]);
  EXPECT_EQ(answers[1], answers[3]);
  EXPECT_NE(answers[0], answers[1]);
}

/// Remembered is what was verified, not where it stood.
TEST(RememberingVerifier, KeepsACopyOfWhatItHasVerified) {
  const auto signer = key();
  RememberingVerifier verifier(signer);
  Bytes slot = slot_with(image_of(1, signer));
  ASSERT_TRUE(verifier.verify(slot));
  slot[100] ^= 1;  // the same memory
  EXPECT_FALSE(verifier.verify(slot));
  slot[100] ^= 1;
  EXPECT_TRUE(verifier.verify(slot));
}

}  // namespace
}  // namespace otasim::image
