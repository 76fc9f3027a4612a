#include "tests/agent/boot/history_images.h"

#include "tests/agent/boot/boot_policy_fixture.h"

namespace boot_test {
namespace {

using boot::image::Kind;

const SigningKey& stranger() {
  static const SigningKey key;
  return key;
}

CatalogImage make(const ImageSpec& spec, const SigningKey& by) {
  return {build_image(spec, by), spec.security_counter.value_or(0)};
}

CatalogImage damaged(CatalogImage image) {
  image.bytes[0x210] ^= 0x40;
  return image;
}

Tlv revokes(std::uint32_t signers) {
  return {boot::image::kTlvRevokedKeys, little_endian(signers)};
}

}  // namespace

const std::vector<CatalogImage>& catalog() {
  const SigningKey& first = signer();
  const SigningKey& second = second_signer();
  static const std::vector<CatalogImage> images{
      make({.version = {1, 0, 0, 0}, .security_counter = 1}, first),
      make({.version = {1, 1, 0, 0}, .security_counter = 2}, first),
      make({.version = {1, 2, 0, 0}, .security_counter = 2}, second),
      make({.version = {1, 3, 0, 0}, .security_counter = 3, .encrypt_to = &recipient()}, first),
      make({.version = {1, 4, 0, 0}, .security_counter = 3, .payload_size = 5000}, second),
      make({.version = {2, 0, 0, 0}, .security_counter = 4, .more_protected = {revokes(0b01)}}, second),
      make({.version = {2, 1, 0, 0},
            .security_counter = 5,
            .more_protected = {revokes(0b01)},
            .encrypt_to = &recipient()},
           second),
      make({.version = {0, 9, 0, 0}, .security_counter = 0}, second),
      // None of these may ever start.
      make({.version = {6, 0, 0, 0}, .security_counter = 7, .kind = Kind::kRecovery}, first),
      make({.version = {6, 1, 0, 0}, .security_counter = 7}, stranger()),
      make({.version = {6, 2, 0, 0}, .security_counter = 3841}, second),
      make({.version = {6, 3, 0, 0}, .security_counter = 7, .encrypt_to = &stranger()}, first),
      make({.version = {6, 4, 0, 0}, .security_counter = 7, .more_protected = {revokes(0b10)}}, second),
      damaged(make({.version = {6, 5, 0, 0}, .security_counter = 7}, second)),
      damaged(make({.version = {6, 6, 0, 0}, .security_counter = 7, .encrypt_to = &recipient()}, first)),
  };
  return images;
}

const std::vector<CatalogImage>& recoveries() {
  static const std::vector<CatalogImage> images{
      make({.version = {0, 1, 0, 0}, .security_counter = 1, .kind = Kind::kRecovery}, second_signer()),
      make({.version = {0, 2, 0, 0},
            .security_counter = 2,
            .kind = Kind::kRecovery,
            .encrypt_to = &recipient()},
           signer()),
      make({.version = {0, 3, 0, 0}, .security_counter = 9}, second_signer()),
  };
  return images;
}

const CatalogImage& last_update() {
  static const CatalogImage image = make({.version = {9, 0, 0, 0}, .security_counter = 9}, second_signer());
  return image;
}

}  // namespace boot_test
