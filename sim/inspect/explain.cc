#include "sim/inspect/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "agent/boot/key_revocation.h"
#include "agent/boot/security_counter.h"
#include "agent/boot/slots.h"
#include "sim/flash/flash_history.h"
#include "sim/flash/flash_range.h"
#include "sim/image/version.h"
#include "sim/inspect/boot_journal.h"
#include "sim/inspect/flash_report.h"
#include "sim/inspect/journals.h"
#include "sim/inspect/register_file.h"
#include "sim/inspect/text.h"

namespace otasim::inspect {
namespace {

using flash::LoggedOperation;
using flash::OpKind;

const flash::Partition* partition_of(std::uint32_t offset) {
  const auto found = std::ranges::find_if(flash::kPartitions, [offset](const flash::Partition& partition) {
    return partition.contains(offset, 1);
  });
  return found == flash::kPartitions.end() ? nullptr : &*found;
}

std::string record_text(const LoggedOperation& operation, JournalPlace place) {
  const JournalPage page = read_journal_page(operation.data, place);
  if (page.is_blank()) return "nothing: the data are those of an erased page";
  if (!page.record) return page.problem;
  const boot::BootState& state = page.record->state;
  const std::string staged =
      state.staged_slot == boot::Slot::kNone
          ? "nothing"
          : fmt::format("{} {}", boot::slot_name(state.staged_slot), boot::to_string(state.staged_state));
  return fmt::format("a {} with the sequence {}: committed {}, staged {}", role_name(page.record->role),
                     page.record->sequence, boot::slot_name(state.committed_slot), staged);
}

bool is_slot(const flash::Partition& partition) {
  return std::ranges::any_of(kSlots,
                             [&](const flash::Partition& slot) { return slot.offset == partition.offset; });
}

bool begins_an_image(std::span<const std::uint8_t> data) {
  constexpr std::array<std::uint8_t, 4> kMagic{boot::image::kMagic & 0xFF, boot::image::kMagic >> 8 & 0xFF,
                                               boot::image::kMagic >> 16 & 0xFF, boot::image::kMagic >> 24};
  return data.size() >= boot::image::kHeaderStructSize &&
         std::ranges::equal(data.first(kMagic.size()), kMagic);
}

/// The version stands behind magic, load address, sizes and flags.
image::Version header_version(std::span<const std::uint8_t> header) {
  constexpr std::size_t kVersionAt = 20;
  const auto at = [header](std::size_t i) { return std::uint32_t{header[kVersionAt + i]}; };
  return {.major = header[kVersionAt],
          .minor = header[kVersionAt + 1],
          .revision = static_cast<std::uint16_t>(at(2) | at(3) << 8),
          .build_number = at(4) | at(5) << 8 | at(6) << 16 | at(7) << 24};
}

std::string program_text(const LoggedOperation& operation) {
  if (operation.data.empty()) return "nothing: it has no data";
  if (const auto place = journal_place(operation.offset);
      place && operation.offset % flash::kPageSize == 0 && operation.data.size() == flash::kPageSize) {
    return record_text(operation, *place);
  }
  const flash::Partition* const partition = partition_of(operation.offset);
  const std::uint64_t last = std::uint64_t{operation.offset} + operation.data.size() - 1;
  if (partition == nullptr) return fmt::format("bytes {:#x} to {:#x} of flash", operation.offset, last);
  if (const auto time = calendar_time(operation.data);
      time &&
      (partition->offset == flash::kCalendar0.offset || partition->offset == flash::kCalendar1.offset))
    return fmt::format("the time {}", utc(*time));
  if (const auto sequence = seed_sequence(operation.data);
      sequence && (partition->offset == flash::kSeed0.offset || partition->offset == flash::kSeed1.offset))
    return fmt::format("a seed with the sequence {}", *sequence);
  const std::string bytes = fmt::format("bytes {:#x} to {:#x} of {}", operation.offset - partition->offset,
                                        last - partition->offset, partition->name);
  if (operation.offset == partition->offset && is_slot(*partition) && begins_an_image(operation.data)) {
    return fmt::format("{}: the header of an image, version {}", bytes,
                       image::to_string(header_version(operation.data)));
  }
  return bytes;
}

std::string burn_text(const LoggedOperation& operation) {
  const char* what = "bytes that have no use";
  if (operation.offset < boot::kFloorBankSize) {
    what = "the applications' floor";
  } else if (operation.offset < boot::kRevocationOffset) {
    what = "the recovery images' floor";
  } else if (operation.offset < boot::kRevocationOffset + boot::kRevocationSize) {
    return fmt::format("the revocation of signer {}", (operation.offset - boot::kRevocationOffset) / 2);
  }
  return fmt::format("{}, {} bytes of it", what, operation.data.size());
}

}  // namespace

std::string time_text(const LoggedOperation& operation) {
  constexpr std::uint64_t kMicroseconds = 1'000'000;
  if (operation.time_us == 0) return "unknown";
  std::string text = utc(static_cast<std::int64_t>(operation.time_us / kMicroseconds));
  if (text.ends_with('Z'))
    text.insert(text.size() - 1, fmt::format(".{:06}", operation.time_us % kMicroseconds));
  return text;
}

std::string place_name(const LoggedOperation& operation) {
  if (operation.kind == OpKind::kOtpLock || operation.kind == OpKind::kOtpProgram) return "otp";
  if (operation.kind == OpKind::kLock) return range_name(operation.offset, operation.length);
  const std::string_view name = flash_file::partition_at(operation.offset);
  return name.empty() ? "no partition" : std::string(name);
}

std::string what_it_did(const LoggedOperation& operation) {
  switch (operation.kind) {
    case OpKind::kProgram:
      return program_text(operation);
    case OpKind::kOtpProgram:
      return burn_text(operation);
    case OpKind::kEraseSector:
    case OpKind::kEraseBlock: {
      const flash::Partition* const partition = partition_of(operation.offset);
      const std::uint32_t begin = partition == nullptr ? 0 : partition->offset;
      return fmt::format("the {} at {:#x} of {}, {} bytes",
                         operation.kind == OpKind::kEraseBlock ? "block" : "sector", operation.offset - begin,
                         partition == nullptr ? "flash" : partition->name, operation.length);
    }
    case OpKind::kLock:
      return fmt::format("{}, until reset", range_name(operation.offset, operation.length));
    case OpKind::kOtpLock:
      return "the OTP bank, until reset";
  }
  return "nothing that is known";
}

}  // namespace otasim::inspect
