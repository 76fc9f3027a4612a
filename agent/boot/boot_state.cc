#include "agent/boot/boot_state.h"

#include <algorithm>

#include "agent/boot/slots.h"

namespace boot {
namespace {

BootState without_staged(BootState state) {
  state.staged_slot = Slot::kNone;
  state.staged_state = StagedState::kEmpty;
  state.attempts = 0;
  state.reject_reason = RejectReason::kNone;
  state.staged = {};
  return state;
}

BootState rejected(BootState state, RejectReason reason) {
  state.staged_state = StagedState::kRejected;
  state.reject_reason = reason;
  return state;
}

bool is_sound(const JobId& job_id) {
  return job_id.characters.back() == '\0';
}

}  // namespace

std::string_view JobId::view() const {
  const auto end = std::find(characters.begin(), characters.end(), '\0');
  return {characters.data(), static_cast<std::size_t>(end - characters.begin())};
}

std::optional<JobId> JobId::from(std::string_view name) {
  if (name.size() > kMaxJobId || name.find('\0') != std::string_view::npos) return std::nullopt;
  JobId id;
  std::copy(name.begin(), name.end(), id.characters.begin());
  return id;
}

std::string_view to_string(StagedState state) {
  switch (state) {
    case StagedState::kEmpty:
      return "empty";
    case StagedState::kReceiving:
      return "receiving";
    case StagedState::kVerified:
      return "verified";
    case StagedState::kTrial:
      return "trial";
    case StagedState::kAccepted:
      return "accepted";
    case StagedState::kRejected:
      return "rejected";
  }
  return "unknown";
}

std::string_view to_string(RejectReason reason) {
  switch (reason) {
    case RejectReason::kNone:
      return "none";
    case RejectReason::kBadImage:
      return "bad-image";
    case RejectReason::kTrialFailed:
      return "trial-failed";
    case RejectReason::kRefused:
      return "refused";
  }
  return "unknown";
}

std::string_view to_string(ImageState state) {
  switch (state) {
    case ImageState::kCommitted:
      return "committed";
    case ImageState::kTrial:
      return "trial";
    case ImageState::kAccepted:
      return "accepted";
    case ImageState::kRecovery:
      return "recovery";
  }
  return "unknown";
}

std::string_view to_string(ResetReason reason) {
  switch (reason) {
    case ResetReason::kPowerOn:
      return "power-on";
    case ResetReason::kSoftware:
      return "software";
    case ResetReason::kWatchdog:
      return "watchdog";
  }
  return "unknown";
}

bool is_sound(const BootState& state) {
  if (state.committed_slot != Slot::kNone && !is_application_slot(state.committed_slot)) return false;
  if (state.staged_state > StagedState::kRejected || state.reject_reason > RejectReason::kRefused)
    return false;
  if (!is_sound(state.committed.job_id) || !is_sound(state.staged.job_id)) return false;
  if (state.staged_state == StagedState::kEmpty) return state.staged_slot == Slot::kNone;
  return is_application_slot(state.staged_slot) && state.staged_slot != state.committed_slot;
}

Slot receive_slot(const BootState& state) {
  return state.committed_slot == Slot::kB ? Slot::kA : Slot::kB;
}

std::optional<BootState> begin_receive(const BootState& state, std::string_view job_id, Slot slot) {
  if (state.staged_state == StagedState::kTrial || state.staged_state == StagedState::kAccepted)
    return std::nullopt;
  if (!is_application_slot(slot) || slot == state.committed_slot) return std::nullopt;
  const std::optional<JobId> id = JobId::from(job_id);
  if (!id || job_id.empty()) return std::nullopt;
  BootState next = without_staged(state);
  next.staged_slot = slot;
  next.staged_state = StagedState::kReceiving;
  next.staged.job_id = *id;
  return next;
}

std::optional<BootState> mark_verified(const BootState& state, const ImageIdentity& image) {
  if (state.staged_state != StagedState::kReceiving) return std::nullopt;
  BootState next = state;
  next.staged_state = StagedState::kVerified;
  next.staged = image;
  next.staged.job_id = state.staged.job_id;
  return next;
}

std::optional<BootState> start_trial(const BootState& state) {
  const bool startable =
      state.staged_state == StagedState::kVerified || state.staged_state == StagedState::kTrial;
  if (!startable || state.attempts >= kMaxTrialAttempts) return std::nullopt;
  BootState next = state;
  next.staged_state = StagedState::kTrial;
  ++next.attempts;
  return next;
}

std::optional<BootState> accept(const BootState& state) {
  if (state.staged_state == StagedState::kAccepted) return state;
  if (state.staged_state != StagedState::kTrial) return std::nullopt;
  BootState next = state;
  next.staged_state = StagedState::kAccepted;
  return next;
}

std::optional<BootState> reject(const BootState& state, RejectReason reason) {
  switch (state.staged_state) {
    case StagedState::kRejected:
      return state;
    case StagedState::kReceiving:
    case StagedState::kVerified:
    case StagedState::kTrial:
      return rejected(state, reason);
    case StagedState::kEmpty:
    case StagedState::kAccepted:
      break;
  }
  return std::nullopt;
}

std::optional<BootState> discard_accepted(const BootState& state) {
  if (state.staged_state != StagedState::kAccepted) return std::nullopt;
  return rejected(state, RejectReason::kBadImage);
}

std::optional<BootState> promote(const BootState& state) {
  if (state.staged_state != StagedState::kAccepted) return std::nullopt;
  BootState next = without_staged(state);
  next.committed_slot = state.staged_slot;
  next.committed = state.staged;
  return next;
}

std::optional<BootState> fall_back(const BootState& state, const ImageIdentity& previous) {
  if (state.staged_state != StagedState::kEmpty || state.committed_slot == Slot::kNone) return std::nullopt;
  BootState next = state;
  next.committed_slot = receive_slot(state);
  next.committed = previous;
  return next;
}

std::optional<BootState> commit_factory(const BootState& state, Slot slot, const ImageIdentity& image) {
  if (state.committed_slot != Slot::kNone || !is_application_slot(slot)) return std::nullopt;
  if (slot == state.staged_slot) return std::nullopt;
  BootState next = state;
  next.committed_slot = slot;
  next.committed = image;
  return next;
}

}  // namespace boot
