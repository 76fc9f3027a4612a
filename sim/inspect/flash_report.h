// All that a flash file says, in the terms of docs/flash-layout.md.
//
//   auto flash = read_flash_file("flash.bin");
//   auto report = inspect_flash(flash->bytes, flash->part, build_keys());
//   to_json(report)
//
// The bytes may be anybody's: nothing in them is believed, and no length is followed out of its partition.
// What is wrong with something is said in its place; there is no flash that cannot be reported on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/inspect/boot_journal.h"
#include "sim/inspect/cell_report.h"
#include "sim/inspect/journals.h"
#include "sim/inspect/keys.h"
#include "sim/inspect/otp_bank.h"
#include "sim/inspect/provisioning_copy.h"
#include "sim/inspect/register_file.h"
#include "sim/inspect/slot_content.h"

namespace otasim::inspect {

/// Slots in the order of the map.
inline constexpr std::array kSlots{flash::kSlotA, flash::kSlotB, flash::kRecovery};

struct FlashReport {
  flash::Geometry part = {};
  RegisterFile registers = {};
  BootJournal boot_control = {};
  std::array<SlotContent, kSlots.size()> slots = {};
  OtpBank otp = {};
  std::array<ProvisioningCopy, 2> provisioning = {};
  Calendar calendar = {};
  SeedJournal seed = {};
  std::vector<std::string> strays = {};  ///< what is programmed where nothing belongs
  std::optional<CellReport> cells = {};  ///< what the flash file itself does not hold
};

/// @param window  kWindowSize bytes, anybody's
[[nodiscard]] FlashReport inspect_flash(std::span<const std::uint8_t> window, const flash::Geometry& part,
                                        const Keys& keys);

/// Which provisioning copy is in force: the open one with the higher sequence. @returns nothing if none is
[[nodiscard]] std::optional<std::size_t> provisioning_in_force(const FlashReport& report);

[[nodiscard]] nlohmann::json to_json(const FlashReport& report);
[[nodiscard]] nlohmann::json to_json(const boot::BootState& state);
[[nodiscard]] nlohmann::json to_json(const BootJournal& journal);
[[nodiscard]] nlohmann::json to_json(const OtpBank& otp);
[[nodiscard]] nlohmann::json to_json(const CellReport& cells);
[[nodiscard]] nlohmann::json to_json(const SlotContent& slot);

}  // namespace otasim::inspect
