// The flash part of the device whose histories are played: what it holds, and what of it is firm. One for all
// histories, because 16 MiB are slow to make.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "tests/agent/boot/boot_oracle.h"
#include "tests/agent/boot/boot_policy_fixture.h"
#include "tests/agent/boot/history_images.h"
#include "tests/agent/boot/journal_bytes.h"

namespace boot_test {

inline constexpr int kNothing = -1;
inline constexpr std::uint32_t kLoadMemory = 16 * 1024;
inline constexpr std::array kSlots{Slot::kA, Slot::kB, Slot::kRecovery};

inline native::NativeFlash& part() {
  static native::NativeFlash flash;  // 16 MiB are slow to make
  return flash;
}

inline flash::NorModel& model() {
  return part().model();
}

inline const Oracle& oracle() {
  static const Oracle oracle(part().window(), {&signer(), &second_signer()}, recipient(), kLoadMemory);
  return oracle;
}

inline std::span<std::uint8_t> slot_bytes(Slot slot) {
  return part().window().subspan(boot::slot_partition(slot)->offset, kLoadMemory);
}

/// False if it may read differently after the next power-on: an erase or a program there was cut, and
/// somebody made the slot a candidate all the same.
inline bool is_firm(Slot slot) {
  const auto& marginal = model().cell_state().marginal;
  const std::uint32_t offset = boot::slot_partition(slot)->offset;
  return marginal.lower_bound(offset) == marginal.lower_bound(offset + kLoadMemory);
}

/// What torn cells read now is what they hold.
inline void make_firm(std::uint32_t offset, std::uint32_t length) {
  flash::CellState cells = model().cell_state();
  cells.settle_range(offset, length);
  model().set_cell_state(std::move(cells));
}

inline void make_slots_firm() {
  for (const Slot slot : kSlots) make_firm(boot::slot_partition(slot)->offset, kLoadMemory);
}

inline bool is(const JournalEntry& entry, StagedState state) {
  return entry.staged_state == static_cast<std::uint8_t>(state);
}

inline Bytes otp() {
  const auto bank = part().window().subspan(flash::kOtpOffset, flash::kOtpSize);
  return {bank.begin(), bank.end()};
}

}  // namespace boot_test
