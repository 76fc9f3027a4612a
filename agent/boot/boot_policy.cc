#include "agent/boot/boot_policy.h"

#include <optional>

#include "agent/boot/admission.h"
#include "agent/boot/boot_control.h"
#include "agent/boot/key_revocation.h"
#include "agent/boot/security_counter.h"
#include "agent/boot/slots.h"
#include "pal_sim/flash/flash_map.h"

namespace boot {
namespace {

using crypto::Verdict;
using image::VerifyStatus;

image::LoadRegion load_region(const Environment& env) {
  return {env.load_address, static_cast<std::uint32_t>(env.load_memory.size())};
}

ImageIdentity identity_of(const image::Info& info) {
  return {.version = info.version,
          .security_counter = info.security_counter,
          .size = info.total_size,
          .digest = info.digest,
          .job_id = {}};
}

/// Of two images of which one was committed: whether it is rather `a`.
bool is_surer(const image::Info& a, const image::Info& b) {
  if (a.security_counter != b.security_counter) return a.security_counter < b.security_counter;
  return a.version <= b.version;
}

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
  std::optional<BootDecision> start_previous();
  std::optional<BootDecision> start_factory();
  std::optional<BootDecision> start_recovery();

  VerifyStatus load(Slot slot, image::Info& info);
  VerifyStatus load_to_memory(Slot slot, std::span<std::uint8_t>& copy);
  VerifyStatus load_on_record(Slot slot, const ImageIdentity& record, image::Info& info);
  bool commit(const image::Info& info);
  flash::Status burn(Slot slot, const image::Info& info);
  flash::Status check_burned(const image::Info& info);
  bool still_verifies(Slot slot, const image::Info& info) const;
  void finish_burns(Slot slot, const image::Info& info);
  void make_unbootable(Slot slot);
  void reject_staged(const BootState& rejected);
  bool record(const BootState& next, std::string_view what);
  bool lock_down(const BootDecision& decision);

  void report_control() const;
  void report_verified(Slot slot, VerifyStatus status, const image::Info& info) const;
  void report_failed(std::string_view what, flash::Status status) const;
  void report_halt(std::string_view reason) const;

  const Environment& env_;
  BootControl control_;
  VerifyStatus committed_status_ = VerifyStatus::kNoImage;
};

BootDecision Boot::run() {
  const flash::Status loaded = control_.load();
  if (loaded != flash::Status::kOk) {
    report_failed("read-control", loaded);
    report_halt("flash-does-not-answer");
    return {};
  }
  const flash::Status settled = control_.settle();
  if (settled != flash::Status::kOk) report_failed("settle-control", settled);
  report_control();

  std::optional<BootDecision> decision = start_staged();
  if (!decision) decision = start_committed();
  if (!decision) decision = start_previous();
  if (!decision) decision = start_factory();
  if (!decision) decision = start_recovery();
  if (!decision) {
    report_halt("no-image-may-start");
    return {};
  }
  if (!lock_down(*decision)) return {};
  return *decision;
}

std::optional<BootDecision> Boot::start_staged() {
  const StagedState state = control_.state().staged_state;
  if (state == StagedState::kAccepted) return start_accepted();
  if (state == StagedState::kVerified || state == StagedState::kTrial) return start_trial();
  return std::nullopt;
}

/// The image accepted itself: commit it. It runs even if the commit cannot be finished at this boot.
std::optional<BootDecision> Boot::start_accepted() {
  const Slot slot = control_.state().staged_slot;
  image::Info info;
  const VerifyStatus status = load_on_record(slot, control_.state().staged, info);
  if (status == VerifyStatus::kFlashError) return std::nullopt;  // says nothing about the image
  if (status != VerifyStatus::kOk) {
    reject_staged(*discard_accepted(control_.state()));
    return std::nullopt;
  }
  const ImageState state = commit(info) ? ImageState::kCommitted : ImageState::kAccepted;
  return BootDecision{.start = Verdict::kYes, .slot = slot, .image_state = state, .image = info};
}

std::optional<BootDecision> Boot::start_trial() {
  const Slot slot = control_.state().staged_slot;
  const std::optional<BootState> trial = boot::start_trial(control_.state());
  if (!trial) {
    reject_staged(*reject(control_.state(), RejectReason::kTrialFailed));
    return std::nullopt;
  }
  image::Info info;
  VerifyStatus status = load_on_record(slot, control_.state().staged, info);
  // Also if OTP could not be burned to the committed image's counter yet.
  if (status == VerifyStatus::kOk && info.security_counter < control_.state().committed.security_counter) {
    status = VerifyStatus::kCounterTooLow;
    report_verified(slot, status, info);
  }
  if (status == VerifyStatus::kFlashError) return std::nullopt;  // says nothing about the image
  if (status != VerifyStatus::kOk) {
    reject_staged(*reject(control_.state(), RejectReason::kBadImage));
    return std::nullopt;
  }
  // Recorded before the jump, or not started: else a crash could be repeated without end.
  if (!record(*trial, "record-trial")) return std::nullopt;
  return BootDecision{.start = Verdict::kYes,
                      .slot = slot,
                      .image_state = ImageState::kTrial,
                      .attempt = trial->attempts,
                      .image = info};
}

std::optional<BootDecision> Boot::start_committed() {
  const Slot slot = control_.state().committed_slot;
  if (slot == Slot::kNone) return std::nullopt;
  image::Info info;
  committed_status_ = load_on_record(slot, control_.state().committed, info);
  if (committed_status_ != VerifyStatus::kOk) return std::nullopt;
  finish_burns(slot, info);
  return BootDecision{.start = Verdict::kYes, .slot = slot, .image = info};
}

/// The image before the committed one, if the policy kept it. That it is the one is not on record; that it is
/// genuine, and not older than the floor, is checked as for any other.
std::optional<BootDecision> Boot::start_previous() {
  if (env_.previous_image != PreviousImage::kKeep) return std::nullopt;
  if (!fall_back(control_.state(), {})) return std::nullopt;
  const Slot slot = receive_slot(control_.state());
  image::Info info;
  if (load(slot, info) != VerifyStatus::kOk) return std::nullopt;
  // A committed image that could not be read may be readable at the next boot.
  if (committed_status_ != VerifyStatus::kFlashError)
    static_cast<void>(record(*fall_back(control_.state(), identity_of(info)), "record-fall-back"));
  return BootDecision{.start = Verdict::kYes, .slot = slot, .image = info};
}

/// No image is on record as committed: a new device, or one whose boot control was lost. A staged image is
/// not asked: its trial is over, or not due yet.
///
/// On a new device slot A comes first. One with burned fuses has had a committed image: its counter is the
/// floor, and an image above it was never accepted; of two that are not, the older one was. So the surest
/// image is started, and the recovery image rather than one that may never have been accepted.
std::optional<BootDecision> Boot::start_factory() {
  if (control_.state().committed_slot != Slot::kNone) return std::nullopt;
  std::uint32_t floor = 0;
  if (read_floor(env_.flash, image::Kind::kApplication, floor) != flash::Status::kOk) return std::nullopt;
  std::optional<BootDecision> best;
  Slot loaded = Slot::kNone;
  for (const Slot slot : {Slot::kA, Slot::kB}) {
    if (best && floor == 0) break;
    if (slot == control_.state().staged_slot) continue;
    image::Info info;
    loaded = slot;  // also an image that is refused stands in load memory
    if (load(slot, info) != VerifyStatus::kOk) continue;
    if (best && is_surer(best->image, info)) continue;
    best = BootDecision{.start = Verdict::kYes, .slot = slot, .image = info};
  }
  if (!best) return std::nullopt;
  if (floor != 0 && best->image.security_counter > floor) {
    if (const auto recovery = start_recovery()) return recovery;
    loaded = Slot::kRecovery;
  }
  if (best->slot != loaded && load(best->slot, best->image) != VerifyStatus::kOk) return std::nullopt;
  if (record(*commit_factory(control_.state(), best->slot, identity_of(best->image)), "record-first-image"))
    finish_burns(best->slot, best->image);
  return best;
}

/// The recovery image raises its own floor when it starts: an older one never starts after it.
std::optional<BootDecision> Boot::start_recovery() {
  image::Info info;
  if (load(Slot::kRecovery, info) != VerifyStatus::kOk) return std::nullopt;
  const flash::Status burned = still_verifies(Slot::kRecovery, info)
                                   ? burn_floor(env_.flash, image::Kind::kRecovery, info.security_counter)
                                   : flash::Status::kBadCommand;
  if (burned != flash::Status::kOk) report_failed("burn-recovery-counter", burned);
  return BootDecision{
      .start = Verdict::kYes, .slot = Slot::kRecovery, .image_state = ImageState::kRecovery, .image = info};
}

VerifyStatus Boot::load(Slot slot, image::Info& info) {
  std::span<std::uint8_t> copy;
  VerifyStatus status = load_to_memory(slot, copy);
  if (status == VerifyStatus::kOk) status = judge(env_, slot, copy, info);
  report_verified(slot, status, info);
  return status;
}

/// Copies the slot's image to load memory, and opens it there if it is encrypted. What is checked is what
/// runs.
VerifyStatus Boot::load_to_memory(Slot slot, std::span<std::uint8_t>& copy) {
  image::Info announced;
  const VerifyStatus status = image::peek(env_.flash, slot, load_region(env_), announced);
  if (status != VerifyStatus::kOk) return status;
  copy = env_.load_memory.first(announced.total_size);
  if (env_.flash.read(slot_partition(slot)->offset, copy) != flash::Status::kOk)
    return VerifyStatus::kFlashError;
  return image::decrypt(copy, load_region(env_), env_.decryption_key);
}

VerifyStatus Boot::load_on_record(Slot slot, const ImageIdentity& record, image::Info& info) {
  const VerifyStatus status = load(slot, info);
  if (status != VerifyStatus::kOk) return status;
  if (info.digest == record.digest) return VerifyStatus::kOk;
  report_verified(slot, VerifyStatus::kNotOnRecord, info);
  return VerifyStatus::kNotOnRecord;
}

/// Burns the floor and the revocations, makes the old slot unbootable, and promotes, in this order: until the
/// last step is durable the state stays `accepted` and the next boot does all of it again.
bool Boot::commit(const image::Info& info) {
  const BootState& state = control_.state();
  if (!control_.is_settled()) {
    ConsoleLine("commit")
        .field("result", "put-off")
        .field("reason", "acceptance-not-durable")
        .send(env_.console);
    return false;
  }
  const flash::Status burned = burn(state.staged_slot, info);
  if (burned != flash::Status::kOk) {
    report_failed("burn-counter", burned);
    return false;
  }
  if (env_.previous_image == PreviousImage::kErase) make_unbootable(state.committed_slot);
  if (!record(*promote(state), "record-commit")) return false;
  ConsoleLine("commit")
      .field("slot", slot_name(state.committed_slot))
      .field("version", info.version)
      .field("counter", info.security_counter)
      .field("result", "ok")
      .send(env_.console);
  return true;
}

/// Burns what a committed image asks of OTP. What counts is what OTP reads afterwards: a part may say that it
/// did and not have done it, or say that it failed at bits that are 0 already.
/// @returns kOk if it holds all of it; kBadCommand if the image does not verify any more
flash::Status Boot::burn(Slot slot, const image::Info& info) {
  if (!still_verifies(slot, info)) return flash::Status::kBadCommand;
  const flash::Status floor_burned = burn_floor(env_.flash, image::Kind::kApplication, info.security_counter);
  const flash::Status revoked_burned = burn_revoked(env_.flash, info.revoked_keys);
  const flash::Status held = check_burned(info);
  if (held == flash::Status::kOk) return held;
  if (floor_burned != flash::Status::kOk) return floor_burned;
  return revoked_burned != flash::Status::kOk ? revoked_burned : held;
}

/// Burns are for good: one skipped branch must not be enough for an image that nobody signed to ask for one.
bool Boot::still_verifies(Slot slot, const image::Info& info) const {
  image::Info again;
  return judge(env_, slot, env_.load_memory.first(info.total_size), again) == VerifyStatus::kOk &&
         again.digest == info.digest;
}

/// @returns kOk, kProgramFailed if OTP holds less than the image asks for, or what otp_read returns
flash::Status Boot::check_burned(const image::Info& info) {
  constexpr std::uint32_t kAllSigners = (1U << kMaxSigners) - 1;
  std::uint32_t floor = 0;
  std::uint32_t revoked = 0;
  flash::Status status = read_floor(env_.flash, image::Kind::kApplication, floor);
  if (status == flash::Status::kOk) status = read_revoked(env_.flash, revoked);
  if (status != flash::Status::kOk) return status;
  const bool is_done = floor >= info.security_counter && (info.revoked_keys & kAllSigners & ~revoked) == 0;
  return is_done ? flash::Status::kOk : flash::Status::kProgramFailed;
}

/// Does what a commit burns, if a cut left it undone or the factory could not do it. Only for an image whose
/// commit is durable.
void Boot::finish_burns(Slot slot, const image::Info& info) {
  if (!control_.is_settled()) return;
  flash::Status status = check_burned(info);
  if (status == flash::Status::kProgramFailed) status = burn(slot, info);
  if (status != flash::Status::kOk) report_failed("burn-counter", status);
}

/// Erases the slot's header. A slot that cannot be erased is still not on record, so the commit goes on.
void Boot::make_unbootable(Slot slot) {
  const flash::Partition* partition = slot_partition(slot);
  if (partition == nullptr) return;
  const flash::Status status = env_.flash.erase_sector(partition->offset);
  if (status != flash::Status::kOk) report_failed("erase-old-image", status);
}

void Boot::reject_staged(const BootState& rejected) {
  static_cast<void>(record(rejected, "record-rejection"));
  ConsoleLine("reject")
      .field("slot", slot_name(control_.state().staged_slot))
      .field("reason", to_string(rejected.reject_reason))
      .field("back-to", slot_name(control_.state().committed_slot))
      .send(env_.console);
}

bool Boot::record(const BootState& next, std::string_view what) {
  const flash::Status status = control_.append(next);
  if (status == flash::Status::kOk) return true;
  report_failed(what, status);
  return false;
}

/// Nothing may be received while a trial or a commit is open, so both slots are locked then. During a trial
/// the record of it is locked as well: an image that erases it by mistake would be tried again and again.
/// What the image has to say goes to the journal's other sector. The calendar outlives the trial: a floor
/// that an image on trial raises beyond all certificates would keep every image after it off the network.
///
/// A part without locks cannot do any of it, and no image would ever start: the policy goes on, and says so.
/// Which part it is, the board's driver knows; nothing in flash can make it look like the other.
bool Boot::lock_down(const BootDecision& decision) {
  if (!env_.flash.geometry().has_locks) {
    ConsoleLine("unlocked").field("reason", "part-has-no-locks").send(env_.console);
    return true;
  }
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
  if (staged == StagedState::kTrial) {
    lock(control_.in_force_partition().offset, control_.in_force_partition().size);
    lock(flash::kCalendar0.offset, flash::kCalendar1.end() - flash::kCalendar0.offset);
  }
  if (status == flash::Status::kOk) return true;
  report_failed("lock", status);
  report_halt("application-would-run-unlocked");
  return false;
}

void Boot::report_control() const {
  const BootState& state = control_.state();
  ConsoleLine line("control");
  line.field("record", !control_.has_record() ? "none" : (control_.is_settled() ? "settled" : "unsettled"))
      .field("committed", slot_name(state.committed_slot))
      .field("staged", slot_name(state.staged_slot))
      .field("state", to_string(state.staged_state));
  if (state.staged_state == StagedState::kTrial) line.field("attempts", state.attempts);
  line.send(env_.console);
}

void Boot::report_verified(Slot slot, VerifyStatus status, const image::Info& info) const {
  ConsoleLine line("verify");
  line.field("slot", slot_name(slot));
  if (status == VerifyStatus::kOk) {
    line.field("version", info.version).field("counter", info.security_counter).field("result", "ok");
  } else {
    line.field("result", image::to_string(status)).field("code", static_cast<std::uint32_t>(status));
  }
  line.send(env_.console);
}

void Boot::report_failed(std::string_view what, flash::Status status) const {
  ConsoleLine("failure")
      .field("step", what)
      .field("flash", to_string(status))
      .field("code", static_cast<std::uint32_t>(status))
      .send(env_.console);
}

void Boot::report_halt(std::string_view reason) const {
  ConsoleLine("halt").field("reason", reason).send(env_.console);
}

}  // namespace

VerifyStatus judge(const Environment& environment, Slot slot, std::span<const std::uint8_t> copy,
                   image::Info& info) {
  image::Trust trust{environment.signers, 0};
  if (read_revoked(environment.flash, trust.revoked) != flash::Status::kOk) return VerifyStatus::kFlashError;
  const VerifyStatus status = image::verify(copy, trust, load_region(environment), info);
  return status == VerifyStatus::kOk ? check_admission(environment.flash, slot, info) : status;
}

BootDecision decide(const Environment& environment) {
  return Boot(environment).run();
}

Verdict confirm(const Environment& environment, const BootDecision& decision) {
  const std::uint32_t size = decision.image.total_size;
  if (size > environment.load_memory.size()) return Verdict::kNo;
  image::Info info;
  const VerifyStatus status = judge(environment, decision.slot, environment.load_memory.first(size), info);
  if (status != VerifyStatus::kOk) return Verdict::kNo;
  if (!crypto::equal_constant_time(info.digest, decision.image.digest)) return Verdict::kNo;
  return decision.start;
}

void report_start(const BootDecision& decision, const Console& console) {
  ConsoleLine line("start");
  line.field("slot", slot_name(decision.slot))
      .field("version", decision.image.version)
      .field("state", to_string(decision.image_state));
  if (decision.is_trial()) {
    line.field("attempt", decision.attempt)
        .field("of", kMaxTrialAttempts)
        .field("deadline-ms", kTrialDeadlineMs);
  }
  line.send(console);
}

}  // namespace boot
