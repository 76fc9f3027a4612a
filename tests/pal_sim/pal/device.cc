#include "tests/pal_sim/pal/device.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "agent/boot/slots.h"
#include "tests/agent/boot/journal_bytes.h"

namespace pal_test {
namespace {

constexpr std::size_t kBlockSize = 4096;
constexpr std::size_t kTouchedPerSlot = 64 * 1024;

/// 16 MiB are slow to make, so all devices of one program use the same part in turn.
native::NativeFlash& shared_flash() {
  static native::NativeFlash flash;
  return flash;
}

std::span<std::uint8_t> window(std::uint32_t offset, std::size_t size) {
  return shared_flash().window().subspan(offset, size);
}

}  // namespace

const boot_test::SigningKey& image_signer() {
  static const boot_test::SigningKey key;
  return key;
}

const CodeSigner& code_signer() {
  static const CodeSigner signer;
  return signer;
}

const Bytes& image_1_0_0() {
  static const Bytes image = build_image({.version = {1, 0, 0, 0}}, image_signer());
  return image;
}

const Bytes& image_1_1_0() {
  static const Bytes image = build_image({.version = {1, 1, 0, 0}, .payload_size = 5000}, image_signer());
  return image;
}

const Bytes& image_1_2_0() {
  static const Bytes image = build_image({.version = {1, 2, 0, 0}, .payload_size = 700}, image_signer());
  return image;
}

Device::Device() : flash_(shared_flash()) {
  settings_.code_signers[0] = {kSignerName, code_signer().certificate()};
  settings_.code_signer_count = 1;
  flash_.model().set_cell_state({});
  flash_.model().power_on();
  std::ranges::fill(window(0, boot_test::kBothPartitions), std::uint8_t{0xFF});
  std::ranges::fill(window(flash::kOtpOffset, flash::kOtpSize), std::uint8_t{0xFF});
  for (const boot::Slot s : {boot::Slot::kA, boot::Slot::kB, boot::Slot::kRecovery}) {
    std::ranges::fill(slot(s).first(kTouchedPerSlot), std::uint8_t{0xFF});
  }
  std::ranges::copy(image_1_0_0(), slot(boot::Slot::kA).begin());
  if (!boot()) throw std::runtime_error("the factory image does not boot");
  const auto control = window(0, boot_test::kBothPartitions);
  const auto otp = window(flash::kOtpOffset, flash::kOtpSize);
  boot_control_snapshot_.assign(control.begin(), control.end());
  otp_snapshot_.assign(otp.begin(), otp.end());
}

void Device::restore(std::uint32_t power_ons) {
  flash_.model().set_cell_state({.power_ons = power_ons});
  std::ranges::copy(boot_control_snapshot_, window(0, boot_test::kBothPartitions).begin());
  std::ranges::copy(otp_snapshot_, window(flash::kOtpOffset, flash::kOtpSize).begin());
  std::ranges::fill(slot(boot::Slot::kB).first(kTouchedPerSlot), std::uint8_t{0xFF});
  std::ranges::copy(image_1_0_0(), slot(boot::Slot::kA).begin());
  if (!boot()) throw std::runtime_error("the restored device does not boot");
}

bool Device::boot(boot::ResetReason reason) {
  flash_.model().power_on();
  const std::array keys{image_signer().public_key()};
  static constexpr crypto::P256PrivateKey kDecryptionKey{};
  decision_ = boot::decide({.flash = flash_,
                            .signers = keys,
                            .decryption_key = kDecryptionKey,
                            .load_memory = load_memory_,
                            .load_address = boot_test::kLoadAddress,
                            .console = {},
                            .previous_image = boot::PreviousImage::kErase});
  boot_info_.slot = decision_.slot;
  boot_info_.image_state = decision_.image_state;
  boot_info_.attempt = decision_.attempt;
  boot_info_.reset_reason = reason;
  const auto count_reset = [](void* context) { ++static_cast<Device*>(context)->resets_; };
  pal_.reset();
  services_.clear();
  pal_.emplace(platform(boot_info_, {count_reset, this}));
  return decision_.start == crypto::Verdict::kYes && pal_->start() == flash::Status::kOk;
}

pal::Platform Device::platform(const boot::BootInfo& boot_info, pal::Reset reset) {
  return {.flash = flash_,
          .updates = services_.emplace_back(flash_),
          .settings = settings_,
          .boot_info = boot_info,
          .code_signing_root = CodeSigner::root().certificate(),
          .load_region = {boot_test::kLoadAddress, static_cast<std::uint32_t>(load_memory_.size())},
          .reset = reset};
}

std::span<std::uint8_t> Device::slot(boot::Slot slot) {
  const flash::Partition* partition = boot::slot_partition(slot);
  return window(partition->offset, partition->size);
}

File::File(const Bytes& bytes, const std::string& job_name) : content(bytes), job(job_name) {
  context.fileSize = static_cast<std::uint32_t>(content.size());
  context.pJobName = reinterpret_cast<std::uint8_t*>(job.data());
  context.jobNameMaxSize = static_cast<std::uint16_t>(job.size() + 1);
  context.pSignature = &signature;
  set_signature(code_signer().sign(content));
  set_certificate(kSignerName);
}

void File::set_signature(const Bytes& bytes) {
  signature = {};
  signature.size = static_cast<std::uint16_t>(bytes.size());
  std::ranges::copy(bytes, signature.data);
}

void File::set_certificate(const std::string& name) {
  certificate = name;
  context.pCertFilepath = reinterpret_cast<std::uint8_t*>(certificate.data());
  context.certFilePathMaxSize = static_cast<std::uint16_t>(certificate.size() + 1);
}

bool write_all(pal::Pal& pal, File& file) {
  for (std::size_t at = 0; at < file.content.size(); at += kBlockSize) {
    const auto block = std::span(file.content).subspan(at, std::min(kBlockSize, file.content.size() - at));
    const auto offset = static_cast<std::uint32_t>(at);
    if (pal.write_block(&file.context, offset, block) != static_cast<std::int16_t>(block.size()))
      return false;
  }
  return true;
}

}  // namespace pal_test
