#include "tests/qemu_boards/device/floating_point.h"

#ifdef __ARM_FP

#include <array>
#include <cstdint>

namespace probe {
namespace {

constexpr std::uint32_t kTicks = 50;
constexpr std::uint32_t kVectorTableOffset = 0xE000'ED08;
constexpr std::size_t kSysTick = 15;
constexpr std::size_t kVectors = 64;
constexpr std::size_t kRegisters = 16;  // of 64 bits

volatile std::uint32_t ticks = 0;
alignas(512) std::array<std::uint32_t, kVectors> vectors;

/// Leaves nothing of what the registers held.
void spoil_registers() {
  static const std::array<std::uint64_t, kRegisters> zeros{};
  __asm volatile("vldm %0, {d0-d15}" ::"r"(zeros.data())
                 : "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13",
                   "s14", "s15", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26",
                   "s27", "s28", "s29", "s30", "s31", "memory");
  ticks = ticks + 1;
}

void take_over_tick() {
  auto* const offset = reinterpret_cast<volatile std::uint32_t*>(kVectorTableOffset);  // NOLINT
  const auto* const old = reinterpret_cast<const volatile std::uint32_t*>(*offset);    // NOLINT
  for (std::size_t i = 0; i < kVectors; ++i) vectors[i] = old[i];
  vectors[kSysTick] = reinterpret_cast<std::uint32_t>(&spoil_registers);
  *offset = reinterpret_cast<std::uint32_t>(vectors.data());
  __asm volatile("dsb\n\tisb" ::: "memory");
}

}  // namespace

std::string_view try_floating_point() {
  std::array<std::uint64_t, kRegisters> before{};
  for (std::size_t i = 0; i < before.size(); ++i) before[i] = 0x0123'4567'89AB'CDEFU * (2 * i + 1);
  std::array<std::uint64_t, kRegisters> after{};
  take_over_tick();
  __asm volatile(
      "vldm %0, {d0-d15}\n"
      "1: ldr r2, [%1]\n"
      "cmp r2, %2\n"
      "blo 1b\n"
      "vstm %3, {d0-d15}\n" ::"r"(before.data()),
      "r"(&ticks), "r"(kTicks), "r"(after.data())
      : "r2", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14",
        "s15", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26", "s27", "s28",
        "s29", "s30", "s31", "cc", "memory");
  return before == after ? "kept" : "lost";
}

}  // namespace probe

#else

namespace probe {

std::string_view try_floating_point() {
  return "none";
}

}  // namespace probe

#endif
