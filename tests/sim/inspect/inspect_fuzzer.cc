// The inspector: any bytes of flash are reported on, and any operation is told.
//
// Input: pieces, one after the other: a byte that says what it is, an offset (2 bytes, little-endian), a
// length (1 byte) and as many bytes. Pieces 0 to 7 are bytes of boot-control-0, boot-control-1, calendar-0,
// seed-0, seed-1, provisioning-0, OTP and the registers, from the offset on; 8 of a slot of 4 KiB. 9 is a
// record of the journal whose checksum is put in: the offset is its page (0 to 31), the first byte its role,
// the second its generation, the others its state. 10 is an operation of a part: kind, status, two bytes of
// offset above the piece's, then its data.
//
// What holds: the report is JSON that can be written, and equal to itself; the record in force and whether it
// is settled are what the bootloader's reader says; no page is both a record and a problem; a copy of
// provisioning opens only if it is authentic, which no input here is.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "agent/boot/boot_control.h"
#include "pal_sim/flash/crc32.h"
#include "pal_sim/flash/window.h"
#include "qemu_boards/native/native_flash.h"
#include "sim/inspect/diff.h"
#include "sim/inspect/explain.h"
#include "sim/inspect/flash_report.h"
#include "tests/fuzzing/claim.h"

namespace {

using namespace otasim::inspect;  // NOLINT(google-build-using-namespace): all that is tested is its
using otasim::testing::claim;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kHeaderSize = 4;
constexpr std::uint32_t kSlotBytes = 4096;
constexpr std::uint8_t kSlotPiece = 8;
constexpr std::uint8_t kRecordPiece = 9;
constexpr std::uint8_t kOperationPiece = 10;

struct Area {
  std::uint32_t offset;
  std::uint32_t size;
};
/// What pieces 0 to 7 go to: as much of each as is read.
constexpr std::array<Area, 8> kAreas{{{flash::kBootControl0.offset, flash::kJournalSize},
                                      {flash::kBootControl1.offset, flash::kJournalSize},
                                      {flash::kCalendar0.offset, flash::kJournalSize},
                                      {flash::kSeed0.offset, flash::kJournalSize},
                                      {flash::kSeed1.offset, flash::kJournalSize},
                                      {flash::kProvisioning0.offset, provisioning::kMaxBlobSize},
                                      {flash::kOtpOffset, flash::kOtpSize},
                                      {flash::kRegistersOffset, 256}}};

native::NativeFlash& part() {
  static native::NativeFlash flash;
  return flash;
}

void clear(std::vector<std::uint8_t>& slot) {
  for (const Area& area : kAreas)
    std::ranges::fill(part().window().subspan(area.offset, area.size), std::uint8_t{0xFF});
  slot.assign(kSlotBytes, 0xFF);
}

void put(std::span<std::uint8_t> area, std::uint32_t offset, Bytes bytes) {
  const std::size_t at = offset % area.size();
  const std::size_t count = std::min(bytes.size(), area.size() - at);
  std::copy_n(bytes.begin(), count, area.begin() + static_cast<std::ptrdiff_t>(at));
}

void put_record(std::uint32_t page, Bytes bytes) {
  if (bytes.size() < 2) return;
  page %= 2 * flash::kJournalPages;
  boot::BootRecord record{};
  record.magic = boot::BootRecord::kMagic;
  record.format = boot::BootRecord::kFormat;
  record.role = bytes[0];
  record.sequence = page + 2 * flash::kJournalPages * bytes[1];
  const Bytes state = bytes.subspan(2);
  std::memcpy(reinterpret_cast<std::uint8_t*>(&record.state), state.data(),
              std::min(state.size(), sizeof record.state));
  record.crc32 =
      flash::crc32({reinterpret_cast<const std::uint8_t*>(&record), offsetof(boot::BootRecord, crc32)});
  const std::uint32_t offset =
      journal_partition(page / flash::kJournalPages).offset + page % flash::kJournalPages * flash::kPageSize;
  std::memcpy(part().window().data() + offset, &record, sizeof record);
}

void tell_operation(std::uint32_t offset, Bytes bytes) {
  if (bytes.size() < 4) return;
  flash::LoggedOperation operation;
  operation.kind = static_cast<flash::OpKind>(bytes[0]);
  operation.status = static_cast<flash::Status>(bytes[1]);
  operation.offset = offset | std::uint32_t{bytes[2]} << 16 | std::uint32_t{bytes[3]} << 24;
  operation.data.assign(bytes.begin() + 4, bytes.end());
  operation.length = static_cast<std::uint32_t>(operation.data.size());
  operation.time_us = std::uint64_t{offset} << 48;
  const nlohmann::json text{
      {"time", time_text(operation)}, {"place", place_name(operation)}, {"did", what_it_did(operation)}};
  claim(!text.dump().empty(), "an operation can be written as JSON");
}

void take(std::uint8_t what, std::uint32_t offset, Bytes bytes, std::vector<std::uint8_t>& slot) {
  if (what < kAreas.size())
    return put(part().window().subspan(kAreas[what].offset, kAreas[what].size), offset, bytes);
  if (what == kSlotPiece) return put(slot, offset, bytes);
  if (what == kRecordPiece) return put_record(offset, bytes);
  if (what == kOperationPiece) tell_operation(offset, bytes);
}

void compare_with_bootloader(const BootJournal& journal) {
  boot::BootControl control(part());
  claim(control.load() == flash::Status::kOk, "the bootloader reads the journal");
  claim(journal.in_force.has_value() == control.has_record(), "both find a record, or none");
  // A set that goes over from one sector to the other is none for the host; nobody writes such a one.
  const bool may_go_over = journal.in_force && journal.in_force->page < 2;
  claim(may_go_over || journal.is_settled == control.is_settled(), "both find it settled, or not");
  for (const auto& sector : journal.pages) {
    for (const JournalPage& page : sector)
      claim(!page.record || page.problem.empty(), "a record has no problem");
  }
  if (!control.has_record()) return;
  claim(journal.record_in_force()->state == control.state(), "both find the same state");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> slot;
  clear(slot);
  Bytes rest(data, size);
  while (rest.size() >= kHeaderSize) {
    const std::size_t length = std::min<std::size_t>(rest[3], rest.size() - kHeaderSize);
    take(rest[0], static_cast<std::uint32_t>(rest[1] | rest[2] << 8), rest.subspan(kHeaderSize, length),
         slot);
    rest = rest.subspan(kHeaderSize + length);
  }
  const Bytes window = part().window();
  static const DeviceKey kKey{0x5E, 0xA1};
  FlashReport report{.part = flash::kControllerPart,
                     .registers = read_registers(window),
                     .boot_control = read_boot_journal(window),
                     .otp = read_otp_bank(window.subspan(flash::kOtpOffset, flash::kOtpSize)),
                     .calendar = read_calendar(window),
                     .seed = read_seed_journal(window)};
  report.slots[0] = read_slot(slot, flash::kSmallestSector / 4, {});
  report.provisioning[0] =
      read_provisioning(window.subspan(flash::kProvisioning0.offset, provisioning::kMaxBlobSize), kKey);
  claim(!report.provisioning[0].opened, "what was not sealed does not open");
  compare_with_bootloader(report.boot_control);
  const nlohmann::json json = to_json(report);
  claim(!json.dump().empty(), "the report can be written");
  claim(changes_between(json, json).empty(), "and is equal to itself");
  return 0;
}
