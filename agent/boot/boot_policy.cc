#include "agent/boot/boot_policy.h"

#include <optional>

#include "agent/boot/boot_control.h"
#include "agent/boot/security_counter.h"
#include "agent/boot/slots.h"
#include "pal_sim/flash/flash_map.h"

namespace boot {
namespace {

using image::VerifyStatus;

/// One boot's work; its steps share boot control and the console.
class Boot {
 public:
  explicit Boot(const Environment& environment) : env_(environment), control_(environment.flash) {}

  BootDecision run();

 private:
  std::optional<BootDecision> start_staged();
  std::optional<BootDecision> start_accepted();
  std::optional<BootDecision> start_trial();
  std::optional<BootDecision> start_committed();
  std::optional<BootDecision> start_factory();
  std::optional<BootDecision> start_recovery();

  VerifyStatus load(Slot slot, image::Info& info);
  VerifyStatus load_on_record(Slot slot, const ImageIdentity& record, image::Info& info);
  void commit(const image::Info& info);
  void raise_floor(const image::Info& info);
  void make_unbootable(Slot slot);
  bool record(const std::optional<BootState>& next, std::string_view what);
  bool lock_down(const BootDecision& decision);

  ConsoleLine line(std::string_view start) const { return ConsoleLine().text("boot: ").text(start); }
  ConsoleLine slot_line(Slot slot) const { return line("slot ").text(slot_name(slot)); }
  void say_failed(std::string_view what, flash::Status status) const {
    line(what).text(" failed: ").text(to_string(status)).send(env_.console);
  }
  void say_rejected(Slot slot, std::string_view reason) const;

  const Environment& env_;
  BootControl control_;
};

BootDecision Boot::run() {
  const flash::Status loaded = control_.load();
  if (loaded != flash::Status::kOk) {
    say_failed("reading boot control", loaded);
    line("halted: the flash part does not answer").send(env_.console);
    return {};
  }
  const flash::Status settled = control_.settle();
  if (settled != flash::Status::kOk) say_failed("settling boot control", settled);

  std::optional<BootDecision> decision;
  if (control_.has_record()) {
    decision = start_staged();
    if (!decision) decision = start_committed();
  } else {
    decision = start_factory();
  }
  if (!decision) decision = start_recovery();
  if (!decision) {
    line("halted: no image may be started; write a signed image to slot A or to the recovery slot")
        .send(env_.console);
    return {};
  }
  return lock_down(*decision) ? *decision : BootDecision{};
}

std::optional<BootDecision> Boot::start_staged() {
  switch (control_.state().staged_state) {
    case StagedState::kAccepted:
      return start_accepted();
    case StagedState::kVerified:
    case StagedState::kTrial:
      return start_trial();
    case StagedState::kEmpty:
    case StagedState::kReceiving:
    case StagedState::kRejected:
      break;
  }
  return std::nullopt;
}

/// The image accepted itself: commit it. It runs even if the commit cannot be finished at this boot.
std::optional<BootDecision> Boot::start_accepted() {
  const Slot slot = control_.state().staged_slot;
  image::Info info;
  const VerifyStatus status = load_on_record(slot, control_.state().staged, info);
  if (status != VerifyStatus::kOk) {
    record(discard_accepted(control_.state()), "recording the rejection");
    say_rejected(slot, to_string(status));
    return std::nullopt;
  }
  commit(info);
  slot_line(slot).text(" ").version(info.version).text(" verified, starting").send(env_.console);
  return BootDecision{.start = true, .slot = slot, .is_trial = false, .image = info};
}

std::optional<BootDecision> Boot::start_trial() {
  const Slot slot = control_.state().staged_slot;
  const std::optional<BootState> trial = boot::start_trial(control_.state());
  if (!trial) {
    record(reject(control_.state(), RejectReason::kTrialFailed), "recording the rejection");
    say_rejected(slot, "not accepted in its trial");
    return std::nullopt;
  }
  image::Info info;
  const VerifyStatus status = load_on_record(slot, control_.state().staged, info);
  if (status != VerifyStatus::kOk) {
    record(reject(control_.state(), RejectReason::kBadImage), "recording the rejection");
    say_rejected(slot, to_string(status));
    return std::nullopt;
  }
  // Recorded before the jump, or not started: else a crash could be repeated without end.
  if (!record(trial, "recording the trial")) return std::nullopt;
  slot_line(slot)
      .text(" ")
      .version(info.version)
      .text(" on trial (attempt ")
      .number(trial->attempts)
      .text(" of ")
      .number(kMaxTrialAttempts)
      .text(")")
      .send(env_.console);
  return BootDecision{.start = true, .slot = slot, .is_trial = true, .image = info};
}

std::optional<BootDecision> Boot::start_committed() {
  const Slot slot = control_.state().committed_slot;
  if (slot == Slot::kNone) return std::nullopt;
  image::Info info;
  const VerifyStatus status = load_on_record(slot, control_.state().committed, info);
  if (status != VerifyStatus::kOk) {
    slot_line(slot).text(" cannot start: ").text(to_string(status)).send(env_.console);
    return std::nullopt;
  }
  raise_floor(info);
  slot_line(slot).text(" ").version(info.version).text(" verified, starting").send(env_.console);
  return BootDecision{.start = true, .slot = slot, .is_trial = false, .image = info};
}

/// Nothing is on record: a new device, or one whose boot control was lost. Any signed image that is not below
/// the floor is better than none.
std::optional<BootDecision> Boot::start_factory() {
  for (const Slot slot : {Slot::kA, Slot::kB}) {
    image::Info info;
    const VerifyStatus status = load(slot, info);
    if (status != VerifyStatus::kOk) {
      slot_line(slot).text(" cannot start: ").text(to_string(status)).send(env_.console);
      continue;
    }
    const ImageIdentity identity{.version = info.version,
                                 .security_counter = info.security_counter,
                                 .size = info.total_size,
                                 .digest = info.digest,
                                 .job_id = {}};
    if (record(commit_factory(control_.state(), slot, identity), "recording the first image"))
      raise_floor(info);
    slot_line(slot)
        .text(" ")
        .version(info.version)
        .text(" verified, starting for the first time")
        .send(env_.console);
    return BootDecision{.start = true, .slot = slot, .is_trial = false, .image = info};
  }
  return std::nullopt;
}

std::optional<BootDecision> Boot::start_recovery() {
  image::Info info;
  const VerifyStatus status = load(Slot::kRecovery, info);
  if (status != VerifyStatus::kOk) {
    slot_line(Slot::kRecovery).text(" cannot start: ").text(to_string(status)).send(env_.console);
    return std::nullopt;
  }
  line("no application may be started; recovery image ")
      .version(info.version)
      .text(" verified, starting")
      .send(env_.console);
  return BootDecision{.start = true, .slot = Slot::kRecovery, .is_trial = false, .image = info};
}

/// Copies the slot's image to load memory and verifies the copy. What is checked is what runs.
VerifyStatus Boot::load(Slot slot, image::Info& info) {
  const flash::Partition* partition = slot_partition(slot);
  if (partition == nullptr) return VerifyStatus::kNoImage;
  image::Info announced;
  VerifyStatus status = image::peek(env_.flash, slot, announced);
  if (status != VerifyStatus::kOk) return status;
  if (announced.total_size > env_.load_memory.size()) return VerifyStatus::kBadSize;
  const auto copy = env_.load_memory.first(announced.total_size);
  if (env_.flash.read(partition->offset, copy) != flash::Status::kOk) return VerifyStatus::kFlashError;

  const image::LoadRegion region{env_.load_address, static_cast<std::uint32_t>(env_.load_memory.size())};
  status = image::verify(copy, env_.keys, region, info);
  if (status != VerifyStatus::kOk) return status;

  const image::Kind kind = slot == Slot::kRecovery ? image::Kind::kRecovery : image::Kind::kApplication;
  if (info.kind != kind) return VerifyStatus::kWrongKind;
  std::uint32_t floor = 0;
  if (read_floor(env_.flash, kind, floor) != flash::Status::kOk) return VerifyStatus::kFlashError;
  if (info.security_counter < floor) return VerifyStatus::kCounterTooLow;
  if (info.security_counter > kMaxSecurityCounter) return VerifyStatus::kCounterTooHigh;
  return VerifyStatus::kOk;
}

VerifyStatus Boot::load_on_record(Slot slot, const ImageIdentity& record, image::Info& info) {
  const VerifyStatus status = load(slot, info);
  if (status != VerifyStatus::kOk) return status;
  return info.digest == record.digest ? VerifyStatus::kOk : VerifyStatus::kNotOnRecord;
}

/// Burns the floor, makes the old slot unbootable, and promotes, in this order: until the last step is
/// durable the state stays `accepted` and the next boot does all of it again.
void Boot::commit(const image::Info& info) {
  const BootState& state = control_.state();
  if (!control_.is_settled()) {
    line("commit put off: the acceptance is not durable yet").send(env_.console);
    return;
  }
  const flash::Status burned = burn_floor(env_.flash, image::Kind::kApplication, info.security_counter);
  if (burned != flash::Status::kOk) {
    say_failed("burning the security counter", burned);
    return;
  }
  make_unbootable(state.committed_slot);
  if (!record(promote(state), "recording the commit")) return;
  slot_line(state.committed_slot).text(" ").version(info.version).text(" committed").send(env_.console);
}

/// Finishes a burn that a cut left undone. Only for an image whose commit is durable.
void Boot::raise_floor(const image::Info& info) {
  if (!control_.is_settled()) return;
  std::uint32_t floor = 0;
  flash::Status status = read_floor(env_.flash, image::Kind::kApplication, floor);
  if (status == flash::Status::kOk && floor < info.security_counter) {
    status = burn_floor(env_.flash, image::Kind::kApplication, info.security_counter);
  }
  if (status != flash::Status::kOk) say_failed("burning the security counter", status);
}

/// Erases the slot's header. A slot that cannot be erased is still not on record, so the commit goes on.
void Boot::make_unbootable(Slot slot) {
  const flash::Partition* partition = slot_partition(slot);
  if (partition == nullptr) return;
  const flash::Status status = env_.flash.erase_sector(partition->offset);
  if (status != flash::Status::kOk) say_failed("erasing the old image", status);
}

bool Boot::record(const std::optional<BootState>& next, std::string_view what) {
  const flash::Status status = next ? control_.append(*next) : flash::Status::kOutOfRange;
  if (status == flash::Status::kOk) return true;
  say_failed(what, status);
  return false;
}

/// Nothing may be received while a trial or a commit is open, so both slots are locked then.
bool Boot::lock_down(const BootDecision& decision) {
  const StagedState staged = control_.state().staged_state;
  const bool both_slots = staged == StagedState::kTrial || staged == StagedState::kAccepted;
  flash::Status status = env_.flash.otp_lock();
  const auto lock = [&](std::uint32_t offset, std::uint32_t length) {
    if (status == flash::Status::kOk) status = env_.flash.lock(offset, length);
  };
  lock(flash::kProvisioning0.offset, flash::kProvisioning1.end() - flash::kProvisioning0.offset);
  lock(flash::kRecovery.offset, flash::kRecovery.size);
  for (const Slot slot : {Slot::kA, Slot::kB}) {
    if (both_slots || decision.slot == slot) lock(slot_partition(slot)->offset, slot_partition(slot)->size);
  }
  if (status == flash::Status::kOk) return true;
  say_failed("locking flash", status);
  line("halted: the application would run unlocked").send(env_.console);
  return false;
}

void Boot::say_rejected(Slot slot, std::string_view reason) const {
  slot_line(slot)
      .text(" rejected: ")
      .text(reason)
      .text("; back to slot ")
      .text(slot_name(control_.state().committed_slot))
      .send(env_.console);
}

}  // namespace

BootDecision decide(const Environment& environment) {
  return Boot(environment).run();
}

}  // namespace boot
