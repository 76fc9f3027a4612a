#include "sim/cli/flash_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/boot/slots.h"
#include "pal_sim/flash/flash_driver.h"
#include "sim/cli/table.h"
#include "sim/image/version.h"
#include "sim/inspect/flash_image.h"
#include "sim/inspect/text.h"

namespace otasim::cli {
namespace {

using namespace inspect;  // NOLINT(google-build-using-namespace): all that is shown is its

constexpr std::size_t kDigestDigits = 16;  ///< enough to tell images apart

std::string indented(const std::string& lines) {
  std::string out;
  std::size_t start = 0;
  while (start < lines.size()) {
    const std::size_t end = lines.find('\n', start);
    out += "  " + lines.substr(start, end - start) + "\n";
    start = end + 1;
  }
  return out;
}

std::string job_of(const boot::ImageIdentity& identity) {
  const auto& job = identity.job_id.characters;
  const std::string name =
      printable({job.data(), static_cast<std::size_t>(std::ranges::find(job, '\0') - job.begin())});
  return name.empty() ? "no job" : name;
}

std::string identity_text(const boot::ImageIdentity& identity) {
  if (identity == boot::ImageIdentity{}) return "not known yet";
  return fmt::format("{}, counter {}, {} bytes, sha256 {}..., {}", image::to_string(identity.version),
                     identity.security_counter, identity.size,
                     crypto::hex(identity.digest).substr(0, kDigestDigits), job_of(identity));
}

// ---- boot control

TableRow record_row(std::uint32_t sector, std::uint32_t page, const boot::BootRecord& record,
                    bool is_in_force) {
  const boot::BootState& state = record.state;
  std::string staged(boot::slot_name(state.staged_slot));
  if (state.staged_slot != boot::Slot::kNone)
    staged = fmt::format("{} {}", staged, boot::to_string(state.staged_state));
  return {fmt::format("{}, page {}", journal_partition(sector).name, page),
          std::to_string(record.sequence),
          role_name(record.role),
          std::string(boot::slot_name(state.committed_slot)),
          staged,
          is_in_force ? "in force" : " "};
}

std::string journal_text(const BootJournal& journal) {
  std::vector<TableRow> rows{{"PLACE", "SEQUENCE", "ROLE", "COMMITTED", "STAGED", " "}};
  std::string junk;
  for (std::uint32_t sector = 0; sector < kJournalSectors; ++sector) {
    for (std::uint32_t index = 0; index < flash::kJournalPages; ++index) {
      const JournalPage& page = journal.pages[sector][index];
      if (!page.problem.empty())
        junk += fmt::format("{}, page {}: {}\n", journal_partition(sector).name, index, page.problem);
      if (!page.record) continue;
      const bool is_in_force =
          journal.in_force && journal.in_force->sector == sector && journal.in_force->page == index;
      rows.push_back(record_row(sector, index, *page.record, is_in_force));
    }
  }
  if (rows.size() == 1) return "no record\n" + junk;
  const boot::BootState& state = journal.record_in_force()->state;
  std::string text = format_table(rows) + junk;
  text += fmt::format("the state in force is {}\n",
                      journal.is_settled ? "settled" : "not settled: the next boot writes it anew");
  text += fmt::format("committed: {}, {}\n", boot::slot_name(state.committed_slot),
                      state.committed_slot == boot::Slot::kNone ? "nothing" : identity_text(state.committed));
  if (state.staged_slot == boot::Slot::kNone) return text + "staged: nothing\n";
  text += fmt::format("staged: {}, {}, attempts {}, {}\n", boot::slot_name(state.staged_slot),
                      boot::to_string(state.staged_state), state.attempts, identity_text(state.staged));
  if (state.reject_reason != boot::RejectReason::kNone)
    text += fmt::format("rejected because: {}\n", boot::to_string(state.reject_reason));
  return text;
}

// ---- slots

std::string tlvs_text(const SlotContent& slot) {
  std::string text;
  for (const Tlv& tlv : slot.tlvs) {
    text += fmt::format("{}{} ({} bytes{})", text.empty() ? "" : ", ", tlv_name(tlv.type), tlv.length,
                        tlv.is_protected ? ", protected" : "");
  }
  return text;
}

std::string image_text(const SlotContent& slot) {
  const image::Info& info = *slot.image;
  const bool is_recovery = info.kind == static_cast<std::uint32_t>(boot::image::Kind::kRecovery);
  std::string text =
      fmt::format("{} image, version {}, security counter {}, {} bytes{}\n",
                  is_recovery ? "recovery" : (info.kind.value_or(0) == 0 ? "application" : "unknown kind of"),
                  image::to_string(info.version),
                  info.security_counter ? std::to_string(*info.security_counter) : "missing", info.total_size,
                  info.is_encrypted() ? ", encrypted" : "");
  text += fmt::format("header {} bytes, payload {} bytes, loads to {:#010x}, flags {:#x}\n", info.header_size,
                      info.payload_size, info.load_address, info.flags);
  text += fmt::format("TLVs: {}\n", tlvs_text(slot));
  if (info.sha256) text += fmt::format("sha256: {}\n", crypto::hex(*info.sha256));
  text += slot.signer.empty() ? fmt::format("does not verify: {}\n", slot.verify_problem)
                              : fmt::format("verifies with {}\n", slot.signer);
  return text;
}

std::string slot_text(const SlotContent& slot) {
  if (slot.used_bytes == 0) return "erased\n";
  std::string text;
  if (slot.image) {
    text += image_text(slot);
  } else if (slot.first_sector_is_erased) {
    text += fmt::format("no image: the first sector is erased, and what follows up to byte {:#x} is not\n",
                        slot.used_bytes);
  } else {
    text += slot.problem + "\n";
  }
  if (slot.image && slot.used_bytes > slot.image->total_size)
    text += fmt::format("behind the image, up to byte {:#x}, it is not erased\n", slot.used_bytes);
  if (slot.erased_pages_inside != 0)
    text += fmt::format("{} pages inside what is used read erased\n", slot.erased_pages_inside);
  return text;
}

// ---- the rest

std::string floor_text(const OtpFloor& floor) {
  return floor.unsure_steps == 0
             ? std::to_string(floor.steps)
             : fmt::format("{} ({} steps are burned in part)", floor.steps, floor.unsure_steps);
}

std::string otp_text(const OtpBank& otp) {
  std::string text = fmt::format("floor of applications: {}\nfloor of recovery images: {}\n",
                                 floor_text(otp.application), floor_text(otp.recovery));
  text += fmt::format("revoked signers: {}\n", otp.revoked_signers.empty()
                                                   ? "none"
                                                   : fmt::format("{}", fmt::join(otp.revoked_signers, ", ")));
  if (!otp.unsure_signers.empty())
    text += fmt::format("burned in part: signers {}\n", fmt::join(otp.unsure_signers, ", "));
  if (otp.burned_unused_bits != 0)
    text += fmt::format("{} bits are burned where the bank has no use\n", otp.burned_unused_bits);
  return text;
}

std::string certificate_text(const CertificateText& one) {
  if (!one.problem.empty()) return fmt::format("{}: {}\n", one.role, one.problem);
  const auto time = [](const std::optional<std::int64_t>& value) { return value ? utc(*value) : "?"; };
  return fmt::format("{}: {}, issued by {}, valid from {} to {}\n", one.role, one.subject, one.issuer,
                     time(one.not_before), time(one.not_after));
}

std::string provisioning_text(const ProvisioningCopy& copy, bool is_in_force) {
  if (copy.used_bytes == 0) return "erased\n";
  if (!copy.sequence) return copy.problem + "\n";
  std::string text = fmt::format("sealed blob, sequence {}, body {} bytes{}\n", *copy.sequence,
                                 copy.body_size, is_in_force ? ", in force" : "");
  if (!copy.problem.empty()) text += copy.problem + "\n";
  if (!copy.opened) return text;
  const OpenedProvisioning& opened = *copy.opened;
  if (!opened.is_complete) text += "a required entry is missing\n";
  text += fmt::format("thing {}, endpoint {}, MAC {}\n", opened.thing_name, opened.endpoint, opened.mac);
  text += fmt::format(
      "private key {}, entropy seed {} bytes, keep-alive {} s, self test {} ms, request wait {} ms\n",
      opened.has_device_key ? "present" : "missing", opened.entropy_seed_bytes, opened.keep_alive_seconds,
      opened.self_test_ms, opened.request_wait_ms);
  for (const CertificateText& one : opened.certificates) text += certificate_text(one);
  return text;
}

std::string counts_text(const PageCounts& counts) {
  if (counts.junk == 0) return fmt::format("{} records", counts.records);
  return fmt::format("{} records, {} torn or damaged pages", counts.records, counts.junk);
}

std::string calendar_text(const Calendar& calendar) {
  return fmt::format("floor: {}\ncalendar-0: {}\ncalendar-1: {}\n",
                     calendar.floor ? utc(*calendar.floor) : "none", counts_text(calendar.sectors[0]),
                     counts_text(calendar.sectors[1]));
}

std::string seed_text(const FlashReport& report) {
  if (report.part.has_entropy && !report.seed.in_force) return "not used: the part has an entropy source\n";
  return fmt::format("sequence in force: {}\nseed-0: {}\nseed-1: {}\n",
                     report.seed.in_force ? std::to_string(*report.seed.in_force) : "none",
                     counts_text(report.seed.sectors[0].pages), counts_text(report.seed.sectors[1].pages));
}

std::string registers_text(const FlashReport& report) {
  const RegisterFile& registers = report.registers;
  std::string text = fmt::format("operations accepted: {}, entropy commands served: {}\n", registers.sequence,
                                 registers.entropy_count);
  if (!registers.problem.empty()) text += registers.problem + "\n";
  if (!report.part.has_locks) return text + "the part has no locks\n";
  std::string locks = registers.otp_is_locked ? "otp" : "";
  for (const Lock& lock : registers.locks)
    locks += fmt::format("{}{}", locks.empty() ? "" : ", ", range_name(lock.offset, lock.length));
  return text + fmt::format("locked: {}\n", locks.empty() ? "nothing" : locks);
}

std::string cells_text(const CellReport& cells) {
  std::string text = fmt::format("power-ons: {}\n", cells.power_ons);
  std::vector<TableRow> rows{{"PARTITION", "ERASES", "OF ONE SECTOR", "MARGINAL BYTES", "FROM", "TO"}};
  for (const PartitionCells& one : cells.partitions) {
    const bool is_marginal = one.marginal_bytes != 0;
    rows.push_back({one.partition, std::to_string(one.erases), std::to_string(one.most_erases),
                    std::to_string(one.marginal_bytes),
                    is_marginal ? fmt::format("{:#08x}", one.first_marginal) : "",
                    is_marginal ? fmt::format("{:#08x}", one.last_marginal) : ""});
  }
  return rows.size() == 1 ? text + "no sector was erased, no cell is marginal\n" : text + format_table(rows);
}

std::string section(const std::string& title, const std::string& lines) {
  return title + "\n" + indented(lines);
}

/// What is an object in a report, in a few words.
std::string object_text(const nlohmann::json& object) {
  const auto text = [&object](const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (object.contains("committed_slot")) {
    const std::string staged = text("staged_slot");
    return fmt::format("{} (committed {}, staged {})", text("role"), text("committed_slot"),
                       staged == "none" ? "nothing" : staged + " " + text("staged_state"));
  }
  if (object.contains("sha256")) {
    return fmt::format("{} image {}, {}", text("kind"), text("version"),
                       object.value("verifies", false) ? "which verifies" : "which does not verify");
  }
  if (object.contains("digest")) return fmt::format("image {}", text("version"));
  if (object.contains("range")) return text("range");
  if (object.contains("problem") && object.size() == 1) return text("problem");
  return object.dump();
}

std::string value_text(const nlohmann::json& value) {
  if (value.is_object()) return object_text(value);
  if (value.is_array() && !value.empty()) {
    std::string text;
    for (const nlohmann::json& one : value) text += (text.empty() ? "" : ", ") + value_text(one);
    return text;
  }
  if (value.is_null() || value.empty() || value == "") return "nothing";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

std::string flash_report_text(const FlashReport& report) {
  std::string text = fmt::format("part: {}, array {:#x} bytes, sectors of {:#x}\n", part_name(report.part),
                                 report.part.size, report.part.sector_size);
  text += section("boot control", journal_text(report.boot_control));
  for (std::size_t i = 0; i < kSlots.size(); ++i)
    text += section(std::string(kSlots[i].name), slot_text(report.slots[i]));
  text += section("OTP", otp_text(report.otp));
  const auto in_force = provisioning_in_force(report);
  for (std::size_t i = 0; i < report.provisioning.size(); ++i)
    text +=
        section(fmt::format("provisioning-{}", i), provisioning_text(report.provisioning[i], in_force == i));
  text += section("calendar", calendar_text(report.calendar));
  text += section("seed", seed_text(report));
  text += section("controller", registers_text(report));
  if (report.cells) text += section("cells", cells_text(*report.cells));
  std::string strays;
  for (const std::string& stray : report.strays) strays += stray + "\n";
  return strays.empty() ? text : text + section("where nothing belongs", strays);
}

std::string changes_text(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes)
    text += fmt::format("{}: {} -> {}\n", change.what, value_text(change.from), value_text(change.to));
  return text;
}

std::string byte_differences_text(const std::vector<PartitionDifference>& differences) {
  std::string text;
  for (const PartitionDifference& one : differences) {
    text += fmt::format("{}: {} bytes differ\n", one.partition.empty() ? "no partition" : one.partition,
                        one.differing_bytes);
    for (const ByteRange& range : one.ranges)
      text += fmt::format("  {:#08x} to {:#08x}\n", range.offset, range.offset + range.length - 1);
    if (one.left_off != 0) text += fmt::format("  and {} ranges more\n", one.left_off);
  }
  return text;
}

std::string hex_dump(std::span<const std::uint8_t> bytes, std::uint32_t first_offset) {
  constexpr std::size_t kLine = 16;
  std::string text;
  std::span<const std::uint8_t> last;
  bool is_repeating = false;
  for (std::size_t at = 0; at < bytes.size(); at += kLine) {
    const auto line = bytes.subspan(at, std::min(kLine, bytes.size() - at));
    const bool is_same = !last.empty() && std::ranges::equal(line, last);
    last = line;
    if (is_same) {
      if (!is_repeating) text += "*\n";
      is_repeating = true;
      continue;
    }
    is_repeating = false;
    std::string characters;
    for (const std::uint8_t byte : line)
      characters += byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '.';
    text += fmt::format("{:08x}  {:<47}  |{}|\n", first_offset + at,
                        fmt::format("{:02x}", fmt::join(line, " ")), characters);
  }
  return text + fmt::format("{:08x}\n", first_offset + bytes.size());
}

}  // namespace otasim::cli
