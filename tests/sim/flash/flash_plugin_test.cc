// The flash controller in a real QEMU, driven by guest code through registers and doorbell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "pal_sim/flash/nor_model.h"
#include "pal_sim/flash/op_log.h"
#include "sim/flash/flash_file.h"
#include "sim/flash/qemu_arguments.h"
#include "tests/sim/flash/doorbell_program.h"
#include "tests/sim/flash/qemu_guest.h"
#include "tests/sim/flash/temporary_folder.h"

namespace otasim::flash_file {
namespace {

using doorbell_program::pattern;
using qemu_guest::Guest;
using ::testing::Each;
using ::testing::HasSubstr;

constexpr int kTimeoutMs = 30'000;

std::vector<std::string> command_line(const QemuFlash& flash) {
  std::vector<std::string> arguments{
      "-display",        "none",     "-nodefaults",
      "-no-user-config", "-machine", std::string("mps2-an385,memory-backend=") + kMemoryBackendId,
      "-serial",         "stdio",    "-kernel",
      DOORBELL_PROGRAM};
  std::ranges::copy(qemu_arguments(flash), std::back_inserter(arguments));
  return arguments;
}

class FlashPlugin : public testing::Test {
 protected:
  [[nodiscard]] QemuFlash flash() const {
    return {.window_path = folder_.file("flash.bin"),
            .plugin_path = FLASH_PLUGIN,
            .op_log_path = folder_.file("flash.oplog")};
  }

  FlashFile create() {
    auto file = FlashFile::create(flash().window_path);
    EXPECT_TRUE(file.has_value()) << file.error().message;
    return std::move(file).value();
  }

  // Starts QEMU with one plugin argument string of the test's own and expects it to refuse.
  std::string refusal(const std::string& plugin_argument) {
    Guest guest({"-display", "none", "-nodefaults", "-machine", "none", "-plugin", plugin_argument});
    EXPECT_EQ(guest.wait_for_exit(kTimeoutMs), 1) << guest.output();
    return guest.output();
  }

  TemporaryFolder folder_;
};

constexpr const char* kTranscript =
    "id=4346544f\n"
    "program=00000000\n"
    "readback=000000a8\n"
    "over=00000000\n"
    "erase=00000000\n"
    "unaligned=00000002\n"
    "page-end=00000002\n"
    "across=00000002\n"
    "hostile=00000001\n"
    "lock=00000000\n"
    "locked=00000003\n"
    "otp-lock=00000000\n"
    "entropy=00000000\n"
    "keep=00000000\n"
    "mark=00000000\n"
    "locks=00000000\n"
    "otp-locked=00000000\n"
    "unlocked=00000000\n"
    "sequence=00000008\n"
    "done=00000000\n";

TEST_F(FlashPlugin, ControllerObeysTheGuestAndResetClearsItsLocks) {
  FlashFile file = create();
  std::ranges::fill(file.bytes().subspan(doorbell_program::kErased, 2 * ::flash::kControllerPart.sector_size),
                    0);

  Guest guest(command_line(flash()));
  ASSERT_TRUE(guest.wait_for("done=00000000\n", kTimeoutMs)) << guest.output();
  EXPECT_THAT(guest.output(), HasSubstr(kTranscript));

  for (std::uint32_t i = 0; i < ::flash::kPageSize; ++i) {
    const int both = pattern(doorbell_program::kFirstSeed, i) & pattern(doorbell_program::kSecondSeed, i);
    ASSERT_EQ(file.bytes()[doorbell_program::kProgrammed + i], both) << "at byte " << i;
  }
  EXPECT_THAT(file.bytes().subspan(doorbell_program::kErased, ::flash::kControllerPart.sector_size),
              Each(0xFF));
  EXPECT_THAT(file.bytes().subspan(doorbell_program::kErased + ::flash::kControllerPart.sector_size,
                                   ::flash::kControllerPart.sector_size),
              Each(0));
}

TEST_F(FlashPlugin, OpLogRebuildsTheFlash) {
  FlashFile file = create();
  {
    Guest guest(command_line(flash()));
    ASSERT_TRUE(guest.wait_for("done=00000000\n", kTimeoutMs)) << guest.output();
  }
  const auto log = ::flash::read_op_log(flash().op_log_path);
  ASSERT_TRUE(log.has_value());
  EXPECT_FALSE(log->torn);
  for (const auto& operation : log->operations) EXPECT_GT(operation.time_us, 0U);

  std::vector<std::uint8_t> rebuilt(::flash::kWindowSize);
  ::flash::format_window(rebuilt);
  ::flash::NorModel model(rebuilt);
  for (const auto& operation : log->operations) {
    if (operation.status != ::flash::Status::kOk) continue;
    if (operation.sequence == 8) model.reset();  // the guest's only operation after its reset
    ASSERT_EQ(model.execute({operation.kind, operation.offset, operation.length, operation.data}),
              ::flash::Status::kOk);
    ASSERT_EQ(model.sequence(), operation.sequence);
  }
  EXPECT_TRUE(std::ranges::equal(file.bytes().first(::flash::kControllerPart.size),
                                 std::span(rebuilt).first(::flash::kControllerPart.size)));
}

TEST_F(FlashPlugin, EntropyFollowsTheSeed) {
  const auto entropy_of = [](const QemuFlash& flash) {
    auto file = FlashFile::create(flash.window_path);
    EXPECT_TRUE(file.has_value());
    Guest guest(command_line(flash));
    EXPECT_TRUE(guest.wait_for("keep=00000000\n", kTimeoutMs)) << guest.output();
    const auto page = file->bytes().subspan(doorbell_program::kEntropyKept, ::flash::kPageSize);
    return std::vector<std::uint8_t>(page.begin(), page.end());
  };
  QemuFlash first = flash();
  first.op_log_path.clear();
  QemuFlash same = first;
  same.window_path = folder_.file("same.bin");
  QemuFlash other = first;
  other.window_path = folder_.file("other.bin");
  other.seed = 2;
  const auto bytes = entropy_of(first);
  EXPECT_EQ(entropy_of(same), bytes);
  EXPECT_NE(entropy_of(other), bytes);
}

TEST_F(FlashPlugin, RefusesAMissingWindow) {
  const std::string path = folder_.file("missing.bin");
  EXPECT_THAT(refusal(std::string(FLASH_PLUGIN) + ",window=" + path),
              HasSubstr("cannot open flash file " + path));
}

TEST_F(FlashPlugin, RefusesAWindowOfAnotherSize) {
  const std::string path = folder_.file("short.bin");
  std::ofstream(path) << "not sixteen mebibytes";
  EXPECT_THAT(refusal(std::string(FLASH_PLUGIN) + ",window=" + path), HasSubstr("exactly 16777216 bytes"));
}

TEST_F(FlashPlugin, RefusesAnOpLogThatIsSomethingElse) {
  create();
  std::ofstream(flash().op_log_path) << "a shopping list";
  const std::string argument =
      std::string(FLASH_PLUGIN) + ",window=" + flash().window_path + ",oplog=" + flash().op_log_path;
  EXPECT_THAT(refusal(argument), HasSubstr("cannot open the op log"));
}

TEST_F(FlashPlugin, RefusesAnOpLogOfAnotherVersion) {
  create();
  std::ofstream(flash().op_log_path, std::ios::binary) << std::string_view("OTOL\1\0\0\0", 8);
  const std::string argument =
      std::string(FLASH_PLUGIN) + ",window=" + flash().window_path + ",oplog=" + flash().op_log_path;
  EXPECT_THAT(refusal(argument), HasSubstr("it is an op log, but not of version 2"));
}

TEST_F(FlashPlugin, RefusesArgumentsItDoesNotKnow) {
  EXPECT_THAT(refusal(std::string(FLASH_PLUGIN) + ",window=x,colour=blue"),
              HasSubstr("cannot understand the argument 'colour=blue'"));
  EXPECT_THAT(refusal(std::string(FLASH_PLUGIN) + ",seed=12x"), HasSubstr("'seed=12x'"));
  EXPECT_THAT(refusal(FLASH_PLUGIN), HasSubstr("no window was given"));
}

}  // namespace
}  // namespace otasim::flash_file
