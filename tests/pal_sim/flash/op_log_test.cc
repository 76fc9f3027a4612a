#include "pal_sim/flash/op_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "qemu_boards/native/native_flash.h"

namespace flash {
namespace {

class OpLogFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = (std::filesystem::temp_directory_path() / "otasim-oplog-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/flash.oplog";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Five operations: program, refused program, erase, lock, and a program cut after 3 bytes.
  void write_five() {
    auto writer = OpLogWriter::open(path_);
    ASSERT_TRUE(writer.has_value());
    flash_.model().set_observer(&*writer);
    ASSERT_EQ(flash_.program(0x100, std::array<std::uint8_t, 3>{1, 2, 3}), Status::kOk);
    ASSERT_EQ(flash_.program(kControllerPart.size, std::array<std::uint8_t, 1>{9}), Status::kOutOfRange);
    ASSERT_EQ(flash_.erase_sector(kControllerPart.sector_size), Status::kOk);
    ASSERT_EQ(flash_.lock(0, kControllerPart.sector_size), Status::kOk);
    flash_.model().cut_power_at({.operation = 4, .bytes = 3});
    ASSERT_EQ(flash_.program(kControllerPart.sector_size, std::array<std::uint8_t, 5>{5, 5, 5, 5, 5}),
              Status::kNoDevice);
    flash_.model().set_observer(nullptr);
    flash_.model().power_on();
    ASSERT_EQ(writer->error(), 0);
  }

  std::vector<char> slurp() {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void spill(const std::vector<char>& bytes, std::size_t count) {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(count));
  }

  std::string folder_;
  std::string path_;
  native::NativeFlash flash_;
};

TEST_F(OpLogFile, ReadsBackWhatWasWritten) {
  write_five();
  const auto log = read_op_log(path_);
  ASSERT_TRUE(log.has_value());
  EXPECT_FALSE(log->torn);
  ASSERT_EQ(log->operations.size(), 5u);

  const LoggedOperation& program = log->operations[0];
  EXPECT_EQ(program.sequence, 1u);
  EXPECT_EQ(program.kind, OpKind::kProgram);
  EXPECT_EQ(program.offset, 0x100u);
  EXPECT_EQ(program.length, 3u);
  EXPECT_EQ(program.applied, 3u);
  EXPECT_EQ(program.status, Status::kOk);
  EXPECT_EQ(program.data, (std::vector<std::uint8_t>{1, 2, 3}));

  EXPECT_EQ(log->operations[1].status, Status::kOutOfRange);
  EXPECT_EQ(log->operations[1].applied, 0u);
  EXPECT_EQ(log->operations[2].kind, OpKind::kEraseSector);
  EXPECT_EQ(log->operations[3].kind, OpKind::kLock);
  EXPECT_EQ(log->operations[4].status, Status::kNoDevice);
  EXPECT_EQ(log->operations[4].applied, 3u);
  EXPECT_EQ(log->operations[4].data.size(), 5u);
}

TEST_F(OpLogFile, HoldsTheBytesTheDocumentDescribes) {
  write_five();
  const auto bytes = slurp();
  const std::array<unsigned char, 8 + 32> expected{
      'O', 'T', 'O', 'L', 2, 0, 0, 0,              // header
      1,   0,   0,   0,   1, 0, 3, 0, 0, 1, 0, 0,  // sequence, kind, status, data length, offset
      3,   0,   0,   0,   3, 0, 0, 0,              // length, applied
      1,   0,   0,   0,                            // source
      0,   0,   0,   0,   0, 0, 0, 0};             // time
  ASSERT_GT(bytes.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(static_cast<unsigned char>(bytes[i]), expected[i]) << "byte " << i;
  }
  EXPECT_EQ(bytes.size(), kOpLogHeaderSize + 5 * kOpLogRecordSize + 3 + 1 + 5);
}

TEST_F(OpLogFile, KeepsSourceAndTime) {
  const std::array<std::uint8_t, 2> data{0xAB, 0xCD};
  const Operation logged{.sequence = 7,
                         .kind = OpKind::kOtpProgram,
                         .offset = 3,
                         .length = 2,
                         .applied = 1,
                         .data = data,
                         .status = Status::kProgramFailed,
                         .source = OpSource::kApplication,
                         .time_us = 0x0006'2345'6789'ABCD};
  {
    auto writer = OpLogWriter::open(path_);
    ASSERT_TRUE(writer.has_value());
    writer->on_operation(logged);
    ASSERT_EQ(writer->error(), 0);
  }
  const auto log = read_op_log(path_);
  ASSERT_TRUE(log.has_value());
  const LoggedOperation expected{.sequence = 7,
                                 .kind = OpKind::kOtpProgram,
                                 .offset = 3,
                                 .length = 2,
                                 .applied = 1,
                                 .status = Status::kProgramFailed,
                                 .data = {0xAB, 0xCD},
                                 .source = OpSource::kApplication,
                                 .time_us = 0x0006'2345'6789'ABCD};
  EXPECT_THAT(log->operations, testing::ElementsAre(expected));
}

TEST_F(OpLogFile, AnotherVersionIsRefusedAndLeftAlone) {
  write_five();
  auto bytes = slurp();
  bytes[4] = 1;
  spill(bytes, bytes.size());
  errno = 0;
  EXPECT_FALSE(read_op_log(path_).has_value());
  EXPECT_EQ(errno, ENOTSUP);
  errno = 0;
  EXPECT_FALSE(OpLogWriter::open(path_).has_value());
  EXPECT_EQ(errno, ENOTSUP);
  EXPECT_EQ(op_log_problem(errno), "it is an op log, but not of version 2");
  EXPECT_EQ(slurp(), bytes);
}

TEST_F(OpLogFile, TornAtAnyByteKeepsTheWholeRecordsBeforeIt) {
  write_five();
  const auto bytes = slurp();
  std::size_t last_count = 0;
  for (std::size_t size = kOpLogHeaderSize; size <= bytes.size(); ++size) {
    spill(bytes, size);
    const auto log = read_op_log(path_);
    ASSERT_TRUE(log.has_value()) << "cut at " << size;
    EXPECT_EQ(log->torn, log->whole_bytes != size) << "cut at " << size;
    ASSERT_GE(log->operations.size(), last_count);
    ASSERT_LE(log->operations.size(), last_count + 1);
    last_count = log->operations.size();
  }
  EXPECT_EQ(last_count, 5u);
}

TEST_F(OpLogFile, DamageAnywhereEndsTheLogBeforeIt) {
  write_five();
  const auto good = slurp();
  for (std::size_t at = kOpLogHeaderSize; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    spill(bad, bad.size());
    const auto log = read_op_log(path_);
    ASSERT_TRUE(log.has_value());
    EXPECT_TRUE(log->torn) << "damage at " << at;
    EXPECT_LE(log->whole_bytes, at) << "damage at " << at;
  }
}

TEST_F(OpLogFile, ContinuesAfterATornTail) {
  write_five();
  const auto bytes = slurp();
  spill(bytes, bytes.size() - 2);
  auto writer = OpLogWriter::open(path_);
  ASSERT_TRUE(writer.has_value());
  flash_.model().set_observer(&*writer);
  ASSERT_EQ(flash_.otp_program(1, std::array<std::uint8_t, 1>{0}), Status::kOk);
  flash_.model().set_observer(nullptr);
  const auto log = read_op_log(path_);
  ASSERT_TRUE(log.has_value());
  EXPECT_FALSE(log->torn);
  ASSERT_EQ(log->operations.size(), 5u);
  EXPECT_EQ(log->operations[4].kind, OpKind::kOtpProgram);
  EXPECT_EQ(log->operations[4].sequence, 5u);
}

TEST_F(OpLogFile, RebuildsTheFlashRecordByRecord) {
  write_five();
  const auto log = read_op_log(path_);
  ASSERT_TRUE(log.has_value());
  std::vector<std::uint8_t> rebuilt(kControllerPart.size, 0xFF);
  for (const LoggedOperation& operation : log->operations) {
    for (std::uint32_t i = 0; i < operation.applied; ++i) {
      std::uint8_t& cell = rebuilt[operation.offset + i];
      cell = operation.kind == OpKind::kEraseSector ? std::uint8_t{0xFF}
                                                    : static_cast<std::uint8_t>(cell & operation.data[i]);
    }
  }
  EXPECT_TRUE(std::ranges::equal(rebuilt, flash_.window().first(kControllerPart.size)));
}

TEST_F(OpLogFile, OtherFilesAreRefusedAndLeftAlone) {
  spill({'h', 'e', 'l', 'l', 'o', ',', ' ', 'w', 'o', 'r', 'l', 'd'}, 12);
  errno = 0;
  EXPECT_FALSE(read_op_log(path_).has_value());
  EXPECT_EQ(errno, EINVAL);
  errno = 0;
  EXPECT_FALSE(OpLogWriter::open(path_).has_value());
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(std::filesystem::file_size(path_), 12u);
}

TEST_F(OpLogFile, MissingFilesAndFoldersAreErrors) {
  errno = 0;
  EXPECT_FALSE(read_op_log(path_).has_value());
  EXPECT_EQ(errno, ENOENT);
  errno = 0;
  EXPECT_FALSE(OpLogWriter::open(folder_ + "/none/flash.oplog").has_value());
  EXPECT_EQ(errno, ENOENT);
  errno = 0;
  EXPECT_FALSE(read_op_log(folder_).has_value());
  EXPECT_EQ(errno, EINVAL);
}

TEST_F(OpLogFile, DevicesAreRefused) {
  errno = 0;
  EXPECT_FALSE(OpLogWriter::open("/dev/null").has_value());
  EXPECT_EQ(errno, EINVAL);
}

// Lets this process's files grow to `size` bytes and no further, as a full disk would.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t size) : old_handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{size, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    ::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  sighandler_t old_handler_;
};

TEST_F(OpLogFile, FailedWriteIsReportedAndEndsTheLog) {
  auto writer = OpLogWriter::open(path_);
  ASSERT_TRUE(writer.has_value());
  flash_.model().set_observer(&*writer);
  ASSERT_EQ(flash_.erase_sector(0), Status::kOk);
  {
    const FileSizeLimit limit(kOpLogHeaderSize + kOpLogRecordSize + 10);
    ASSERT_EQ(flash_.erase_sector(kControllerPart.sector_size), Status::kOk)
        << "flash goes on without its log";
  }
  EXPECT_EQ(writer->error(), EFBIG);
  ASSERT_EQ(flash_.erase_sector(0), Status::kOk);
  flash_.model().set_observer(nullptr);
  const auto log = read_op_log(path_);
  ASSERT_TRUE(log.has_value());
  EXPECT_TRUE(log->torn);
  EXPECT_EQ(log->operations.size(), 1u) << "nothing is logged behind a torn record";
}

}  // namespace
}  // namespace flash
