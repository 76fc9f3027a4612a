// Flash as it stood at any operation, against a part that did the operations one by one.
#include "sim/flash/flash_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"

namespace otasim::flash_file {
namespace {

using flash::LoggedOperation;
using flash::OpKind;
using ::testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

/// Array, bank, and how many operations there were.
bool are_equal(flash::ConstWindow a, flash::ConstWindow b) {
  constexpr std::size_t kCells = flash::kOtpOffset + flash::kOtpSize;
  return std::memcmp(a.data(), b.data(), kCells) == 0 &&
         flash::read_register(a, flash::controller::kRegSequence) ==
             flash::read_register(b, flash::controller::kRegSequence);
}

Bytes blank(const flash::Geometry& part = flash::kControllerPart) {
  Bytes window(flash::kWindowSize);
  flash::format_window(window, part);
  return window;
}

/// A part that writes its op log, and keeps what it held after each operation, refused ones too.
class FlashHistoryTest : public ::testing::Test, public flash::OpObserver {
 protected:
  FlashHistoryTest() : window_(blank()), part_(window_) {
    window_[flash::kSlotA.offset] = 0x5A;  // the factory's
    before_ = window_;
    part_.set_observer(this);
  }

  void on_operation(const flash::Operation& operation) override { writer_->on_operation(operation); }

  void do_some(std::size_t count) {
    std::mt19937 random(1);
    const auto below = [&random](std::uint32_t end) { return static_cast<std::uint32_t>(random() % end); };
    for (std::size_t i = 0; i < count; ++i) {
      Bytes data(1 + below(256));
      for (std::uint8_t& byte : data) byte = static_cast<std::uint8_t>(random());
      const auto size = static_cast<std::uint32_t>(data.size());
      switch (below(8)) {
        case 0:
          (void)part_.erase_sector(flash::kSlotB.offset + below(3) * 4096);
          break;
        case 1:
          (void)part_.erase_block(flash::kSlotB.offset);
          break;
        case 2:
          (void)part_.otp_program(below(flash::kOtpSize - size), data);
          break;
        case 3:
          (void)part_.erase_sector(flash::kSlotB.offset + 1);  // refused
          break;
        case 4:
          (void)part_.lock(flash::kRecovery.offset, 4096);
          break;
        case 5:  // power fails in it
          part_.cut_power_at({.operation = part_.sequence() + 1, .bytes = size / 2});
          (void)part_.program(flash::kSlotB.offset, data);
          part_.power_on();
          break;
        default:
          (void)part_.program(flash::kSlotB.offset + below(8) * 256, data);
      }
      moments_.push_back(window_);
    }
  }
  [[nodiscard]] Result<FlashHistory> load() const {
    if (auto written = write_file_atomic(before_path_, before_); !written)
      return tl::unexpected(written.error());
    return FlashHistory::load(before_path_, ops_path_);
  }
  [[nodiscard]] std::string refusal() const {
    const auto history = load();
    if (history) return "not refused";
    EXPECT_EQ(history.error().code, ExitCode::kUsage);
    return history.error().message;
  }

  TempDir folder_ = TempDir::create().value();
  std::string before_path_ = folder_.file("factory.bin");
  std::string ops_path_ = folder_.file("flash.ops");
  std::optional<flash::OpLogWriter> writer_ = flash::OpLogWriter::open(ops_path_);
  Bytes window_;
  flash::NorModel part_;
  Bytes before_;
  std::vector<Bytes> moments_;
};

TEST_F(FlashHistoryTest, EachMomentIsWhatThePartHeld) {
  do_some(40);
  auto history = load();
  ASSERT_TRUE(history) << history.error().message;
  ASSERT_EQ(history->operations().size(), moments_.size());
  EXPECT_TRUE(are_equal(history->window(), before_)) << "it begins at the first operation";
  for (std::size_t done = 1; done <= moments_.size(); ++done) {
    history->seek(done);
    ASSERT_TRUE(are_equal(history->window(), moments_[done - 1])) << done;
  }
}

TEST_F(FlashHistoryTest, MomentsAreFoundInAnyOrder) {
  do_some(20);
  auto history = load().value();
  for (const std::size_t done : {20U, 3U, 4U, 19U, 1U, 0U, 7U, 7U}) {
    history.seek(done);
    EXPECT_EQ(history.position(), done);
    EXPECT_TRUE(are_equal(history.window(), done == 0 ? before_ : moments_[done - 1])) << done;
  }
  history.seek(1000);
  EXPECT_EQ(history.position(), 20U) << "there is nothing after the last";
}

TEST_F(FlashHistoryTest, OperationsAreFoundByTheirNumber) {
  ASSERT_EQ(part_.erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  ASSERT_NE(part_.erase_sector(flash::kSlotB.offset + 1), flash::Status::kOk);
  ASSERT_EQ(part_.erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  const auto history = load().value();
  EXPECT_EQ(history.count_through(1), 1U);
  EXPECT_EQ(history.count_through(2), 3U) << "a refused one has no number of its own";
  EXPECT_EQ(history.count_through(3), std::nullopt);
}

TEST_F(FlashHistoryTest, OfATornLogTheWholeRecordsCount) {
  do_some(10);
  std::ofstream(ops_path_, std::ios::app | std::ios::binary) << "half a record";
  auto history = load().value();
  EXPECT_TRUE(history.is_torn());
  history.seek(10);
  EXPECT_TRUE(are_equal(history.window(), moments_.back()));
}

TEST_F(FlashHistoryTest, FilesOfAnotherSizeOrKindAreRefused) {
  do_some(3);
  const Bytes sound = before_;
  before_.pop_back();
  EXPECT_THAT(refusal(), HasSubstr("no flash part's window"));
  before_ = sound;
  before_.push_back(0xFF);
  EXPECT_THAT(refusal(), HasSubstr("no flash part's window"));
  before_.assign(flash::kWindowSize, 0xFF);
  EXPECT_THAT(refusal(), HasSubstr("no flash part's window"));
  before_.clear();
  EXPECT_THAT(refusal(), HasSubstr("no flash part's window"));
  before_ = sound;
  std::ofstream(ops_path_) << "an op log this is not";
  EXPECT_THAT(refusal(), HasSubstr("not an op log"));
}

TEST_F(FlashHistoryTest, AMissingFileIsSaidWithItsPath) {
  ASSERT_TRUE(write_file_atomic(before_path_, before_));
  const auto no_log = FlashHistory::load(before_path_, folder_.file("none.ops"));
  ASSERT_FALSE(no_log);
  EXPECT_EQ(no_log.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(no_log.error().message, HasSubstr("none.ops"));
  const auto no_flash = FlashHistory::load(folder_.file("none.bin"), ops_path_);
  ASSERT_FALSE(no_flash);
  EXPECT_EQ(no_flash.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(no_flash.error().message, HasSubstr("none.bin"));
}

/// What an op log claims is not taken on trust.
TEST(FlashHistory, OperationsThatThePartCannotHaveDoneAreRefused) {
  const auto refusal = [](const LoggedOperation& operation, const flash::Geometry& part) {
    const auto history = FlashHistory::make(blank(part), {.operations = {operation}});
    return history ? std::string("not refused") : history.error().message;
  };
  const auto kPart = flash::kControllerPart;
  LoggedOperation program{.sequence = 9, .offset = 0, .length = 4, .applied = 4, .data = Bytes(4)};
  EXPECT_EQ(refusal(program, kPart), "not refused");
  program.applied = 5;
  EXPECT_THAT(refusal(program, kPart), HasSubstr("operation 9")) << "more than its data";
  program.applied = 4;
  program.offset = kPart.size - 4;
  EXPECT_EQ(refusal(program, kPart), "not refused");
  program.offset = kPart.size - 3;
  EXPECT_THAT(refusal(program, kPart), HasSubstr("none that this part can do"));
  program.offset = 0xFFFF'FFFF;
  EXPECT_THAT(refusal(program, kPart), HasSubstr("none that this part can do"));
  program.applied = 0;
  program.status = flash::Status::kOutOfRange;
  EXPECT_EQ(refusal(program, kPart), "not refused") << "the part refused it, and it changed nothing";
  // One in which power went counts as accepted, whatever it changed: a sweep does it again.
  program.status = flash::Status::kNoDevice;
  EXPECT_THAT(refusal(program, kPart), HasSubstr("none that this part can do"));
  program.offset = 0;
  EXPECT_EQ(refusal(program, kPart), "not refused");
  program.length = 0xFFFF'FFF0;
  EXPECT_THAT(refusal(program, kPart), HasSubstr("none that this part can do"));
  program.length = 256;
  EXPECT_THAT(refusal(program, kPart), HasSubstr("none that this part can do")) << "data is missing";
  program.kind = OpKind::kOtpProgram;
  program.length = 4;
  program.offset = 0x5000;
  EXPECT_THAT(refusal(program, kPart), HasSubstr("none that this part can do"));
  LoggedOperation lock{.sequence = 9, .kind = OpKind::kLock, .applied = 4096, .data = {}};
  EXPECT_THAT(refusal(lock, kPart), HasSubstr("none that this part can do"));

  LoggedOperation burn{
      .sequence = 9, .kind = OpKind::kOtpProgram, .length = 4, .applied = 4, .data = Bytes(4)};
  burn.offset = flash::kOtpSize - 4;
  EXPECT_EQ(refusal(burn, kPart), "not refused");
  ++burn.offset;
  EXPECT_THAT(refusal(burn, kPart), HasSubstr("none that this part can do"));

  const LoggedOperation erase{.sequence = 9,
                              .kind = OpKind::kEraseSector,
                              .offset = flash::kSpiNorPart.size,
                              .length = 4096,
                              .applied = 4096,
                              .data = {}};
  EXPECT_EQ(refusal(erase, kPart), "not refused");
  EXPECT_THAT(refusal(erase, flash::kSpiNorPart), HasSubstr("none that this part can do"))
      << "another board's op log";
}

}  // namespace
}  // namespace otasim::flash_file
