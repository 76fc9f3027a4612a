// Images: what the bootloader takes, the host's parser takes, too, and reads the same.
//
// Input: what stands in a slot, from its first byte; the rest of the slot is erased. Whole images in the
// corpus are those of mcuboot_format_test.cc, signed by the key of fixed_keys.h, so that a damaged one is
// known from a sound one.
#include <algorithm>
#include <array>

#include "agent/boot/image.h"
#include "agent/boot/slots.h"
#include "sim/image/image.h"
#include "tests/agent/boot/fixed_keys.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/exact_copy.h"

namespace {

using boot::image::Info;
using boot::image::VerifyStatus;
using flash::Status;
using otasim::testing::claim;
using Bytes = std::vector<std::uint8_t>;

constexpr boot::image::LoadRegion kRegion{0x0010'0000, 0x4000};

/// A part that holds one image in slot A, and can only be read, there.
class SlotFlash : public flash::FlashDriver {
 public:
  explicit SlotFlash(const Bytes& content) : content_(content) {}

  [[nodiscard]] flash::Geometry geometry() const override { return flash::kControllerPart; }
  [[nodiscard]] Status read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    claim(flash::kSlotA.contains(offset, static_cast<std::uint32_t>(out.size())), "reads stay in the slot");
    const std::size_t at = offset - flash::kSlotA.offset;
    claim(at + out.size() <= kRegion.size, "and within what can be loaded");
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = at + i < content_.size() ? content_[at + i] : std::uint8_t{0xFF};
    return Status::kOk;
  }
  [[nodiscard]] Status program(std::uint32_t, std::span<const std::uint8_t>) override { return refuse(); }
  [[nodiscard]] Status erase_sector(std::uint32_t) override { return refuse(); }
  [[nodiscard]] Status lock(std::uint32_t, std::uint32_t) override { return refuse(); }
  [[nodiscard]] Status otp_read(std::uint32_t, std::span<std::uint8_t>) override { return refuse(); }
  [[nodiscard]] Status otp_program(std::uint32_t, std::span<const std::uint8_t>) override { return refuse(); }
  [[nodiscard]] Status otp_lock() override { return refuse(); }
  [[nodiscard]] Status entropy(std::span<std::uint8_t>) override { return refuse(); }

 private:
  static Status refuse() {
    claim(false, "a parser only reads");
    return Status::kBadCommand;
  }

  const Bytes& content_;
};

void check_same(const Info& info, const otasim::image::Info& other) {
  claim(info.version.major == other.version.major && info.version.minor == other.version.minor &&
            info.version.revision == other.version.revision &&
            info.version.build_number == other.version.build_number,
        "the version is the same");
  claim(other.security_counter == info.security_counter, "the counter is the same");
  claim(other.kind.value_or(0) == static_cast<std::uint32_t>(info.kind), "the kind is the same");
  claim(other.revoked_keys.value_or(0) == info.revoked_keys, "the revocations are the same");
  claim(other.total_size == info.total_size && other.load_address == info.load_address &&
            other.header_size == info.header_size,
        "the sizes are the same");
  claim(other.sha256 && std::ranges::equal(*other.sha256, info.digest), "the digest is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto host_signer = boot_test::fixed::host_key(boot_test::fixed::kSignerPem);
  static const auto host_device = boot_test::fixed::host_key(boot_test::fixed::kDevicePem);
  static const auto scalar = boot_test::fixed::array_of<32>(boot_test::fixed::kDeviceScalarHex);
  Bytes content(data, data + size);
  SlotFlash part(content);
  Info peeked;
  const bool has_form = boot::image::peek(part, boot::Slot::kA, kRegion, peeked) == VerifyStatus::kOk;
  Bytes slot = content;
  slot.resize(kRegion.size, 0xFF);
  if (has_form) {
    const auto other = otasim::image::parse(slot);
    claim(other.has_value(), "what has the form has it for both");
    check_same(peeked, *other);
  }

  // As the bootloader goes on, and with whatever length the input has.
  const std::size_t length = has_form ? peeked.total_size : size;
  Bytes copy = otasim::testing::exact_copy(slot.data(), std::min<std::size_t>(length, slot.size()));
  const std::array signers{boot_test::fixed::signer()};
  Info info;
  const VerifyStatus opened = boot::image::decrypt(copy, kRegion, scalar);
  const VerifyStatus verified = boot::image::verify(copy, {signers, 0}, kRegion, info);
  claim(!has_form || opened == VerifyStatus::kOk || opened == VerifyStatus::kBadEncryption,
        "the form is the same in RAM");
  if (opened != VerifyStatus::kOk || verified != VerifyStatus::kOk) return 0;
  const auto judged = otasim::image::verify(slot, host_signer, &host_device);
  claim(judged.has_value(), "what may run verifies for both");
  check_same(info, *judged);
  return 0;
}
