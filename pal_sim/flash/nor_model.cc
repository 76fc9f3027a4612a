#include "pal_sim/flash/nor_model.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "pal_sim/flash/splitmix64.h"

namespace flash {
namespace {

using controller::kMaxLocks;

// Stays on in release builds: a model over the wrong bytes would corrupt memory, not flash.
void require(bool holds, const char* invariant) {
  if (holds) return;
  std::fprintf(stderr, "NOR model: broken invariant: %s\n", invariant);
  std::abort();
}

bool in_range(std::uint32_t offset, std::size_t length, std::uint32_t size) {
  return offset <= size && length <= size - offset;
}

/// Which bits of a byte a torn operation changes firmly.
std::uint8_t torn_bits(const TornCells& torn, std::uint32_t number, std::uint32_t offset) {
  constexpr std::uint64_t kTornDomain = 0x746F'726E'6365'6C6Cu;  // apart from other uses of a seed
  const auto of_256 = static_cast<std::uint32_t>(std::clamp(torn.random_bits, 0.0, 1.0) * 256.0);
  std::uint64_t state = torn.seed ^ kTornDomain;
  state = splitmix64(state) ^ number;
  state = splitmix64(state) ^ offset;
  std::uint64_t word = splitmix64(state);
  unsigned bits = 0;
  for (unsigned bit = 0; bit < 8; ++bit, word >>= 8) {
    if ((word & 0xFF) < of_256) bits |= 1U << bit;
  }
  return static_cast<std::uint8_t>(bits);
}

Status failure_status(OpKind kind) {
  return is_erase(kind) ? Status::kEraseFailed : Status::kProgramFailed;
}

}  // namespace

std::uint32_t cell_bytes(const Request& request, const Geometry& part) {
  switch (request.kind) {
    case OpKind::kProgram:
    case OpKind::kOtpProgram:
      return request.length;
    case OpKind::kEraseSector:
      return part.sector_size;
    case OpKind::kEraseBlock:
      return part.block_size;
    case OpKind::kLock:
    case OpKind::kOtpLock:
      return 0;
  }
  return 0;
}

std::uint32_t first_cell(const Request& request) {
  return request.kind == OpKind::kOtpProgram ? kOtpOffset + request.offset : request.offset;
}

NorModel::NorModel(Window window, std::uint64_t seed, const Geometry& part)
    : window_(window), seed_(seed), part_(part) {
  require(window.size() == kWindowSize, "a window has kWindowSize bytes");
  require(std::ranges::find(kParts, part) != kParts.end(), "the part is one of kParts");
}

Status NorModel::execute(const Request& request) {
  if (!powered_) return Status::kNoDevice;
  const Status verdict = check(request);
  const OpSource source = source_of(request);
  if (verdict != Status::kOk) {
    observe(request, {sequence(), 0, verdict, source});
    return verdict;
  }
  const std::uint32_t number = accept();
  const Outcome outcome = outcome_of(request, number);
  apply(request, number, outcome);
  if (outcome.status == Status::kNoDevice) powered_ = false;
  observe(request, {number, outcome.bytes, outcome.status, source});
  return outcome.status;
}

Status NorModel::program(std::uint32_t offset, std::span<const std::uint8_t> data) {
  // A span above 4 GiB is above a page too; do not let it wrap to something small.
  const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(data.size(), UINT32_MAX));
  return execute({OpKind::kProgram, offset, length, data});
}

Status NorModel::erase_sector(std::uint32_t offset) {
  return execute({.kind = OpKind::kEraseSector, .offset = offset});
}

Status NorModel::erase_block(std::uint32_t offset) {
  return execute({.kind = OpKind::kEraseBlock, .offset = offset});
}

Status NorModel::lock(std::uint32_t offset, std::uint32_t length) {
  return execute({.kind = OpKind::kLock, .offset = offset, .length = length});
}

Status NorModel::otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) {
  const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(data.size(), UINT32_MAX));
  return execute({OpKind::kOtpProgram, offset, length, data});
}

Status NorModel::otp_lock() {
  return execute({.kind = OpKind::kOtpLock});
}

Status NorModel::read(std::uint32_t offset, std::span<std::uint8_t> out) const {
  if (!powered_) return Status::kNoDevice;
  if (!in_range(offset, out.size(), part_.size)) return Status::kOutOfRange;
  std::ranges::copy(window_.subspan(offset, out.size()), out.begin());
  return Status::kOk;
}

Status NorModel::otp_read(std::uint32_t offset, std::span<std::uint8_t> out) const {
  if (!powered_) return Status::kNoDevice;
  if (!in_range(offset, out.size(), kOtpSize)) return Status::kOutOfRange;
  std::ranges::copy(window_.subspan(kOtpOffset + offset, out.size()), out.begin());
  return Status::kOk;
}

Status NorModel::entropy(std::span<std::uint8_t> out) {
  if (!powered_) return Status::kNoDevice;
  if (!part_.has_entropy) return Status::kBadCommand;
  if (out.size() > kPageSize) return Status::kOutOfRange;
  const std::uint32_t count = read_register(window_, controller::kRegEntropyCount) + 1;
  write_register(window_, controller::kRegEntropyCount, count);
  std::uint64_t state = seed_;
  state = splitmix64(state) ^ count;
  state = splitmix64(state);
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 8 == 0) word = splitmix64(state);
    out[i] = static_cast<std::uint8_t>(word);
    word >>= 8;
  }
  return Status::kOk;
}

void NorModel::power_on() {
  powered_ = true;
  cut_.reset();
  clear_volatile_state(window_);
  cells_.power_on(window_, seed_, part_.sector_size);
}

void NorModel::reset() {
  clear_volatile_state(window_);
}

void NorModel::weaken(std::uint32_t window_offset, std::uint8_t bits) {
  require(is_cell(part_, window_offset), "only cells can be weak");
  cells_.weaken(window_offset, bits);
}

void NorModel::flip(std::uint32_t window_offset, std::uint8_t bits) {
  require(is_cell(part_, window_offset), "only cells can flip");
  const auto loose = static_cast<std::uint8_t>(bits & ~cells_.stuck_bits(window_offset));
  window_[window_offset] = static_cast<std::uint8_t>(window_[window_offset] ^ loose);
  cells_.settle(window_offset, loose);
}

void NorModel::stick(std::uint32_t window_offset, StuckBits stuck) {
  require(is_cell(part_, window_offset), "only cells can be stuck");
  cells_.settle(window_offset, stuck.bits);
  cells_.stuck[window_offset] = stuck;
  cells_.hold_stuck(window_, window_offset, 1);
}

std::uint32_t NorModel::sequence() const {
  return read_register(window_, controller::kRegSequence);
}

std::uint32_t NorModel::erase_count(std::uint32_t offset) const {
  require(offset < part_.size, "wear is counted inside the array");
  return cells_.erase_counts[offset / part_.sector_size];
}

Status NorModel::check(const Request& request) const {
  switch (request.kind) {
    case OpKind::kProgram:
      return check_program(request);
    case OpKind::kEraseSector:
      return check_erase(request, part_.sector_size);
    case OpKind::kEraseBlock:
      return check_erase_block(request);
    case OpKind::kOtpProgram:
      return check_otp_program(request);
    case OpKind::kLock:
      return check_lock(request);
    case OpKind::kOtpLock:
      return part_.has_locks ? Status::kOk : Status::kBadCommand;
  }
  return Status::kBadCommand;
}

Status NorModel::check_program(const Request& request) const {
  if (!in_range(request.offset, request.length, part_.size)) return Status::kOutOfRange;
  if (request.length > kPageSize - request.offset % kPageSize) return Status::kUnaligned;
  if (is_locked(request.offset, request.length)) return Status::kProtected;
  require(request.data.size() == request.length, "a program comes with its data");
  return Status::kOk;
}

Status NorModel::check_erase(const Request& request, std::uint32_t unit) const {
  if (!in_range(request.offset, unit, part_.size)) return Status::kOutOfRange;
  if (request.offset % unit != 0) return Status::kUnaligned;
  return is_locked(request.offset, unit) ? Status::kProtected : Status::kOk;
}

Status NorModel::check_erase_block(const Request& request) const {
  const bool has_blocks = part_.block_size > part_.sector_size;
  return has_blocks ? check_erase(request, part_.block_size) : Status::kBadCommand;
}

Status NorModel::check_lock(const Request& request) const {
  if (!part_.has_locks) return Status::kBadCommand;
  if (!in_range(request.offset, request.length, part_.size)) return Status::kOutOfRange;
  if (request.offset % part_.sector_size != 0 || request.length % part_.sector_size != 0)
    return Status::kUnaligned;
  return lock_count() < kMaxLocks ? Status::kOk : Status::kBadCommand;
}

Status NorModel::check_otp_program(const Request& request) const {
  // The page buffer limits a burn's length; the bank itself has no pages.
  if (request.length > kPageSize || !in_range(request.offset, request.length, kOtpSize)) {
    return Status::kOutOfRange;
  }
  if (read_register(window_, controller::kRegOtpLocked) != 0) return Status::kProtected;
  require(request.data.size() == request.length, "a burn comes with its data");
  return Status::kOk;
}

bool NorModel::is_locked(std::uint32_t offset, std::uint32_t length) const {
  // 64 bits, because the lock table is bytes that anybody may have written.
  const std::uint64_t begin = offset;
  const std::uint64_t end = begin + length;
  for (std::uint32_t i = 0; i < lock_count(); ++i) {
    const std::uint64_t lock_begin = read_register(window_, controller::kRegLocks + i * 8);
    const std::uint64_t lock_end = lock_begin + read_register(window_, controller::kRegLocks + i * 8 + 4);
    if (std::max(begin, lock_begin) < std::min(end, lock_end)) return true;
  }
  return false;
}

std::uint32_t NorModel::lock_count() const {
  return std::min(read_register(window_, controller::kRegLockCount), kMaxLocks);
}

std::uint32_t NorModel::accept() {
  const std::uint32_t number = sequence() + 1;
  write_register(window_, controller::kRegSequence, number);
  return number;
}

NorModel::Outcome NorModel::outcome_of(const Request& request, std::uint32_t number) const {
  const std::uint32_t cells = cell_bytes(request, part_);
  Outcome outcome = planned_outcome(request, number);
  outcome.bytes = std::min(outcome.bytes, cells);
  outcome.marginal_bytes = std::min(outcome.marginal_bytes, cells - outcome.bytes);
  return outcome;
}

NorModel::Outcome NorModel::planned_outcome(const Request& request, std::uint32_t number) const {
  Outcome outcome{.bytes = cell_bytes(request, part_), .marginal_bytes = 0, .status = Status::kOk};
  const bool is_worn = is_worn_out(request);
  const auto strike = [&](const auto& fault, Status status) {
    outcome.status = status;
    if (is_worn) return;  // it changes nothing, whatever else befalls it
    outcome.bytes = fault.bytes;
    outcome.marginal_bytes = fault.marginal_bytes;
    outcome.torn = fault.torn;
  };
  const PlannedFailure* failure = is_worn ? nullptr : planned_failure(request, number);
  if (is_worn) {
    outcome = {.bytes = 0, .marginal_bytes = 0, .status = failure_status(request.kind)};
  } else if (failure != nullptr) {
    strike(*failure, failure->is_silent ? Status::kOk : failure_status(request.kind));
  }
  if (cut_ && cut_->operation == number) {
    strike(*cut_, Status::kNoDevice);
    return outcome;
  }
  const auto fault = fault_source_ != nullptr ? fault_source_->fault_of(request, number) : std::nullopt;
  if (!fault) return outcome;
  if (fault->kind == OperationFault::Kind::kPowerCut) {
    strike(*fault, Status::kNoDevice);
  } else if (!is_worn && failure == nullptr) {
    const bool is_silent = fault->kind == OperationFault::Kind::kSilentFailure;
    strike(*fault, is_silent ? Status::kOk : failure_status(request.kind));
  }
  return outcome;
}

const PlannedFailure* NorModel::planned_failure(const Request& request, std::uint32_t number) const {
  const std::uint32_t length = cell_bytes(request, part_);
  const std::uint32_t begin = first_cell(request);
  const auto strikes = [&](const PlannedFailure& failure) {
    if (failure.operation && *failure.operation != number) return false;
    if (failure.kind && *failure.kind != request.kind) return false;
    return std::max(begin, failure.begin) < std::min(begin + length, failure.end);
  };
  const auto found = std::ranges::find_if(failures_, strikes);
  return found == failures_.end() ? nullptr : &*found;
}

bool NorModel::is_worn_out(const Request& request) const {
  const bool changes_array = is_erase(request.kind) || request.kind == OpKind::kProgram;
  if (!endurance_ || !changes_array || cell_bytes(request, part_) == 0) return false;
  const std::uint64_t erases =
      largest_erase_count(request.offset, request.offset + cell_bytes(request, part_));
  return erases + (is_erase(request.kind) ? 1 : 0) > *endurance_;
}

std::uint32_t NorModel::largest_erase_count(std::uint32_t begin, std::uint32_t end) const {
  if (begin >= end || end > part_.size) return 0;
  const auto counts = std::span(cells_.erase_counts);
  const std::uint32_t first = begin / part_.sector_size;
  return std::ranges::max(counts.subspan(first, (end - 1) / part_.sector_size - first + 1));
}

void NorModel::apply(const Request& request, std::uint32_t number, const Outcome& outcome) {
  switch (request.kind) {
    case OpKind::kProgram:
    case OpKind::kOtpProgram:
      apply_program(request, outcome);
      return tear(request, number, outcome);
    case OpKind::kEraseSector:
    case OpKind::kEraseBlock:
      apply_erase(request, outcome);
      return tear(request, number, outcome);
    case OpKind::kLock:
      return add_lock(request.offset, request.length);
    case OpKind::kOtpLock:
      return write_register(window_, controller::kRegOtpLocked, 1);
  }
}

void NorModel::apply_program(const Request& request, const Outcome& outcome) {
  const std::uint32_t begin = first_cell(request);
  for (std::uint32_t i = 0; i < outcome.bytes; ++i) {
    std::uint8_t& cell = window_[begin + i];
    cell = static_cast<std::uint8_t>(cell & request.data[i]);
    cells_.settle(begin + i, static_cast<std::uint8_t>(~request.data[i]));
  }
  cells_.hold_stuck(window_, begin, outcome.bytes);
}

void NorModel::apply_erase(const Request& request, const Outcome& outcome) {
  const std::uint32_t offset = request.offset;
  const std::uint32_t end = offset + cell_bytes(request, part_);
  for (std::uint32_t at = offset; at < end; at += part_.sector_size)
    ++cells_.erase_counts[at / part_.sector_size];
  std::memset(window_.subspan(offset, outcome.bytes).data(), 0xFF, outcome.bytes);  // see window.cc
  cells_.settle_range(offset, outcome.bytes);
  cells_.hold_stuck(window_, offset, outcome.bytes);
}

/// What becomes of the cells behind the bytes that were applied.
void NorModel::tear(const Request& request, std::uint32_t number, const Outcome& outcome) {
  const std::uint32_t begin = first_cell(request);
  const std::uint32_t marginal_end = outcome.bytes + outcome.marginal_bytes;
  const bool is_random = outcome.torn.random_bits > 0.0;
  const std::uint32_t end = is_random ? cell_bytes(request, part_) : marginal_end;
  for (std::uint32_t i = outcome.bytes; i < end; ++i) {
    std::uint8_t& cell = window_[begin + i];
    const auto wanted = static_cast<std::uint8_t>(is_erase(request.kind) ? 0xFF : cell & request.data[i]);
    const auto changing = static_cast<std::uint8_t>((cell ^ wanted) & ~cells_.stuck_bits(begin + i));
    const auto firm =
        static_cast<std::uint8_t>(is_random ? changing & torn_bits(outcome.torn, number, begin + i) : 0);
    cell = static_cast<std::uint8_t>(cell ^ firm);
    cells_.settle(begin + i, firm);
    if (i < marginal_end) cells_.weaken(begin + i, static_cast<std::uint8_t>(changing & ~firm));
  }
}

void NorModel::add_lock(std::uint32_t offset, std::uint32_t length) {
  const std::uint32_t entry = lock_count();
  write_register(window_, controller::kRegLocks + entry * 8, offset);
  write_register(window_, controller::kRegLocks + entry * 8 + 4, length);
  write_register(window_, controller::kRegLockCount, entry + 1);
}

OpSource NorModel::source_of(const Request& request) const {
  if (request.kind == OpKind::kLock || request.kind == OpKind::kOtpLock) return OpSource::kBoot;
  const std::uint32_t cell = first_cell(request);
  // No bootloader writes there, and whoever tells that it has handed over is a moment late.
  if (!part_.has_locks && (kSeed0.contains(cell, 1) || kSeed1.contains(cell, 1)))
    return OpSource::kApplication;
  if (!part_.has_locks && running_ == OpSource::kUnknown) return OpSource::kUnknown;
  const bool is_handed_over =
      part_.has_locks ? read_register(window_, controller::kRegOtpLocked) != 0 : running_ != OpSource::kBoot;
  if (!is_handed_over) return OpSource::kBoot;
  const auto holds = [at = cell](const Partition* one) { return at >= one->offset && at < one->end(); };
  constexpr std::array kAgents{&kBootControl0, &kBootControl1, &kSlotA, &kSlotB, &kRecovery};
  return std::ranges::any_of(kAgents, holds) ? OpSource::kAgent : OpSource::kApplication;
}

void NorModel::observe(const Request& request, const Observed& observed) {
  if (observer_ == nullptr) return;
  const bool has_data = request.data.size() == request.length && request.length <= kPageSize;
  const std::uint32_t length = is_erase(request.kind) ? cell_bytes(request, part_) : request.length;
  observer_->on_operation({.sequence = observed.sequence,
                           .kind = request.kind,
                           .offset = request.offset,
                           .length = length,
                           .applied = observed.applied,
                           .data = has_data ? request.data : std::span<const std::uint8_t>{},
                           .status = observed.status,
                           .source = observed.source});
}

}  // namespace flash
