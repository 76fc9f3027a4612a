#include "pal_sim/flash/nor_model.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

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

// Bytes of cells an accepted request changes; locks change none.
std::uint32_t cell_bytes(const Request& request) {
  switch (request.kind) {
    case OpKind::kProgram:
    case OpKind::kOtpProgram:
      return request.length;
    case OpKind::kEraseSector:
      return kSectorSize;
    case OpKind::kLock:
    case OpKind::kOtpLock:
      return 0;
  }
  return 0;
}

// splitmix64: every value of the counter gives an unrelated word, so no state beyond the counter is needed.
std::uint64_t splitmix64(std::uint64_t& state) {
  state += 0x9E37'79B9'7F4A'7C15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9u;
  z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBu;
  return z ^ (z >> 31);
}

}  // namespace

NorModel::NorModel(Window window, std::uint64_t seed)
    : window_(window), seed_(seed), erase_counts_(kArraySize / kSectorSize) {
  require(window.size() == kWindowSize, "a window has kWindowSize bytes");
}

Status NorModel::execute(const Request& request) {
  if (!powered_) return Status::kNoDevice;
  const Status verdict = check(request);
  if (verdict != Status::kOk) {
    observe(request, sequence(), 0, verdict);
    return verdict;
  }
  const std::uint32_t number = accept();
  std::uint32_t bytes = cell_bytes(request);
  const bool cut = cut_ && cut_->operation == number;
  if (cut) bytes = std::min(bytes, cut_->bytes);
  apply(request, bytes);
  if (cut) powered_ = false;
  const Status status = cut ? Status::kNoDevice : Status::kOk;
  observe(request, number, bytes, status);
  return status;
}

Status NorModel::program(std::uint32_t offset, std::span<const std::uint8_t> data) {
  // A span above 4 GiB is above a page too; do not let it wrap to something small.
  const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(data.size(), UINT32_MAX));
  return execute({OpKind::kProgram, offset, length, data});
}

Status NorModel::erase_sector(std::uint32_t offset) {
  return execute({.kind = OpKind::kEraseSector, .offset = offset});
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
  if (!in_range(offset, out.size(), kArraySize)) return Status::kOutOfRange;
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
}

void NorModel::reset() {
  clear_volatile_state(window_);
}

std::uint32_t NorModel::sequence() const {
  return read_register(window_, controller::kRegSequence);
}

std::uint32_t NorModel::erase_count(std::uint32_t offset) const {
  require(offset < kArraySize, "wear is counted inside the array");
  return erase_counts_[offset / kSectorSize];
}

Status NorModel::check(const Request& request) const {
  switch (request.kind) {
    case OpKind::kProgram:
      return check_program(request);
    case OpKind::kEraseSector:
      return check_erase(request);
    case OpKind::kOtpProgram:
      return check_otp_program(request);
    case OpKind::kLock:
      return check_lock(request);
    case OpKind::kOtpLock:
      return Status::kOk;
  }
  return Status::kBadCommand;
}

Status NorModel::check_program(const Request& request) const {
  if (!in_range(request.offset, request.length, kArraySize)) return Status::kOutOfRange;
  if (request.length > kPageSize - request.offset % kPageSize) return Status::kUnaligned;
  if (is_locked(request.offset, request.length)) return Status::kProtected;
  require(request.data.size() == request.length, "a program comes with its data");
  return Status::kOk;
}

Status NorModel::check_erase(const Request& request) const {
  if (!in_range(request.offset, kSectorSize, kArraySize)) return Status::kOutOfRange;
  if (request.offset % kSectorSize != 0) return Status::kUnaligned;
  if (is_locked(request.offset, kSectorSize)) return Status::kProtected;
  return Status::kOk;
}

Status NorModel::check_lock(const Request& request) const {
  if (!in_range(request.offset, request.length, kArraySize)) return Status::kOutOfRange;
  if (request.offset % kSectorSize != 0 || request.length % kSectorSize != 0) return Status::kUnaligned;
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

void NorModel::apply(const Request& request, std::uint32_t bytes) {
  switch (request.kind) {
    case OpKind::kProgram:
      return clear_bits(request.offset, request.data.first(bytes));
    case OpKind::kOtpProgram:
      return clear_bits(kOtpOffset + request.offset, request.data.first(bytes));
    case OpKind::kEraseSector:
      ++erase_counts_[request.offset / kSectorSize];
      std::ranges::fill(window_.subspan(request.offset, bytes), std::uint8_t{0xFF});
      return;
    case OpKind::kLock:
      return add_lock(request.offset, request.length);
    case OpKind::kOtpLock:
      return write_register(window_, controller::kRegOtpLocked, 1);
  }
}

void NorModel::clear_bits(std::uint32_t window_offset, std::span<const std::uint8_t> data) {
  const auto cells = window_.subspan(window_offset, data.size());
  for (std::size_t i = 0; i < data.size(); ++i) cells[i] = static_cast<std::uint8_t>(cells[i] & data[i]);
}

void NorModel::add_lock(std::uint32_t offset, std::uint32_t length) {
  const std::uint32_t entry = lock_count();
  write_register(window_, controller::kRegLocks + entry * 8, offset);
  write_register(window_, controller::kRegLocks + entry * 8 + 4, length);
  write_register(window_, controller::kRegLockCount, entry + 1);
}

void NorModel::observe(const Request& request, std::uint32_t sequence, std::uint32_t applied, Status status) {
  if (observer_ == nullptr) return;
  const bool has_data = request.data.size() == request.length && request.length <= kPageSize;
  const std::uint32_t length = request.kind == OpKind::kEraseSector ? kSectorSize : request.length;
  observer_->on_operation({sequence, request.kind, request.offset, length, applied,
                           has_data ? request.data : std::span<const std::uint8_t>{}, status});
}

}  // namespace flash
