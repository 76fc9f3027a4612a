// Answers of the device's image verification, remembered by the image's full content. Linked with --wrap
// (CMakeLists.txt): each new question goes to the device's own code, in each thread.
//
// A question is all that the answer depends on: the bytes, the signers' keys and their hashes, by which an
// image names its signer, which of them are revoked, the load region.
#include <cstring>
#include <deque>
#include <span>
#include <vector>

#include "agent/boot/image.h"

namespace {

using boot::image::Info;
using boot::image::LoadRegion;
using boot::image::Trust;
using boot::image::VerifyStatus;

/// Contents that are remembered in each thread; the oldest gives way.
constexpr std::size_t kMaxRemembered = 64;

struct Known {
  struct Signer {
    crypto::P256PublicKey point;
    crypto::Sha256Digest hash;
  };
  std::vector<std::uint8_t> content;
  std::vector<Signer> signers;
  std::uint32_t revoked;
  LoadRegion region;
  VerifyStatus status;
  Info info;

  [[nodiscard]] bool is_about(std::span<const std::uint8_t> image, const Trust& trust,
                              const LoadRegion& load_region) const {
    if (content.size() != image.size() || revoked != trust.revoked || signers.size() != trust.signers.size())
      return false;
    if (region.address != load_region.address || region.size != load_region.size) return false;
    for (std::size_t i = 0; i < signers.size(); ++i) {
      if (signers[i].point != trust.signers[i].point || signers[i].hash != trust.signers[i].hash)
        return false;
    }
    return std::memcmp(content.data(), image.data(), image.size()) == 0;
  }
};

}  // namespace

// Under the linker's names for wrapped symbols, which are reserved on purpose.
// NOLINTBEGIN(bugprone-reserved-identifier)
VerifyStatus
real_verify(std::span<const std::uint8_t> image, const Trust& trust, const LoadRegion& region, Info& info) __asm__(
    "__real__ZN4boot5image6verifyESt4spanIKhLm18446744073709551615EERKNS0_5TrustERKNS0_10LoadRegionERNS0_"
    "4InfoE");
VerifyStatus
wrapped_verify(std::span<const std::uint8_t> image, const Trust& trust, const LoadRegion& region, Info& info) __asm__(
    "__wrap__ZN4boot5image6verifyESt4spanIKhLm18446744073709551615EERKNS0_5TrustERKNS0_10LoadRegionERNS0_"
    "4InfoE");
// NOLINTEND(bugprone-reserved-identifier)

VerifyStatus wrapped_verify(std::span<const std::uint8_t> image, const Trust& trust, const LoadRegion& region,
                            Info& info) {
  thread_local std::deque<Known> known;
  for (const Known& one : known) {
    if (!one.is_about(image, trust, region)) continue;
    if (one.status == VerifyStatus::kOk) info = one.info;
    return one.status;
  }
  Known one{.content = {image.begin(), image.end()},
            .signers = {},
            .revoked = trust.revoked,
            .region = region,
            .status = {},
            .info = {}};
  for (const auto& signer : trust.signers) one.signers.push_back({signer.point, signer.hash});
  one.status = real_verify(image, trust, region, one.info);
  if (known.size() == kMaxRemembered) known.pop_front();
  known.push_back(std::move(one));
  if (known.back().status == VerifyStatus::kOk) info = known.back().info;
  return known.back().status;
}
