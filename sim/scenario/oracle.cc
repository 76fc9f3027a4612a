#include "sim/scenario/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <boost/crc.hpp>
#include <cstring>
#include <optional>

#include "agent/boot/boot_control.h"
#include "agent/boot/security_counter.h"
#include "agent/boot/slots.h"
#include "pal_sim/flash/flash_map.h"

namespace otasim::scenario {
namespace {

using boot::BootRecord;

tl::unexpected<Error> wrong(std::string message) {
  return fail(ExitCode::kFailed, "flash: " + message);
}

std::optional<BootRecord> record_at(std::span<const std::uint8_t> page, std::uint32_t sector,
                                    std::uint32_t index) {
  BootRecord record;
  std::memcpy(&record, page.data(), sizeof record);
  if (record.magic != BootRecord::kMagic || record.format != BootRecord::kFormat) return std::nullopt;
  boost::crc_32_type crc;
  crc.process_bytes(page.data(), offsetof(BootRecord, crc32));
  if (record.crc32 != crc.checksum()) return std::nullopt;
  // A record's number is its place; one that stands elsewhere is no record.
  if (sector != (record.sequence / flash::kJournalPages) % 2) return std::nullopt;
  if (index != record.sequence % flash::kJournalPages) return std::nullopt;
  return record;
}

constexpr auto kSettles = static_cast<std::uint16_t>(boot::RecordRole::kSecondConfirmation);

/// The valid record with the highest number, of all or of those that settle.
std::optional<BootRecord> newest_record(std::span<const std::uint8_t> window, bool settled_only = false) {
  std::optional<BootRecord> newest;
  for (std::uint32_t at = 0; at < 2 * flash::kJournalPages; ++at) {
    const std::uint32_t sector = at / flash::kJournalPages;
    const std::uint32_t index = at % flash::kJournalPages;
    const flash::Partition& partition = sector == 0 ? flash::kBootControl0 : flash::kBootControl1;
    const auto page = window.subspan(partition.offset + index * flash::kPageSize, flash::kPageSize);
    const auto record = record_at(page, sector, index);
    if (!record || (settled_only && record->role != kSettles)) continue;
    if (!newest || record->sequence > newest->sequence) newest = record;
  }
  return newest;
}

std::optional<flash::Partition> partition_of(boot::Slot slot) {
  switch (slot) {
    case boot::Slot::kA:
      return flash::kSlotA;
    case boot::Slot::kB:
      return flash::kSlotB;
    case boot::Slot::kRecovery:
      return flash::kRecovery;
    default:
      return std::nullopt;
  }
}

/// Verifies the image in a slot, which must be of the slot's own kind.
Result<image::Info> image_in(std::span<const std::uint8_t> window, boot::Slot slot,
                             const VerifyImage& verify) {
  using boot::image::Kind;
  const std::optional<flash::Partition> partition = partition_of(slot);
  if (!partition) return wrong("there is no such slot.");
  Result<image::Info> info = verify(window.subspan(partition->offset, partition->size));
  if (!info) return wrong(fmt::format("slot {}: {}", slot_letter(slot), info.error().message));
  const Kind kind = slot == boot::Slot::kRecovery ? Kind::kRecovery : Kind::kApplication;
  if (info->kind.value_or(0) != static_cast<std::uint32_t>(kind)) {
    return wrong(fmt::format("slot {} holds an image of another kind.", slot_letter(slot)));
  }
  return info;
}

/// A floor in OTP: as many as there are steps in its part, of four bits each, of which at least three were
/// burned.
std::uint32_t floor_at(std::span<const std::uint8_t> window, std::uint32_t offset) {
  const auto bank = window.subspan(flash::kOtpOffset + offset, boot::kFloorBankSize);
  std::uint32_t burned = 0;
  for (const std::uint8_t byte : bank) {
    for (const unsigned step : {byte & 0x0FU, unsigned{byte} >> 4U})
      burned += std::popcount(step) <= 1 ? 1U : 0U;
  }
  return burned;
}

bool is_window(std::span<const std::uint8_t> window) {
  return window.size() == flash::kWindowSize;
}

VerifyImage verifier_with(const crypto::P256Key& key) {
  return [&key](std::span<const std::uint8_t> bytes) { return image::verify(bytes, key); };
}

}  // namespace

std::optional<StateInForce> state_in_force(std::span<const std::uint8_t> window) {
  const auto record = newest_record(window);
  if (!record) return std::nullopt;
  return StateInForce{record->state, record->role == kSettles};
}

std::optional<boot::BootState> last_settled_state(std::span<const std::uint8_t> window) {
  const auto record = newest_record(window, true);
  return record ? std::optional(record->state) : std::nullopt;
}

std::uint32_t application_floor(std::span<const std::uint8_t> window) {
  return floor_at(window, 0);
}

std::uint32_t recovery_floor(std::span<const std::uint8_t> window) {
  return floor_at(window, boot::kFloorBankSize);
}

std::string slot_letter(boot::Slot slot) {
  return std::string(boot::slot_name(slot));
}

Result<ApprovedImage> approved_image(std::span<const std::uint8_t> window, const crypto::P256Key& key) {
  return approved_image(window, verifier_with(key));
}

Result<ApprovedImage> approved_image(std::span<const std::uint8_t> window, const VerifyImage& verify) {
  if (!is_window(window)) return fail(ExitCode::kInternal, "the flash window has a wrong size");
  const std::optional<BootRecord> record = newest_record(window);
  if (!record) return wrong("there is no valid boot control record.");
  return approved_image(record->state, window, verify);
}

Result<ApprovedImage> approved_image(const boot::BootState& state, std::span<const std::uint8_t> window,
                                     const VerifyImage& verify) {
  const bool is_accepted = state.staged_state == boot::StagedState::kAccepted;
  const boot::Slot slot = is_accepted ? state.staged_slot : state.committed_slot;
  const boot::ImageIdentity& identity = is_accepted ? state.staged : state.committed;
  if (slot != boot::Slot::kA && slot != boot::Slot::kB) return wrong("boot control approves no image.");
  Result<image::Info> info = image_in(window, slot, verify);
  if (!info) return tl::unexpected(info.error());
  if (!std::equal(info->sha256->begin(), info->sha256->end(), identity.digest.begin(),
                  identity.digest.end())) {
    return wrong(fmt::format("slot {} holds another image than boot control approved.", slot_letter(slot)));
  }
  const auto& job = identity.job_id.characters;
  return ApprovedImage{slot, is_accepted ? "accepted" : "committed", std::move(*info),
                       std::string(job.data(), strnlen(job.data(), job.size()))};
}

Result<ApprovedImage> fail_safe_image(std::span<const std::uint8_t> window, const crypto::P256Key& key) {
  return fail_safe_image(window, verifier_with(key));
}

Result<ApprovedImage> fail_safe_image(std::span<const std::uint8_t> window, const VerifyImage& verify) {
  if (!is_window(window)) return fail(ExitCode::kInternal, "the flash window has a wrong size");
  Result<image::Info> info = image_in(window, boot::Slot::kRecovery, verify);
  if (!info) return tl::unexpected(info.error());
  const std::uint32_t floor = recovery_floor(window);
  if (info->security_counter.value_or(0) < floor) {
    return wrong(fmt::format("the recovery image's security counter is {}, below {} in OTP.",
                             info->security_counter.value_or(0), floor));
  }
  return ApprovedImage{boot::Slot::kRecovery, "recovery", std::move(*info), {}};
}

bool slot_holds(std::span<const std::uint8_t> window, boot::Slot slot, std::span<const std::uint8_t> file) {
  const std::optional<flash::Partition> partition = partition_of(slot);
  if (!partition || file.size() > partition->size) return false;
  return std::equal(file.begin(), file.end(), window.begin() + partition->offset);
}

}  // namespace otasim::scenario
