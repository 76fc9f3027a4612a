// What a slot holds is told right: nothing, an image and whose it is, half an image, the rest of one.
#include "sim/inspect/slot_content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pal_sim/flash/flash_map.h"

namespace otasim::inspect {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t kSector = 4096;

class SlotContentTest : public ::testing::Test {
 protected:
  SlotContentTest() {
    keys.signers.push_back({"first", crypto::P256Key::generate().value()});
    keys.signers.push_back({"second", crypto::P256Key::generate().value()});
  }
  crypto::Bytes image_by(const crypto::P256Key& key, const crypto::P256Key* encrypt_to = nullptr) {
    const crypto::Bytes payload(20'000, 0xA5);
    return image::sign(payload,
                       {.version = {1, 2, 3, 0},
                        .security_counter = 7,
                        .load_address = 0x10'0000,
                        .revoked_keys = 1,
                        .encrypt_to = encrypt_to},
                       key)
        .value();
  }
  void put(const crypto::Bytes& bytes, std::size_t size) { std::copy_n(bytes.begin(), size, slot.begin()); }
  void put(const crypto::Bytes& bytes) { put(bytes, bytes.size()); }
  [[nodiscard]] SlotContent read() const { return read_slot(slot, kSector, keys); }

  Keys keys;
  crypto::Bytes slot = crypto::Bytes(flash::kSlotSize, 0xFF);
};

TEST_F(SlotContentTest, AnErasedSlotHoldsNothing) {
  const SlotContent content = read();
  EXPECT_EQ(content.used_bytes, 0U);
  EXPECT_FALSE(content.image);
  EXPECT_EQ(content.problem, "");
}

TEST_F(SlotContentTest, AnImageVerifiesWithTheKeyThatSignedIt) {
  const crypto::Bytes image = image_by(keys.signers[1].key);
  put(image);
  const SlotContent content = read();
  ASSERT_TRUE(content.image);
  EXPECT_EQ(content.image->version, (image::Version{1, 2, 3, 0}));
  EXPECT_EQ(content.signer, "second");
  EXPECT_EQ(content.verify_problem, "");
  EXPECT_EQ(content.used_bytes, image.size());
  ASSERT_GE(content.tlvs.size(), 5U);
  EXPECT_EQ(tlv_name(content.tlvs[0].type), "security counter");
  EXPECT_TRUE(content.tlvs[0].is_protected);
  EXPECT_EQ(tlv_name(content.tlvs[1].type), "revoked keys");
  EXPECT_EQ(tlv_name(content.tlvs.back().type), "ECDSA signature");
  EXPECT_FALSE(content.tlvs.back().is_protected);
}

TEST_F(SlotContentTest, AChangedBitIsToldAndNotBlamedOnAnotherKey) {
  put(image_by(keys.signers[1].key));
  slot[10'000] ^= 1;
  const SlotContent content = read();
  ASSERT_TRUE(content.image);
  EXPECT_EQ(content.signer, "");
  EXPECT_THAT(content.verify_problem, HasSubstr("hash does not match"));
}

TEST_F(SlotContentTest, AStrangersImageIsToldAsSuch) {
  put(image_by(crypto::P256Key::generate().value()));
  EXPECT_THAT(read().verify_problem, HasSubstr("signed with another key"));
}

TEST_F(SlotContentTest, WithoutKeysNothingIsClaimed) {
  put(image_by(keys.signers[0].key));
  keys.signers.clear();
  const SlotContent content = read();
  EXPECT_EQ(content.signer, "");
  EXPECT_THAT(content.verify_problem, HasSubstr("not checked"));
}

TEST_F(SlotContentTest, AnEncryptedImageVerifiesIfItsKeyIsThere) {
  auto device = crypto::P256Key::generate().value();
  put(image_by(keys.signers[0].key, &device));
  EXPECT_THAT(read().verify_problem, HasSubstr("no key was given to open it"));
  keys.image_decryption = std::move(device);
  EXPECT_EQ(read().signer, "first");
}

TEST_F(SlotContentTest, AHalfReceivedImageIsNoneAndItsMissingPagesAreCounted) {
  const crypto::Bytes image = image_by(keys.signers[0].key);
  put(image, 8192);
  std::fill_n(slot.begin() + 1024, 2 * flash::kPageSize, std::uint8_t{0xFF});
  const SlotContent content = read();
  EXPECT_FALSE(content.image);
  EXPECT_THAT(content.problem, HasSubstr("not an image"));
  EXPECT_EQ(content.used_bytes, 8192U);
  EXPECT_EQ(content.erased_pages_inside, 2U);
  EXPECT_FALSE(content.first_sector_is_erased);
}

TEST_F(SlotContentTest, AnImageThatACommitMadeUnbootableIsToldByItsFirstSector) {
  put(image_by(keys.signers[0].key));
  std::fill_n(slot.begin(), kSector, std::uint8_t{0xFF});
  const SlotContent content = read();
  EXPECT_FALSE(content.image);
  EXPECT_TRUE(content.first_sector_is_erased);
}

TEST_F(SlotContentTest, AHeaderThatPromisesMoreThanTheSlotIsRefused) {
  put(image_by(keys.signers[0].key));
  std::fill_n(slot.begin() + 12, 4, std::uint8_t{0xFF});  // the payload's size
  EXPECT_THAT(read().problem, HasSubstr("promises more bytes"));
}

}  // namespace
}  // namespace otasim::inspect
