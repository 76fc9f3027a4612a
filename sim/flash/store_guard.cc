#include "sim/flash/store_guard.h"

#include <algorithm>

namespace otasim::flash_file {
namespace {

constexpr std::uint32_t kCellsEnd = flash::kOtpOffset + flash::kOtpSize;

/// The part of [begin, end) that lies in [first, last).
std::optional<StoredCells> overlap(std::int64_t begin, std::int64_t end, std::uint32_t first,
                                   std::uint32_t last) {
  const std::int64_t from = std::max<std::int64_t>(begin, first);
  const std::int64_t to = std::min<std::int64_t>(end, last);
  if (from >= to) return std::nullopt;
  return StoredCells{static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)};
}

}  // namespace

StoreGuard::StoreGuard(const flash::NorModel& model) : model_(model) {
  const auto cells = model.window().first(kCellsEnd);
  cells_.assign(cells.begin(), cells.end());
}

void StoreGuard::on_operation(const flash::Operation& operation) {
  const flash::Request request{
      .kind = operation.kind, .offset = operation.offset, .length = operation.length};
  const std::uint32_t begin = flash::first_cell(request);
  const std::uint32_t length = flash::cell_bytes(request, model_.geometry());
  // A refused one may be anywhere, and has changed nothing.
  if (begin <= kCellsEnd && length <= kCellsEnd - begin) refresh(begin, length);
}

void StoreGuard::refresh(std::uint32_t window_offset, std::uint32_t length) {
  std::ranges::copy(model_.window().subspan(window_offset, length), cells_.begin() + window_offset);
}

std::optional<StoredCells> StoreGuard::take_back(std::int64_t window_offset, std::uint32_t length) {
  const std::int64_t end = window_offset + length;
  auto stored = overlap(window_offset, end, 0, model_.geometry().size);
  if (!stored) stored = overlap(window_offset, end, flash::kOtpOffset, kCellsEnd);
  if (!stored) return std::nullopt;
  const auto held = std::span(cells_).subspan(stored->offset, stored->length);
  std::ranges::copy(held, model_.window().subspan(stored->offset, stored->length).begin());
  return stored;
}

}  // namespace otasim::flash_file
