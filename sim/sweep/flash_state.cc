#include "sim/sweep/flash_state.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "pal_sim/flash/splitmix64.h"
#include "sim/flash/flash_history.h"

namespace otasim::sweep {
namespace {

/// Of array and bank; registers and page buffer are a machine's own.
constexpr std::uint32_t kCellPages = (flash::kOtpOffset + flash::kOtpSize) / flash::kPageSize;

std::uint64_t mixed(std::uint64_t value) {
  return flash::splitmix64(value);
}

}  // namespace

void FlashState::Pages::add(std::uint32_t page) {
  if (is_in[page]) return;
  is_in[page] = true;
  list.push_back(page);
}

void FlashState::Pages::clear() {
  for (const std::uint32_t page : list) is_in[page] = false;
  list.clear();
}

FlashState::FlashState(flash::ConstWindow window, const flash::Geometry& part)
    : window_(window.begin(), window.end()), model_(window_, 1, part), page_prints_(kCellPages) {
  flash::clear_volatile_state(window_);
  touched(0, kCellPages * flash::kPageSize);
}

/// Four sums side by side, because each step waits for the one before.
std::uint64_t FlashState::page_print(std::uint32_t page) const {
  constexpr std::size_t kLanes = 4;
  std::array<std::uint64_t, kLanes> lanes{page, page + 1ULL, page + 2ULL, page + 3ULL};
  const std::uint8_t* at = window_.data() + std::size_t{page} * flash::kPageSize;
  for (std::size_t i = 0; i < flash::kPageSize; i += sizeof lanes) {
    std::array<std::uint64_t, kLanes> words{};
    std::memcpy(words.data(), at + i, sizeof words);
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = mixed(lanes[lane] ^ words[lane]);
  }
  std::uint64_t print = page;
  for (const std::uint64_t lane : lanes) print = mixed(print ^ lane);
  return print;
}

std::uint64_t FlashState::fingerprint() {
  for (const std::uint32_t page : unprinted_.list) {
    const std::uint64_t print = page_print(page);
    print_ ^= page_prints_[page] ^ print;
    page_prints_[page] = print;
  }
  unprinted_.clear();
  std::uint64_t print = print_;
  for (const auto& [offset, bits] : cells().marginal)
    print ^= mixed(mixed(std::uint64_t{offset} << 8 | bits) ^ print_);
  return print;
}

void FlashState::touched(std::uint32_t offset, std::uint32_t length) {
  if (length == 0) return;
  const std::uint32_t last = (offset + length - 1) / flash::kPageSize;
  for (std::uint32_t page = offset / flash::kPageSize; page <= last; ++page) {
    unprinted_.add(page);
    stale_.add(page);
  }
}

void FlashState::keep(std::uint32_t offset, std::uint32_t length) {
  const auto bytes = std::span(window_).subspan(offset, length);
  changes_.push_back({offset, {bytes.begin(), bytes.end()}});
}

void FlashState::roll_back(const Mark& mark) {
  while (changes_.size() > mark.changes) {
    const Change& change = changes_.back();
    std::ranges::copy(change.before, window_.begin() + change.offset);
    touched(change.offset, static_cast<std::uint32_t>(change.before.size()));
    changes_.pop_back();
  }
  model_.set_cell_state(mark.cells);
}

void FlashState::apply(const flash::LoggedOperation& operation) {
  const std::uint32_t at = flash_file::first_cell(operation);
  if (operation.applied == 0) return;
  keep(at, operation.applied);
  flash_file::apply_logged(operation, window_);
  touched(at, operation.applied);
  if (cells().marginal.empty()) return;
  flash::CellState cells = model_.cell_state();
  if (flash::is_erase(operation.kind)) {
    cells.settle_range(at, operation.applied);
  } else {
    // Programming a 1 gives a cell no pulse: it stays marginal.
    for (std::uint32_t i = 0; i < operation.applied; ++i)
      cells.settle(at + i, static_cast<std::uint8_t>(~operation.data[i]));
  }
  model_.set_cell_state(std::move(cells));
}

void FlashState::tear(const flash::LoggedOperation& operation, const Tear& tear) {
  const flash::Request request{
      .kind = operation.kind, .offset = operation.offset, .length = operation.length, .data = operation.data};
  const std::uint32_t at = flash::first_cell(request);
  const std::uint32_t length = flash::cell_bytes(request, part());
  if (length == 0) return;
  keep(at, length);
  // One of its own, because what the cut leaves without power is thrown away.
  flash::NorModel dying(window_, 1, part());
  dying.set_cell_state(model_.cell_state());
  dying.cut_power_at(
      {.operation = dying.sequence() + 1, .bytes = tear.bytes, .marginal_bytes = tear.marginal_bytes});
  static_cast<void>(dying.execute(request));
  model_.set_cell_state(dying.cell_state());
  touched(at, length);
}

void FlashState::forget_power_ons() {
  if (cells().power_ons == 0) return;
  flash::CellState cells = model_.cell_state();
  cells.power_ons = 0;
  model_.set_cell_state(std::move(cells));
}

void FlashState::power_on(std::uint64_t seed) {
  for (const auto& [offset, bits] : cells().marginal) keep(offset, 1);
  model_.set_seed(seed);
  model_.power_on();
  for (const auto& [offset, bits] : cells().marginal) touched(offset, 1);
}

void FlashState::take_over(std::span<const flash::LoggedOperation> operations, flash::ConstWindow after,
                           flash::CellState cells) {
  for (const flash::LoggedOperation& operation : operations) {
    const std::uint32_t at = flash_file::first_cell(operation);
    if (operation.applied == 0) continue;
    keep(at, operation.applied);
    std::ranges::copy(after.subspan(at, operation.applied), window_.begin() + at);
    touched(at, operation.applied);
  }
  model_.set_cell_state(std::move(cells));
}

void FlashState::distrust_machine() {
  for (std::uint32_t page = 0; page < kCellPages; ++page) stale_.add(page);
}

void FlashState::copy_to(flash::Window machine) {
  for (const std::uint32_t page : stale_.list) {
    const std::size_t at = std::size_t{page} * flash::kPageSize;
    std::memcpy(machine.data() + at, window_.data() + at, flash::kPageSize);
  }
  stale_.clear();
}

}  // namespace otasim::sweep
