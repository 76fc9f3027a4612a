#include "sim/flash/nor_disk.h"

#include <algorithm>
#include <utility>

#include "pal_sim/flash/flash_map.h"

namespace otasim::flash_file {
namespace {

using flash::kOtpOffset;
using flash::kOtpSize;
using flash::kPageSize;
using flash::OpKind;

constexpr std::uint8_t kErased = 0xFF;

bool is_in_bank(std::uint32_t offset) {
  return offset >= kOtpOffset && offset < kOtpOffset + kOtpSize;
}
static_assert(kOtpOffset % kPageSize == 0 && kOtpSize % kPageSize == 0, "a page is in the bank or is not");

/// From the first to the last byte in which they differ; everything if they do not.
std::pair<std::size_t, std::size_t> changed_bytes(std::span<const std::uint8_t> known,
                                                  std::span<const std::uint8_t> data) {
  const auto first = static_cast<std::size_t>(std::ranges::mismatch(known, data).in2 - data.begin());
  if (first == data.size()) return {0, data.size()};
  std::size_t end = data.size();
  while (known[end - 1] == data[end - 1]) --end;
  return {first, end};
}

}  // namespace

NorDisk::NorDisk(FlashPart& part) : part_(part), sector_size_(part.model().geometry().sector_size) {
  const auto window = part.model().window();
  known_.assign(window.begin(), window.end());
}

DiskOutcome NorDisk::read(std::uint64_t offset, std::span<std::uint8_t> out) {
  if (!part_.powered()) return DiskOutcome::kNoPower;
  if (!contains(offset, out.size())) return DiskOutcome::kOutOfRange;
  const auto at = static_cast<std::uint32_t>(offset);
  std::ranges::copy(part_.model().window().subspan(at, out.size()), out.begin());
  std::ranges::copy(out, known_.begin() + at);
  return DiskOutcome::kDone;
}

DiskOutcome NorDisk::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  if (!part_.powered()) return DiskOutcome::kNoPower;
  if (!contains(offset, data.size())) return DiskOutcome::kOutOfRange;
  const auto at = static_cast<std::uint32_t>(offset);
  if (is_erase(at, data)) return erase(at, static_cast<std::uint32_t>(data.size()));
  if (!only_clears(at, data)) return DiskOutcome::kRefused;
  return program(at, data);
}

bool NorDisk::contains(std::uint64_t offset, std::size_t length) const {
  return offset <= known_.size() && length <= known_.size() - offset;
}

bool NorDisk::is_erase(std::uint32_t offset, std::span<const std::uint8_t> data) const {
  return !data.empty() && offset % sector_size_ == 0 && data.size() % sector_size_ == 0 &&
         std::ranges::all_of(data, [](std::uint8_t byte) { return byte == kErased; });
}

bool NorDisk::only_clears(std::uint32_t offset, std::span<const std::uint8_t> data) const {
  return std::ranges::equal(data, std::span(known_).subspan(offset, data.size()),
                            [](std::uint8_t wanted, std::uint8_t known) { return (wanted & ~known) == 0; });
}

DiskOutcome NorDisk::erase(std::uint32_t offset, std::uint32_t length) {
  for (std::uint32_t at = offset; at < offset + length; at += sector_size_) {
    const DiskOutcome outcome = execute({.kind = OpKind::kEraseSector, .offset = at});
    if (outcome != DiskOutcome::kDone) return outcome;
    std::ranges::fill(std::span(known_).subspan(at, sector_size_), kErased);
  }
  return DiskOutcome::kDone;
}

DiskOutcome NorDisk::program(std::uint32_t offset, std::span<const std::uint8_t> data) {
  while (!data.empty()) {
    const std::size_t length = std::min<std::size_t>(data.size(), kPageSize - offset % kPageSize);
    const DiskOutcome outcome = program_page(offset, data.first(length));
    if (outcome != DiskOutcome::kDone) return outcome;
    offset += static_cast<std::uint32_t>(length);
    data = data.subspan(length);
  }
  return DiskOutcome::kDone;
}

DiskOutcome NorDisk::program_page(std::uint32_t offset, std::span<const std::uint8_t> data) {
  const auto known = std::span(known_).subspan(offset, data.size());
  const auto [first, end] = changed_bytes(known, data);
  const auto changed = data.subspan(first, end - first);
  const auto at = offset + static_cast<std::uint32_t>(first);
  const bool is_burn = is_in_bank(at);
  const DiskOutcome outcome = execute({.kind = is_burn ? OpKind::kOtpProgram : OpKind::kProgram,
                                       .offset = is_burn ? at - kOtpOffset : at,
                                       .length = static_cast<std::uint32_t>(changed.size()),
                                       .data = changed});
  if (outcome == DiskOutcome::kDone) std::ranges::copy(data, known.begin());
  return outcome;
}

DiskOutcome NorDisk::execute(const flash::Request& request) {
  const Admission admission = part_.begin(request.kind, request.offset);
  if (admission == Admission::kFrozen) return DiskOutcome::kNoPower;
  if (admission == Admission::kDiscard) return DiskOutcome::kDone;
  switch (part_.model().execute(request)) {
    case flash::Status::kOk:
      return DiskOutcome::kDone;
    case flash::Status::kNoDevice:
      return DiskOutcome::kNoPower;
    default:
      return DiskOutcome::kRefused;
  }
}

}  // namespace otasim::flash_file
