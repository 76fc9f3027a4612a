// What application, power, flash and outsiders do to the device.
#include "tests/agent/boot/history_device.h"

namespace boot_test {

bool Device::is_running() {
  if (!model().powered() || !running_) boot();
  return running_.has_value();
}

bool Device::change(const Transition& transition) {
  BootControl control(part());
  if (control.load() != Status::kOk) return false;
  const auto next = transition(control.state());
  return next && control.append(*next) == Status::kOk;
}

bool Device::receive(const Bytes& image, std::size_t size) {
  Slot slot = Slot::kNone;
  const auto begin = [&](const BootState& state) {
    slot = receive_slot(state);
    return begin_receive(state, "job", slot);
  };
  if (!is_running() || !change(begin)) return false;
  const std::uint32_t offset = boot::slot_partition(slot)->offset;
  const bool is_written = flash::erase_range(part(), offset, kLoadMemory) == Status::kOk &&
                          program_range(part(), offset, std::span(image).first(size)) == Status::kOk;
  slot_changed(slot);
  return is_written;
}

/// As a careless application does it: whatever can be read is called verified.
void Device::stage(const CatalogImage& image) {
  if (!receive(image.bytes, image.bytes.size())) return;
  static_cast<void>(change([&](const BootState& state) -> std::optional<BootState> {
    boot::image::Info info;
    if (peek(part(), state.staged_slot, {kLoadAddress, kLoadMemory}, info) != boot::image::VerifyStatus::kOk)
      return std::nullopt;
    trial_started_ = false;
    return mark_verified(state, {.version = info.version,
                                 .security_counter = info.security_counter,
                                 .size = info.total_size,
                                 .digest = info.digest,
                                 .job_id = {}});
  }));
}

void Device::accept() {
  if (!is_running() || !running_->is_trial()) return;
  const Digest digest = running_->image.digest;
  const Slot slot = running_->slot;
  const bool is_durable = change([&](const BootState& state) -> std::optional<BootState> {
    if (state.staged_slot != slot || state.staged.digest != digest) return std::nullopt;
    return boot::accept(state);
  });
  const GenuineImage* image = oracle().startable(slot);
  if (image == nullptr || image->digest != digest) return slot_changed(slot);  // damaged while it runs
  if (is_durable) {
    approved_ = digest;
    accepted_.reset();
    story_ += "(accepted for good)\n";
  } else if (approved_ != digest) {
    accepted_ = digest;
  }
}

void Device::cut_power(const Step& step) {
  if (!model().powered()) return;
  constexpr std::array<std::uint32_t, 8> kBytes{
      0, 0, 1, 40, 100, 200, flash::kPageSize, flash::kControllerPart.sector_size};
  model().cut_power_at({.operation = model().sequence() + 1 + step.a % 12,
                        .bytes = kBytes[step.b % kBytes.size()],
                        .marginal_bytes = step.b % 3 == 0 ? 0 : step.b * 7 % 4097});
}

void Device::fail(const Step& step) {
  constexpr std::array kKinds{flash::OpKind::kProgram, flash::OpKind::kEraseSector,
                              flash::OpKind::kOtpProgram};
  flash::PlannedFailure failure{.kind = kKinds[step.a % kKinds.size()],
                                .bytes = step.b % 300,
                                .marginal_bytes = step.b % 2 == 0 ? 0 : step.b % 200};
  if (step.a % 4 != 0) failure.operation = model().sequence() + 1 + step.b % 10;
  // Journal and OTP are read back; that a slot holds what was written is for the application to see.
  failure.is_silent = step.b % 5 == 0 && failure.kind != flash::OpKind::kEraseSector;
  if (failure.is_silent) failure.marginal_bytes = 0;
  model().plan_failure(failure);
  has_failures_ = true;
}

void Device::damage_slot(const Step& step) {
  const Slot slot = kSlots[step.a % kSlots.size()];
  constexpr std::array<std::uint32_t, 6> kPlaces{0, 8, 21, 0x200, 0x230, 0x340};
  slot_bytes(slot)[kPlaces[step.b % kPlaces.size()]] ^= static_cast<std::uint8_t>(1U << step.b % 8);
  slot_changed(slot);
}

/// Cells that are damaged at rest are firm, and wrong: a torn record does not come back through an erased
/// journal.
void Device::damage_journal(const Step& step) {
  make_firm(0, boot_test::kBothPartitions);
  const auto journal = part().window().first(boot_test::kBothPartitions);
  if (step.a % 3 == 0) std::ranges::fill(journal, std::uint8_t{0xFF});
  journal[boot_test::journal_byte(step.a * 61 % boot_test::kJournalBytes)] ^=
      static_cast<std::uint8_t>(1U << step.b % 8);
  journal_changed();
}

/// Somebody with the journal's format and without a key.
void Device::forge_journal(const Step& step) {
  if (!model().powered()) return;
  const Slot slot = step.a % 2 == 0 ? Slot::kA : Slot::kB;
  boot::image::Info info;
  if (peek(part(), slot, {kLoadAddress, kLoadMemory}, info) != boot::image::VerifyStatus::kOk) return;
  BootState state;
  const boot::ImageIdentity identity{.version = {},
                                     .security_counter = step.b % 4,
                                     .size = info.total_size,
                                     .digest = info.digest,
                                     .job_id = {}};
  if (step.b % 2 == 0) {
    state.committed_slot = slot;
    state.committed = identity;
  } else {
    state.staged_slot = slot;
    state.staged_state = static_cast<StagedState>(1 + step.b / 2 % 5);
    state.staged = identity;
  }
  static_cast<void>(change([&](const BootState&) { return state; }));
  journal_changed();
}

void Device::slot_changed(Slot slot) {
  const std::optional<JournalEntry> entry = oracle().journal();
  const bool matters = !entry || entry->committed_slot == slot || entry->committed_slot == Slot::kNone ||
                       (entry->staged_slot == slot && is(*entry, StagedState::kAccepted));
  if (!matters && !accepted_) return;
  approved_.reset();
  accepted_.reset();
}

void Device::journal_changed() {
  approved_.reset();
  accepted_.reset();
  trial_started_ = false;
  highest_counter_ = 0;  // from now on OTP alone knows
}

void Device::take(const Step& step) {
  story_ += "-- ";
  switch (step.what) {
    case Do::kReset:
      story_ += "reset\n";
      return boot();
    case Do::kPowerCycle:
      story_ += "power cycle\n";
      return power_cycle();
    case Do::kStage:
      story_ += "stage\n";
      return stage(catalog()[step.a % catalog().size()]);
    case Do::kReceivePart: {
      story_ += "receive part\n";
      const Bytes& image = catalog()[step.a % catalog().size()].bytes;
      static_cast<void>(receive(image, step.b % image.size()));
      return;
    }
    case Do::kAccept:
      story_ += "accept\n";
      return accept();
    case Do::kRefuse:
      story_ += "refuse\n";
      if (is_running())
        static_cast<void>(
            change([](const BootState& state) { return reject(state, boot::RejectReason::kRefused); }));
      return;
    case Do::kCutPower:
      story_ += "cut power\n";
      return cut_power(step);
    case Do::kFail:
      story_ += "fail\n";
      return fail(step);
    case Do::kForgetFailures:
      story_ += "no failures\n";
      model().forget_failures();
      has_failures_ = false;
      return;
    case Do::kDamageSlot:
      story_ += "damage slot\n";
      return damage_slot(step);
    case Do::kReplaceImage:
      story_ += "replace image\n";
      std::ranges::copy(catalog()[step.b % catalog().size()].bytes, slot_bytes(kSlots[step.a % 3]).begin());
      return slot_changed(kSlots[step.a % 3]);
    case Do::kDamageJournal:
      story_ += "damage journal\n";
      return damage_journal(step);
    case Do::kForgeJournal:
      story_ += "forge journal\n";
      return forge_journal(step);
  }
}

}  // namespace boot_test
