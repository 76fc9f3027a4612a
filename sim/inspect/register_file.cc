#include "sim/inspect/register_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "pal_sim/flash/window.h"

namespace otasim::inspect {

using namespace flash::controller;  // NOLINT(google-build-using-namespace): the registers' names

RegisterFile read_registers(std::span<const std::uint8_t> window) {
  const auto reg = [window](std::uint32_t name) { return flash::read_register(window, name); };
  RegisterFile file{.sequence = reg(kRegSequence),
                    .entropy_count = reg(kRegEntropyCount),
                    .otp_is_locked = reg(kRegOtpLocked) != 0,
                    .last_status = reg(kRegStatus)};
  const std::uint32_t count = reg(kRegLockCount);
  if (count > kMaxLocks)
    file.problem = fmt::format("{} locks are in use, and there are {}", count, kMaxLocks);
  for (std::uint32_t i = 0; i < std::min(count, kMaxLocks); ++i)
    file.locks.push_back({reg(kRegLocks + 8 * i), reg(kRegLocks + 8 * i + 4)});
  return file;
}

std::string range_name(std::uint32_t offset, std::uint32_t length) {
  const auto first = std::ranges::find(flash::kPartitions, offset, &flash::Partition::offset);
  const auto last = std::ranges::find_if(flash::kPartitions, [&](const flash::Partition& partition) {
    return std::uint64_t{offset} + length == partition.end();
  });
  if (first == flash::kPartitions.end() || last == flash::kPartitions.end() || last < first)
    return fmt::format("{:#08x}, {:#x} bytes", offset, length);
  if (first == last) return std::string(first->name);
  return fmt::format("{} to {}", first->name, last->name);
}

}  // namespace otasim::inspect
