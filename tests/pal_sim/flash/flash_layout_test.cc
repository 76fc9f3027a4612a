// docs/flash-layout.md against the code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "agent/boot/boot_control.h"
#include "pal_sim/flash/controller_registers.h"
#include "pal_sim/flash/crc32.h"
#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/native/native_flash.h"

namespace flash {
namespace {

using Row = std::vector<std::string>;

std::string trim(const std::string& text) {
  const auto begin = text.find_first_not_of(" `");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" `") - begin + 1);
}

Row cells_of(const std::string& line) {
  Row cells;
  for (std::size_t at = 1; at < line.size();) {
    const std::size_t end = line.find('|', at);
    if (end == std::string::npos) break;
    cells.push_back(trim(line.substr(at, end - at)));
    at = end + 1;
  }
  return cells;
}

// The rows below the first table whose headings begin with these.
std::vector<Row> table(const Row& headings) {
  std::ifstream file(FLASH_LAYOUT_DOC);
  std::vector<Row> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    const Row cells = line.starts_with('|') ? cells_of(line) : Row{};
    if (inside && cells.empty()) break;
    if (inside && !cells[0].starts_with("---")) rows.push_back(cells);
    if (cells.size() >= headings.size() && std::equal(headings.begin(), headings.end(), cells.begin())) {
      inside = true;
    }
  }
  return rows;
}

std::uint32_t number(const std::string& text) {
  return static_cast<std::uint32_t>(std::stoul(text, nullptr, 0));
}

struct Field {
  std::size_t offset;
  std::size_t length;
  std::string name;

  bool operator==(const Field&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Field& field) {
    return out << field.name << " at " << field.offset << ", " << field.length << " bytes";
  }
};

/// What a table of fields says, whose first heading is this.
std::vector<Field> fields(const std::string& first) {
  std::vector<Field> shown;
  for (const Row& row : table({first, "Length", "Field", "Content"})) {
    shown.push_back({number(row[0]), number(row[1]), row[2]});
  }
  return shown;
}

/// A member of a struct as the document names it.
#define FIELD(type, member)                               \
  Field {                                                 \
    offsetof(type, member), sizeof(type::member), #member \
  }

/// A member of a member, counted from the outer one's beginning.
Field inside(const Field& outer, const Field& inner) {
  return {outer.offset + inner.offset, inner.length, outer.name + "." + inner.name};
}

TEST(FlashLayout, DocumentShowsThePartitionTable) {
  const auto rows = table({"Partition", "Offset"});
  ASSERT_EQ(rows.size(), kPartitions.size()) << "rows in " << FLASH_LAYOUT_DOC;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), 4u);
    EXPECT_EQ(rows[i][0], kPartitions[i].name);
    EXPECT_EQ(number(rows[i][1]), kPartitions[i].offset) << rows[i][0];
    EXPECT_EQ(number(rows[i][2]), kPartitions[i].size) << rows[i][0];
    EXPECT_EQ(rows[i][3], kPartitions[i].purpose) << rows[i][0];
  }
}

TEST(FlashLayout, DocumentShowsEveryPart) {
  const auto rows = table({"Part", "Boards"});
  ASSERT_EQ(rows.size(), kParts.size()) << "rows in " << FLASH_LAYOUT_DOC;
  const auto yes_or_no = [](bool is_true) { return is_true ? "yes" : "no"; };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), 9u);
    EXPECT_EQ(number(rows[i][2]), kParts[i].size) << rows[i][0];
    EXPECT_EQ(number(rows[i][3]), kParts[i].sector_size) << rows[i][0];
    EXPECT_EQ(number(rows[i][4]), kParts[i].block_size) << rows[i][0];
    EXPECT_EQ(number(rows[i][5]), kParts[i].page_size) << rows[i][0];
    EXPECT_EQ(rows[i][6], yes_or_no(kParts[i].has_locks)) << rows[i][0];
    EXPECT_EQ(rows[i][7], yes_or_no(kParts[i].has_fuses)) << rows[i][0];
    EXPECT_EQ(rows[i][8], yes_or_no(kParts[i].has_entropy)) << rows[i][0];
  }
}

TEST(FlashLayout, DocumentShowsTheWindow) {
  const auto rows = table({"Offset", "Size"});
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(number(rows[0][1]), kControllerPart.size);
  EXPECT_EQ(number(rows[1][0]), kOtpOffset);
  EXPECT_EQ(number(rows[1][1]), kOtpSize);
  EXPECT_EQ(number(rows[2][0]), kRegistersOffset);
  EXPECT_EQ(number(rows[3][0]), kPageBufferOffset);
  EXPECT_EQ(number(rows[3][1]), kPageSize);
}

TEST(FlashLayout, DocumentShowsEveryRegister) {
  using namespace controller;
  const std::vector<std::pair<std::string, std::uint32_t>> expected{{"ID", kRegId},
                                                                    {"VERSION", kRegVersion},
                                                                    {"COMMAND", kRegCommand},
                                                                    {"STATUS", kRegStatus},
                                                                    {"OFFSET", kRegOffset},
                                                                    {"LENGTH", kRegLength},
                                                                    {"SEQUENCE", kRegSequence},
                                                                    {"BLOCK_SIZE", kRegBlockSize},
                                                                    {"ARRAY_SIZE", kRegArraySize},
                                                                    {"SECTOR_SIZE", kRegSectorSize},
                                                                    {"PAGE_SIZE", kRegPageSize},
                                                                    {"OTP_SIZE", kRegOtpSize},
                                                                    {"OTP_LOCKED", kRegOtpLocked},
                                                                    {"LOCK_COUNT", kRegLockCount},
                                                                    {"ENTROPY_COUNT", kRegEntropyCount},
                                                                    {"FEATURES", kRegFeatures},
                                                                    {"LOCKS", kRegLocks},
                                                                    {"BUSY_LEFT", kRegBusyLeft},
                                                                    {"BUSY_STATUS", kRegBusyStatus}};
  std::vector<std::pair<std::string, std::uint32_t>> shown;
  for (const Row& row : table({"Offset", "Register"})) {
    shown.emplace_back(row[1].substr(0, row[1].find(',')), number(row[0]));
  }
  EXPECT_EQ(shown, expected);
}

TEST(FlashLayout, DocumentShowsEveryFieldOfABootRecord) {
  using boot::BootRecord;
  using boot::BootState;
  const Field state = FIELD(BootRecord, state);
  const std::vector<Field> expected{FIELD(BootRecord, magic),
                                    FIELD(BootRecord, sequence),
                                    FIELD(BootRecord, format),
                                    FIELD(BootRecord, role),
                                    inside(state, FIELD(BootState, committed_slot)),
                                    inside(state, FIELD(BootState, staged_slot)),
                                    inside(state, FIELD(BootState, staged_state)),
                                    inside(state, FIELD(BootState, attempts)),
                                    inside(state, FIELD(BootState, reject_reason)),
                                    inside(state, FIELD(BootState, reserved)),
                                    inside(state, FIELD(BootState, committed)),
                                    inside(state, FIELD(BootState, staged)),
                                    FIELD(BootRecord, crc32)};
  EXPECT_EQ(fields("Offset"), expected);
}

TEST(FlashLayout, DocumentShowsEveryFieldOfAnIdentity) {
  using boot::ImageIdentity;
  using boot::JobId;
  using boot::image::Version;
  const Field version = FIELD(ImageIdentity, version);
  const Field job_id = FIELD(ImageIdentity, job_id);
  const std::vector<Field> expected{inside(version, FIELD(Version, major)),
                                    inside(version, FIELD(Version, minor)),
                                    inside(version, FIELD(Version, revision)),
                                    inside(version, FIELD(Version, build_number)),
                                    FIELD(ImageIdentity, security_counter),
                                    FIELD(ImageIdentity, size),
                                    FIELD(ImageIdentity, digest),
                                    inside(job_id, FIELD(JobId, characters)),
                                    inside(job_id, FIELD(JobId, reserved))};
  EXPECT_EQ(fields("Offset in the identity"), expected);
}

/// No byte is left out: each field starts where the one before it ends.
TEST(FlashLayout, DocumentShowsEveryByteOfABootRecord) {
  const std::map<std::string, std::size_t> sizes{{"Offset", sizeof(boot::BootRecord)},
                                                 {"Offset in the identity", sizeof(boot::ImageIdentity)}};
  for (const auto& [heading, size] : sizes) {
    std::size_t end = 0;
    for (const Field& field : fields(heading)) {
      EXPECT_EQ(field.offset, end) << field;
      end = field.offset + field.length;
    }
    EXPECT_EQ(end, size) << heading;
  }
}

/// "empty 0, receiving 1" as a map.
std::map<std::string, std::uint32_t> values(const std::string& text) {
  std::map<std::string, std::uint32_t> result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(", ", at), text.size());
    const std::string one = text.substr(at, end - at);
    const std::size_t space = one.rfind(' ');
    result[one.substr(0, space)] = number(one.substr(space + 1));
    at = end + 2;
  }
  return result;
}

template <typename Enum>
std::uint32_t value(Enum one) {
  return static_cast<std::uint32_t>(one);
}

TEST(FlashLayout, DocumentShowsTheValuesInABootRecord) {
  using boot::RejectReason;
  using boot::Slot;
  using boot::StagedState;
  std::map<std::string, std::string> content;
  for (const Row& row : table({"Offset", "Length", "Field", "Content"})) content[row[2]] = row[3];
  EXPECT_EQ(number(content["magic"]), boot::BootRecord::kMagic);
  EXPECT_EQ(number(content["format"]), boot::BootRecord::kFormat);
  const std::map<std::string, std::uint32_t> slots{
      {"A", value(Slot::kA)}, {"B", value(Slot::kB)}, {"none", value(Slot::kNone)}};
  EXPECT_EQ(values(content["state.committed_slot"]), slots);
  const std::map<std::string, std::uint32_t> states{
      {"empty", value(StagedState::kEmpty)},       {"receiving", value(StagedState::kReceiving)},
      {"verified", value(StagedState::kVerified)}, {"trial", value(StagedState::kTrial)},
      {"accepted", value(StagedState::kAccepted)}, {"rejected", value(StagedState::kRejected)}};
  EXPECT_EQ(values(content["state.staged_state"]), states);
  const std::map<std::string, std::uint32_t> reasons{{"none", value(RejectReason::kNone)},
                                                     {"bad image", value(RejectReason::kBadImage)},
                                                     {"trial failed", value(RejectReason::kTrialFailed)},
                                                     {"refused", value(RejectReason::kRefused)}};
  EXPECT_EQ(values(content["state.reject_reason"]), reasons);
}

TEST(FlashLayout, DocumentShowsTheRolesOfBootRecords) {
  using boot::RecordRole;
  const std::map<std::string, std::uint32_t> expected{
      {"kRecord", value(RecordRole::kRecord)},
      {"kFirstConfirmation", value(RecordRole::kFirstConfirmation)},
      {"kSecondConfirmation", value(RecordRole::kSecondConfirmation)},
      {"kAnnouncement", value(RecordRole::kAnnouncement)}};
  std::map<std::string, std::uint32_t> shown;
  for (const Row& row : table({"Role", "Name"})) shown[row[1]] = number(row[0]);
  EXPECT_EQ(shown, expected);
}

/// Writes a journal and reads it as the document says, with nothing but the document's numbers.
class DocumentedJournal : public testing::Test {
 protected:
  [[nodiscard]] std::uint32_t word(std::uint32_t page, const std::string& name) {
    const std::vector<Field> all = fields("Offset");
    const auto field = std::ranges::find(all, name, &Field::name);
    if (field == all.end()) {
      ADD_FAILURE() << "the document has no " << name;
      return 0;
    }
    std::uint32_t result = 0;
    for (std::size_t i = field->length; i-- > 0;) {
      result = (result << 8) | flash_.window()[page + field->offset + i];
    }
    return result;
  }

  /// @param generation  and the page in it, where the set's first record is to stand
  void expect_set(std::uint32_t generation, std::uint32_t first_page, boot::StagedState state) {
    for (std::uint32_t role = 0; role < 3; ++role) {
      const std::uint32_t page = 65536 * (generation % 2) + 256 * (first_page + role);
      EXPECT_EQ(word(page, "magic"), 0x4F435442U);
      EXPECT_EQ(word(page, "sequence"), 16 * generation + first_page + role);
      EXPECT_EQ(word(page, "role"), role);
      EXPECT_EQ(word(page, "state.staged_state"), value(state));
      EXPECT_EQ(word(page, "crc32"), crc32(flash_.window().subspan(page, 252)));
    }
  }

  native::NativeFlash flash_;
};

TEST_F(DocumentedJournal, IsTheOneThatIsWritten) {
  boot::BootControl control(flash_);
  ASSERT_EQ(control.load(), Status::kOk);
  boot::BootState factory;
  factory.committed_slot = boot::Slot::kA;
  ASSERT_EQ(control.append(factory), Status::kOk);
  const auto receiving = boot::begin_receive(control.state(), "AFR_OTA-u1", boot::Slot::kB);
  ASSERT_TRUE(receiving);
  ASSERT_EQ(control.append(*receiving), Status::kOk);
  expect_set(0, 0, boot::StagedState::kEmpty);
  EXPECT_EQ(word(256 * 3, "role"), value(boot::RecordRole::kAnnouncement));
  expect_set(0, 4, boot::StagedState::kReceiving);

  ASSERT_EQ(control.load(), Status::kOk);
  ASSERT_EQ(control.append(*boot::reject(*receiving, boot::RejectReason::kRefused)), Status::kOk);
  expect_set(1, 0, boot::StagedState::kReceiving);
  expect_set(1, 4, boot::StagedState::kRejected);
}

}  // namespace
}  // namespace flash
