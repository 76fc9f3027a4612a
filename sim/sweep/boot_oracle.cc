#include "sim/sweep/boot_oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/boot/key_revocation.h"
#include "agent/boot/security_counter.h"
#include "agent/boot/slots.h"
#include "pal_sim/flash/flash_map.h"
#include "sim/flash/flash_history.h"
#include "sim/sweep/boot_transcript.h"

namespace otasim::sweep {
namespace {

using boot::Slot;
using boot::StagedState;

constexpr std::uint8_t kErased = 0xFF;

/// Of the OTP bank.
bool otp_differs(flash::ConstWindow before, flash::ConstWindow after, std::uint32_t offset,
                 std::uint32_t size) {
  const auto bytes_of = [&](flash::ConstWindow window) {
    return window.subspan(flash::kOtpOffset + offset, size);
  };
  return !std::ranges::equal(bytes_of(before), bytes_of(after));
}

Slot slot_named(std::string_view name) {
  for (const Slot slot : {Slot::kA, Slot::kB, Slot::kRecovery}) {
    if (boot::slot_name(slot) == name) return slot;
  }
  return Slot::kNone;
}

bool is_program(flash::OpKind kind) {
  return kind == flash::OpKind::kProgram || kind == flash::OpKind::kOtpProgram;
}

bool is_lock(flash::OpKind kind) {
  return kind == flash::OpKind::kLock || kind == flash::OpKind::kOtpLock;
}

bool is_boot_control(const flash::LoggedOperation& operation) {
  if (operation.kind == flash::OpKind::kOtpProgram) return false;  // its offset counts from the bank's start
  return flash::kBootControl0.contains(operation.offset, operation.length) ||
         flash::kBootControl1.contains(operation.offset, operation.length);
}

bool may_change(const flash::LoggedOperation& operation) {
  if (operation.kind == flash::OpKind::kOtpProgram || is_boot_control(operation)) return true;
  if (operation.kind != flash::OpKind::kEraseSector) return false;
  return operation.offset == flash::kSlotA.offset || operation.offset == flash::kSlotB.offset;
}

/// The staged image will not be started (again).
bool is_spent(const boot::BootState& state) {
  if (state.staged_state == StagedState::kRejected) return true;
  return state.staged_state == StagedState::kTrial && state.attempts >= boot::kMaxTrialAttempts;
}

std::optional<Digest> digest_of(const image::Info& info) {
  if (!info.sha256 || info.sha256->size() != Digest{}.size()) return std::nullopt;
  Digest digest{};
  std::ranges::copy(*info.sha256, digest.begin());
  return digest;
}

std::string short_name(const std::optional<Digest>& digest) {
  return digest ? crypto::hex(std::span(*digest).first(4)) : "none";
}

}  // namespace

BootOracle::BootOracle(const crypto::P256Key& key, const flash::Geometry& part)
    : verifier_(key),
      part_(part),
      verify_([this](std::span<const std::uint8_t> bytes) { return verifier_.verify(bytes); }) {}

template <typename... Args>
void BootOracle::complain(fmt::format_string<Args...> format, Args&&... args) {
  violations_.push_back(fmt::format(format, std::forward<Args>(args)...));
}

Result<scenario::ApprovedImage> BootOracle::approved(flash::ConstWindow window) {
  return scenario::approved_image(window, verify_);
}

/// An image that accepted itself and does not verify is given up for the committed one.
Result<scenario::ApprovedImage> BootOracle::approved_by(const boot::BootState& state,
                                                        flash::ConstWindow window) {
  auto image = scenario::approved_image(state, window, verify_);
  if (image || state.staged_state != StagedState::kAccepted) return image;
  boot::BootState without = state;
  without.staged_state = StagedState::kRejected;
  return scenario::approved_image(without, window, verify_);
}

/// On a device that has no record yet slot A comes first.
std::optional<Digest> BootOracle::factory_image(flash::ConstWindow window) {
  for (const flash::Partition* slot : {&flash::kSlotA, &flash::kSlotB}) {
    const auto& verified = verifier_.verify(window.subspan(slot->offset, slot->size));
    if (verified) return digest_of(*verified);
  }
  return std::nullopt;
}

Standing BootOracle::standing(flash::ConstWindow window) {
  Standing standing;
  const auto record = scenario::state_in_force(window);
  const auto add = [&](const std::optional<boot::BootState>& state) {
    if (!state) return static_cast<void>(standing.may_be_approved.insert(factory_image(window)));
    const auto image = approved_by(*state, window);
    standing.may_be_approved.insert(image ? digest_of(image->info) : std::nullopt);
  };
  add(record ? std::optional(record->state) : std::nullopt);
  if (record && !record->is_settled) add(scenario::last_settled_state(window));
  // What is not settled may be gone at the next boot; nothing was started upon it.
  if (record && record->is_settled && is_spent(record->state)) standing.tried = record->state.staged.digest;
  return standing;
}

void BootOracle::begin(const Standing& before, const Standing& after) {
  Case begun{.may_be_approved = before.may_be_approved};
  begun.may_be_approved.insert(after.may_be_approved.begin(), after.may_be_approved.end());
  if (before.tried && before.tried == after.tried) begun.may_not_be_tried.insert(*before.tried);
  resume(begun);
}

void BootOracle::resume(const Case& known) {
  case_ = known;
  violations_.clear();
  boots_ = 0;
  last_.reset();
}

void BootOracle::judge(const Boot& boot, flash::ConstWindow before, flash::ConstWindow after) {
  ++boots_;
  if (const auto record = scenario::state_in_force(before);
      record && record->state.committed_slot != Slot::kNone)
    case_.highest_committed = std::max(case_.highest_committed, record->state.committed.security_counter);
  if (boot.has_written_rom) complain("S6: boot {}: this boot or one before has written the boot ROM", boots_);
  judge_operations(boot, before);
  judge_floor(after);
  judge_recovery_floor(boot, before, after);
  judge_revocations(before, after);
  judge_starts_before_reset(boot, after);
  last_ = started_image(boot, after);
  if (!last_) return;
  judge_start(*last_, boot, after);
  judge_locks(*last_, boot);
}

/// A device that resets itself has begun anew: of what it had started before, only the attempt counts. Its
/// slot may have been erased since.
void BootOracle::judge_starts_before_reset(const Boot& boot, flash::ConstWindow after) {
  const std::string* const last = last_start(boot.lines);
  for (const std::string& line : boot.lines) {
    if (&line == last || !is_start(line) || report_field(line, " state=") != "trial") continue;
    const flash::Partition* const partition = boot::slot_partition(slot_named(report_field(line, " slot=")));
    if (partition == nullptr) continue;
    const auto& verified = verifier_.verify(after.subspan(partition->offset, partition->size));
    if (const auto digest = verified ? digest_of(*verified) : std::nullopt) judge_attempt(*digest);
  }
}

/// The image that the boot report names last, as the host finds it in flash.
std::optional<BootOracle::Started> BootOracle::started_image(const Boot& boot, flash::ConstWindow after) {
  const std::string* const line = last_start(boot.lines);
  if (line == nullptr) {
    if (boot.reached_application)
      complain("S2: boot {}: something runs, and the boot report does not say what", boots_);
    return std::nullopt;
  }
  Started started{.slot = slot_named(report_field(*line, " slot=")),
                  .state = std::string(report_field(*line, " state="))};
  const flash::Partition* const partition = boot::slot_partition(started.slot);
  if (partition == nullptr) {
    complain("S2: boot {}: an image of no slot has started: {}", boots_, *line);
    return std::nullopt;
  }
  const auto& verified = verifier_.verify(after.subspan(partition->offset, partition->size));
  if (!verified) {
    complain("S2: boot {}: slot {} has started, whose bytes do not verify: {}", boots_,
             boot::slot_name(started.slot), verified.error().message);
    return std::nullopt;
  }
  started.digest = digest_of(*verified).value_or(Digest{});
  started.counter = verified->security_counter.value_or(0);
  const auto kind = verified->kind.value_or(0);
  const auto wanted =
      started.slot == Slot::kRecovery ? boot::image::Kind::kRecovery : boot::image::Kind::kApplication;
  if (kind != static_cast<std::uint32_t>(wanted))
    complain("S2: boot {}: slot {} has started with an image of another kind", boots_,
             boot::slot_name(started.slot));
  const auto bytes = after.subspan(partition->offset, verified->total_size);
  if (!boot.loaded.empty() && !verified->is_encrypted() && !std::ranges::equal(boot.loaded, bytes))
    complain("S2: boot {}: what runs is not what slot {} holds", boots_, boot::slot_name(started.slot));
  return started;
}

void BootOracle::judge_start(const Started& started, const Boot& boot, flash::ConstWindow after) {
  if (!boot.reached_application) complain("S1: boot {}: an image was started and said nothing", boots_);
  if (started.slot == Slot::kRecovery) return;
  const std::uint32_t floor = scenario::application_floor(after);
  if (started.counter < std::max(floor, case_.highest_committed)) {
    complain("S3: boot {}: an image with security counter {} has started, OTP says {}", boots_,
             started.counter, std::max(floor, case_.highest_committed));
  }
  if (started.state == "trial") judge_trial(started, after);
}

void BootOracle::judge_attempt(const Digest& image) {
  if (!case_.may_not_be_tried.insert(image).second)
    complain("S1: boot {}: an image on trial has started more often than {} time", boots_,
             boot::kMaxTrialAttempts);
}

void BootOracle::judge_trial(const Started& started, flash::ConstWindow after) {
  judge_attempt(started.digest);
  const auto record = scenario::state_in_force(after);
  if (!record || !record->is_settled || !is_spent(record->state) ||
      record->state.staged_slot != started.slot || record->state.staged.digest != started.digest) {
    complain("S1: boot {}: an image has started on trial, and its attempt is not on record", boots_);
  }
}

void BootOracle::judge_operations(const Boot& boot, flash::ConstWindow before) {
  std::size_t changes = 0;
  std::vector<std::uint8_t> control;  // as this boot has changed it so far; made when it does
  for (const flash::LoggedOperation& operation : boot.operations) {
    if (is_lock(operation.kind) || operation.applied == 0) continue;
    ++changes;
    if (!may_change(operation)) {
      complain("S5: boot {}: the bootloader has changed flash at {:#x}", boots_, operation.offset);
      continue;
    }
    if (!is_boot_control(operation)) continue;
    if (control.empty()) control.assign(before.begin(), before.begin() + flash::kBootControl1.end());
    const std::size_t size = std::min<std::size_t>(operation.applied, operation.data.size());
    for (std::size_t i = 0; is_program(operation.kind) && i < size; ++i) {
      const std::uint8_t held = control[operation.offset + i];
      if (held == kErased || operation.data[i] == kErased || operation.data[i] == held) continue;
      complain("S5: boot {}: the bootloader has programmed {:#x}, which was not erased", boots_,
               operation.offset + i);
      break;
    }
    flash_file::apply_logged(operation, control);
  }
  if (changes > kMaxChangesPerBoot)
    complain("S5: boot {}: the bootloader has changed flash {} times", boots_, changes);
}

void BootOracle::judge_locks(const Started& started, const Boot& boot) {
  if (!part_.has_locks) return;
  const auto is_locked = [&](const flash::Partition& wanted) {
    return std::ranges::any_of(boot.operations, [&](const flash::LoggedOperation& operation) {
      return operation.kind == flash::OpKind::kLock && operation.status == flash::Status::kOk &&
             operation.offset <= wanted.offset && wanted.end() - operation.offset <= operation.length;
    });
  };
  const bool otp_locked = std::ranges::any_of(boot.operations, [](const flash::LoggedOperation& operation) {
    return operation.kind == flash::OpKind::kOtpLock && operation.status == flash::Status::kOk;
  });
  if (!otp_locked) complain("S6: boot {}: OTP is not locked", boots_);
  for (const flash::Partition* wanted : {&flash::kProvisioning0, &flash::kProvisioning1, &flash::kRecovery,
                                         boot::slot_partition(started.slot)}) {
    if (!is_locked(*wanted)) complain("S6: boot {}: {} is not locked", boots_, wanted->name);
  }
}

/// A floor above the approved image would keep it from starting for ever.
void BootOracle::judge_floor(flash::ConstWindow after) {
  const auto image = approved(after);
  if (!image) return;
  const std::uint32_t floor = scenario::application_floor(after);
  const std::uint32_t counter = image->info.security_counter.value_or(0);
  if (floor > counter)
    complain("S3: boot {}: OTP is burned to {}, and the approved image has {}", boots_, floor, counter);
}

/// A recovery image below its floor never starts again, and nothing can be put in its place. What a cut left
/// marginal reads the same from a boot's beginning to its end, so whatever differs was burned in it.
void BootOracle::judge_recovery_floor(const Boot& boot, flash::ConstWindow before, flash::ConstWindow after) {
  if (!otp_differs(before, after, boot::kFloorBankSize, boot::kFloorBankSize)) return;
  const bool has_started = std::ranges::any_of(boot.lines, [](const std::string& line) {
    return is_start(line) && slot_named(report_field(line, " slot=")) == Slot::kRecovery;
  });
  if (!has_started) {
    complain("S3: boot {}: the floor of recovery images is burned, and none has started", boots_);
    return;
  }
  const auto& image = verifier_.verify(after.subspan(flash::kRecovery.offset, flash::kRecovery.size));
  const std::uint32_t counter = image ? image->security_counter.value_or(0) : 0;
  const std::uint32_t floor = scenario::recovery_floor(after);
  if (floor > std::max(counter, scenario::recovery_floor(before))) {
    complain("S3: boot {}: OTP is burned to {} for recovery images, and the one that there is has {}", boots_,
             floor, counter);
  }
}

/// A signer that is revoked without need is lost to the device for good.
void BootOracle::judge_revocations(flash::ConstWindow before, flash::ConstWindow after) {
  constexpr std::uint32_t kSignerSize = boot::kRevocationSize / boot::kMaxSigners;
  constexpr std::uint32_t kUsed = boot::kRevocationOffset + boot::kRevocationSize;
  if (!otp_differs(before, after, boot::kRevocationOffset, flash::kOtpSize - boot::kRevocationOffset)) return;
  if (otp_differs(before, after, kUsed, flash::kOtpSize - kUsed))
    complain("S5: boot {}: the bootloader has burned OTP that nothing is kept in", boots_);
  const auto record = scenario::state_in_force(after);
  const auto image = record ? approved_by(record->state, after) : approved(after);
  const std::uint32_t asked_for = image ? image->info.revoked_keys.value_or(0) : 0;
  for (std::uint32_t signer = 0; signer < boot::kMaxSigners; ++signer) {
    const bool is_asked_for = (asked_for & (1U << signer)) != 0;
    if (is_asked_for ||
        !otp_differs(before, after, boot::kRevocationOffset + kSignerSize * signer, kSignerSize))
      continue;
    complain("S5: boot {}: the bootloader revokes signer {}, which the approved image does not ask for",
             boots_, signer);
  }
}

void BootOracle::end(flash::ConstWindow window, bool is_at_rest) {
  if (!is_at_rest) complain("L2: flash still changes after {} boots", boots_);
  const auto image = approved(window);
  const std::optional<Digest> standing = image ? digest_of(image->info) : std::nullopt;
  if (!case_.may_be_approved.contains(standing))
    complain("S1: the image {} is approved, which was not when power was cut", short_name(standing));
  if (!last_) {
    complain("S1: no image has started after {} boots", boots_);
    return;
  }
  if (!image) {
    if (last_->slot != Slot::kRecovery)
      complain("S1: slot {} runs, but no image is approved", boot::slot_name(last_->slot));
    return;
  }
  if (last_->slot != image->slot || last_->digest != *standing || last_->state != "committed") {
    complain("S1: slot {} runs ({}), but the approved image stands in slot {}", boot::slot_name(last_->slot),
             last_->state, scenario::slot_letter(image->slot));
  }
  const std::uint32_t floor = scenario::application_floor(window);
  const std::uint32_t counter = image->info.security_counter.value_or(0);
  if (is_at_rest && floor != counter)
    complain("S3: the committed image has security counter {}, OTP holds {}", counter, floor);
}

}  // namespace otasim::sweep
