#include "sim/inspect/flash_report.h"

#include <fmt/format.h>

#include "sim/inspect/text.h"

namespace otasim::inspect {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// Says of a range, in which nothing belongs, from where on it is programmed.
void look_for_strays(Bytes window, std::uint32_t begin, std::uint32_t end, const std::string& where,
                     std::vector<std::string>& out) {
  const Bytes range = window.subspan(begin, end - begin);
  const std::uint32_t used = used_size(range);
  if (used == 0) return;
  std::uint32_t first = 0;
  while (range[first] == 0xFF) ++first;
  out.push_back(fmt::format("{}: {:#x} to {:#x} are not erased", where, begin + first, begin + used - 1));
}

/// Between partitions, behind the last one, and behind the journals' pages.
std::vector<std::string> strays_of(Bytes window, const flash::Geometry& part) {
  std::vector<std::string> strays;
  std::uint32_t free_from = 0;
  for (const flash::Partition& partition : flash::kPartitions) {
    look_for_strays(window, free_from, partition.offset, "in no partition", strays);
    free_from = partition.end();
  }
  look_for_strays(window, free_from, part.size, "in no partition", strays);
  for (const flash::Partition& journal :
       {flash::kBootControl0, flash::kBootControl1, flash::kCalendar0, flash::kCalendar1}) {
    look_for_strays(window, journal.offset + flash::kJournalSize, journal.end(),
                    fmt::format("{}, behind its journal", journal.name), strays);
  }
  return strays;
}

}  // namespace

FlashReport inspect_flash(Bytes window, const flash::Geometry& part, const Keys& keys) {
  const auto bytes_of = [window](const flash::Partition& partition) {
    return window.subspan(partition.offset, partition.size);
  };
  FlashReport report{.part = part,
                     .registers = read_registers(window),
                     .boot_control = read_boot_journal(window),
                     .otp = read_otp_bank(window.subspan(flash::kOtpOffset, flash::kOtpSize)),
                     .provisioning = {read_provisioning(bytes_of(flash::kProvisioning0), keys.device),
                                      read_provisioning(bytes_of(flash::kProvisioning1), keys.device)},
                     .calendar = read_calendar(window),
                     .seed = read_seed_journal(window),
                     .strays = strays_of(window, part)};
  for (std::size_t i = 0; i < kSlots.size(); ++i)
    report.slots[i] = read_slot(bytes_of(kSlots[i]), part.sector_size, keys);
  return report;
}

std::optional<std::size_t> provisioning_in_force(const FlashReport& report) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < report.provisioning.size(); ++i) {
    const ProvisioningCopy& copy = report.provisioning[i];
    if (!copy.opened || !copy.opened->is_complete) continue;
    if (!best || *copy.sequence > *report.provisioning[*best].sequence) best = i;
  }
  return best;
}

}  // namespace otasim::inspect
