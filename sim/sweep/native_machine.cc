#include "sim/sweep/native_machine.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "agent/boot/boot_policy.h"
#include "agent/boot/boot_state.h"
#include "agent/boot/console_line.h"
#include "sim/crypto/key.h"

namespace otasim::sweep {
namespace {

constexpr std::size_t kPointSize = std::tuple_size_v<::crypto::P256PublicKey>;

Result<crypto::P256Key> load_key(const char* name) {
  const auto path = lab::build_key(name);
  if (!path) return tl::unexpected(path.error());
  return crypto::P256Key::load_private(*path);
}

/// SubjectPublicKeyInfo of a P-256 key ends with the point.
RomKeys::Signer signer_of(const crypto::P256Key& key) {
  const crypto::Bytes der = key.public_der();
  const crypto::Bytes hash = crypto::sha256(der);
  RomKeys::Signer signer;
  std::copy(der.end() - kPointSize, der.end(), signer.point.begin());
  std::ranges::copy(hash, signer.hash.begin());
  return signer;
}

/// Takes the console's text apart and the operations down.
class Witness final : public flash::OpObserver {
 public:
  explicit Witness(Boot& boot) : boot_(boot) {}

  [[nodiscard]] boot::Console console() {
    return {[](void* self, std::string_view text) { static_cast<Witness*>(self)->write(text); }, this};
  }
  void on_operation(const flash::Operation& operation) override {
    flash::LoggedOperation logged;
    logged.sequence = operation.sequence;
    logged.kind = operation.kind;
    logged.offset = operation.offset;
    logged.length = operation.length;
    logged.applied = operation.applied;
    logged.status = operation.status;
    logged.data.assign(operation.data.begin(), operation.data.end());
    boot_.operations.push_back(std::move(logged));
  }

 private:
  /// Whole lines, each with its end.
  void write(std::string_view text) { boot_.lines.emplace_back(text.substr(0, text.find('\n'))); }

  Boot& boot_;
};

}  // namespace

Result<RomKeys> RomKeys::load() {
  RomKeys keys;
  for (const char* name : {lab::kBootSigningKey, lab::kBootSpareKey}) {
    const auto key = load_key(name);
    if (!key) return tl::unexpected(key.error());
    keys.signers.push_back(signer_of(*key));
  }
  const auto encryption = load_key(lab::kImageEncryptionKey);
  if (!encryption) return tl::unexpected(encryption.error());
  const auto scalar = ::crypto::parse_p256_private_key(encryption->private_der());
  if (!scalar)
    return fail(ExitCode::kInternal, "the image-encryption key has no scalar that the device can read");
  keys.decryption_key = *scalar;
  return keys;
}

NativeMachine::NativeMachine(RomKeys keys, const flash::Geometry& part, std::uint32_t load_address,
                             std::uint32_t load_size)
    : keys_(std::move(keys)), flash_(1, part), load_memory_(load_size), load_address_(load_address) {
  for (const RomKeys::Signer& signer : keys_.signers) signers_.push_back({signer.point, signer.hash});
}

Result<Boot> NativeMachine::boot(flash::CellState& cells, std::uint64_t seed) {
  Boot boot;
  Witness witness(boot);
  flash::NorModel& part = flash_.model();
  part.set_seed(seed);
  part.set_cell_state(std::move(cells));
  part.power_on();
  std::fill_n(load_memory_.begin(), largest_loaded_, kLostByte);
  part.set_observer(&witness);
  boot::ConsoleLine("reset")
      .field("board", "native")
      .field("reason", boot::to_string(boot::ResetReason::kPowerOn))
      .send(witness.console());
  const boot::Environment environment{.flash = flash_,
                                      .signers = signers_,
                                      .decryption_key = keys_.decryption_key,
                                      .load_memory = load_memory_,
                                      .load_address = load_address_,
                                      .console = witness.console()};
  const boot::BootDecision decision = boot::decide(environment);
  // On the boards a second verification that differs is a reset; here nothing strikes between the two.
  boot.reached_application = decision.start == ::crypto::Verdict::kYes &&
                             boot::confirm(environment, decision) == ::crypto::Verdict::kYes;
  if (boot.reached_application) {
    boot::report_start(decision, witness.console());
    boot.loaded = std::span(load_memory_).first(decision.image.total_size);
    largest_loaded_ = std::max(largest_loaded_, boot.loaded.size());
  }
  part.set_observer(nullptr);
  cells = part.cell_state();
  return boot;
}

}  // namespace otasim::sweep
