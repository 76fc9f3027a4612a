// Boot control and identity for an application in the non-secure world: both are the secure world's, which is
// asked through the gateway.
#include <array>
#include <cstring>

#include "agent/boot/rom_trust.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/mps2/trustzone/secure_client.h"

namespace mps2 {
namespace {

class GatewayUpdateService final : public boot::UpdateService {
 public:
  [[nodiscard]] flash::Status start() override {
    return static_cast<flash::Status>(request(Service::kUpdateStart));
  }
  [[nodiscard]] const boot::BootState& state() const override { return state_; }
  /// Hash and signature, too.
  [[nodiscard]] boot::image::VerifyStatus check(boot::Slot slot,
                                                const boot::image::Info& /*image*/) override {
    const std::uint32_t result = request(Service::kUpdateCheck, static_cast<std::uint32_t>(slot));
    const bool was_asked_in_time = static_cast<Refusal>(result) != Refusal::kNotAllowed;
    return was_asked_in_time ? static_cast<boot::image::VerifyStatus>(result)
                             : boot::image::VerifyStatus::kNotOnRecord;
  }
  [[nodiscard]] boot::Transition begin_receive(std::string_view job_id, boot::Slot slot) override {
    const std::span job(reinterpret_cast<const std::uint8_t*>(job_id.data()), job_id.size());
    return transition(Service::kUpdateBeginReceive, static_cast<std::uint32_t>(slot), job);
  }
  [[nodiscard]] boot::Transition finish(const boot::image::Info& /*image*/) override {
    return transition(Service::kUpdateFinish);
  }
  [[nodiscard]] boot::Transition accept() override { return transition(Service::kUpdateAccept); }
  [[nodiscard]] boot::Transition reject() override { return transition(Service::kUpdateReject); }

 private:
  std::uint32_t request(Service service, std::uint32_t value = 0, std::span<const std::uint8_t> in = {}) {
    const std::span<std::uint8_t> state(reinterpret_cast<std::uint8_t*>(&state_), sizeof(state_));
    return ask(service, value, in, state).result;
  }
  boot::Transition transition(Service service, std::uint32_t value = 0,
                              std::span<const std::uint8_t> in = {}) {
    const std::uint32_t result = request(service, value, in);
    const bool is_refused = result >= static_cast<std::uint32_t>(Refusal::kBadPointer);
    return is_refused ? boot::Transition{}
                      : boot::Transition{.is_allowed = true, .status = static_cast<flash::Status>(result)};
  }

  boot::BootState state_;
};

class GatewayIdentity final : public provisioning::Identity {
 public:
  [[nodiscard]] provisioning::Status load(std::span<std::uint8_t> buffer,
                                          provisioning::Settings& out) override {
    const Answer answer = ask(Service::kSettings, 0, {}, buffer);
    if (answer.result > static_cast<std::uint32_t>(provisioning::Status::kBadKey) ||
        answer.size > buffer.size())
      return provisioning::Status::kNotFound;
    const auto status = static_cast<provisioning::Status>(answer.result);
    if (status != provisioning::Status::kOk) return status;
    const provisioning::Status parsed = provisioning::parse_body(buffer.first(answer.size), out);
    out.device_key = {};
    return parsed;
  }
  [[nodiscard]] bool sign(const crypto::Sha256Digest& digest, crypto::EcdsaSignature& out) override {
    return ask(Service::kSign, 0, digest, out).result == 0;
  }
};

}  // namespace
}  // namespace mps2

namespace board {

boot::UpdateService& update_service() {
  static mps2::GatewayUpdateService service;
  return service;
}

provisioning::Identity& identity() {
  static mps2::GatewayIdentity gateway;
  return gateway;
}

std::span<const std::uint8_t> code_signing_root() {
  static std::array<std::uint8_t, boot::RomTrust::kMaxCertificateSize> root;
  static std::uint32_t size = 0;
  if (size == 0) size = mps2::ask(mps2::Service::kCodeSigningRoot, 0, {}, root).size;
  return std::span(root).first(size);
}

}  // namespace board
