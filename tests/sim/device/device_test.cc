// Real QEMU, with guests of a few instructions (reset_guest.S).
#include "sim/device/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/device/elf_symbols.h"
#include "sim/flash/flash_file.h"
#include "sim/flash/nbd_server.h"

namespace otasim::device {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr auto kLimit = 15s;

class DeviceTest : public testing::Test {
 protected:
  DeviceTest() {
    config_.bootloader_path = GUEST_FOLDER "/reset_guest_software.elf";
    config_.flash = FlashWindow{.path = flash_path_};
    config_.uart_log_path = dir_.file("uart.log");
    config_.run_folder = dir_.path();
    config_.events = events_.get();
    config_.on_machine_reset = [this] {
      history_.push_back("clear");
      return Result<void>{};
    };
    std::ofstream(flash_path_).put('\0');
    std::filesystem::resize_file(flash_path_, kFlashWindowBytes);
    events_->listen([this](const nlohmann::json& event) {
      emitted_.push_back(event.at("source").get<std::string>() + "." + event.at("event").get<std::string>());
    });
  }

  void create() {
    auto device = Device::create(io_, config_);
    ASSERT_TRUE(device) << device.error().message;
    device_ = std::move(*device);
    device_->on_console_line([this](std::string_view line) { history_.emplace_back(line); });
    device_->on_reset(
        [this](ResetCause cause) { history_.push_back(std::string(to_string(cause)) + " reset"); });
    device_->on_exit([this](const Exit& exit) { exit_ = exit; });
  }

  void power_on() {
    const auto on = device_->power_on();
    ASSERT_TRUE(on) << on.error().message;
  }

  template <typename Condition>
  bool wait_until(Condition condition) {
    const auto limit = std::chrono::steady_clock::now() + kLimit;
    while (!condition() && std::chrono::steady_clock::now() < limit) {
      io_.restart();
      io_.run_one_until(limit);
    }
    return condition();
  }

  bool wait_for_line(const std::string& line) {
    return wait_until([&] { return !history_.empty() && history_.back() == line; });
  }

  boost::asio::io_context io_;
  TempDir dir_ = TempDir::create().value();
  std::unique_ptr<report::EventLog> events_ = report::EventLog::in_memory();
  std::string flash_path_ = dir_.file("flash.bin");
  Config config_;
  std::vector<std::string> history_;
  std::vector<std::string> emitted_;
  std::optional<Exit> exit_;
  std::unique_ptr<Device> device_;
};

TEST_F(DeviceTest, ASoftwareResetKeepsRamAndTheProcessAndIsSeenBeforeTheNextBoot) {
  create();
  power_on();
  const pid_t pid = device_->pid();
  ASSERT_TRUE(wait_for_line("boot 2"));
  EXPECT_THAT(history_, ElementsAre("clear", "boot 0", "clear", "software reset", "boot 1", "clear",
                                    "software reset", "boot 2"));
  EXPECT_EQ(device_->pid(), pid);
  EXPECT_FALSE(exit_);
}

TEST_F(DeviceTest, AWatchdogResetIsToldApart) {
  config_.bootloader_path = GUEST_FOLDER "/reset_guest_watchdog.elf";
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 1"));
  EXPECT_THAT(history_, ElementsAre("clear", "boot 0", "clear", "watchdog reset", "boot 1"));
}

TEST_F(DeviceTest, TheResetLineResetsARunningMachine) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  history_.clear();
  device_->reset();
  device_->reset();  // pulled twice is one reset
  ASSERT_TRUE(wait_for_line("boot 3"));
  EXPECT_THAT(history_, ElementsAre("clear", "external reset", "boot 3"));
}

TEST_F(DeviceTest, AHangIsEndedByItsResumption) {
  config_.bootloader_path = GUEST_FOLDER "/reset_guest_watchdog.elf";
  create();
  power_on();
  device_->hang();  // as soon as the machine runs
  device_->resume();
  ASSERT_TRUE(wait_for_line("boot 1"));
  device_->hang();
  device_->hang();
  device_->resume();
  device_->reset();
  ASSERT_TRUE(wait_for_line("boot 2"));
}

TEST_F(DeviceTest, AResetEndsAHangAndAPowerCutDoesToo) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  history_.clear();
  device_->hang();
  device_->reset();
  ASSERT_TRUE(wait_for_line("boot 3"));
  EXPECT_THAT(history_, ElementsAre("clear", "external reset", "boot 3"));
  device_->hang();
  device_->power_off();
  EXPECT_FALSE(exit_);
}

TEST_F(DeviceTest, TheWatchdogsSecondExpiryResetsAProcessorThatDoesNotHeedTheFirst) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  history_.clear();
  const auto before = std::chrono::steady_clock::now();
  device_->expire_watchdog();
  ASSERT_TRUE(wait_for_line("boot 3"));
  EXPECT_THAT(history_, ElementsAre("clear", "watchdog reset", "boot 3"));
  EXPECT_GE(std::chrono::steady_clock::now() - before, Device::kWatchdogPeriod);
}

TEST_F(DeviceTest, TheWatchdogInterruptsTheProcessorAtOnce) {
  config_.bootloader_path = GUEST_FOLDER "/reset_guest_obedient.elf";  // its NMI handler resets
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  history_.clear();
  device_->expire_watchdog();
  ASSERT_TRUE(wait_for_line("boot 3"));
  EXPECT_THAT(history_, ElementsAre("nmi", "clear", "software reset", "boot 3"));
  history_.clear();
  device_->expire_watchdog();  // the reset has put the watchdog back
  ASSERT_TRUE(wait_for_line("boot 4"));
}

/// What skipping the store in `put` the nth time leaves of the console.
class SkipTest : public DeviceTest {
 protected:
  SkipTest() {
    const auto elf = read_file(config_.bootloader_path);
    address_ = find_address(functions_of(elf.value()), "put+6").value();
  }
  SkipPoint point(StrikePlan plan) {
    return {.address = address_, .strike = std::make_shared<Strike>(plan), .on_skip = [this] { ++skipped_; }};
  }
  std::uint32_t address_ = 0;
  int skipped_ = 0;
};

TEST_F(SkipTest, TheNthTimeIsSkippedAndNoOther) {
  create();
  device_->skip(1, point({.after = 2, .times = 1}));
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  EXPECT_THAT(history_, ElementsAre("clear", "bot 0", "clear", "software reset", "boot 1", "clear",
                                    "software reset", "boot 2"));
  EXPECT_EQ(skipped_, 1);
}

TEST_F(SkipTest, ABreakpointOutlivesResetsAndCountsThroughThem) {
  create();
  device_->skip(1, point({.after = 9, .times = 2}));
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  EXPECT_THAT(history_, ElementsAre("clear", "boot 0", "clear", "software reset", "bo 1", "clear",
                                    "software reset", "boot 2"));
  EXPECT_EQ(skipped_, 2);
}

TEST_F(SkipTest, ARunningProcessorIsGivenOneAndItCanBeTakenBack) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  device_->skip(1, point({.after = 3, .times = StrikePlan::kAlways}));
  device_->skip(2, point({.times = 1}));
  device_->reset();
  ASSERT_TRUE(wait_until([&] { return skipped_ == 5; }))
      << "the first and the fourth to the seventh, not " << skipped_ << " of "
      << testing::PrintToString(history_);
  device_->stop_skipping(1);
  device_->reset();
  ASSERT_TRUE(wait_until([&] { return history_.back().ends_with("boot 4"); }));
  EXPECT_THAT(history_[history_.size() - 1], HasSubstr("oo")) << "what was left of the boot before";
}

TEST_F(SkipTest, CountingGoesOnInTheNextPowerCycle) {
  create();
  device_->skip(1, point({.after = 22, .times = 1}));  // 21 characters are a power cycle's
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  device_->power_off();
  history_.clear();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  EXPECT_EQ(history_[1], "bot 0");
}

/// A board whose flash is a SPI drive, served by the simulator, and whose watchdog is on its second UART.
class SerialWatchdogTest : public DeviceTest {
 protected:
  SerialWatchdogTest() {
    config_.board = "emcraft-sf2";
    config_.bootloader_path = GUEST_FOLDER "/watchdog_guest.elf";
    std::filesystem::remove(flash_path_);
    EXPECT_TRUE(flash_file::FlashFile::create(flash_path_, flash::kSpiNorPart));
    config_.flash = SpiDrive{.socket_path = dir_.file("nbd.sock")};
    config_.watchdog = SerialWatchdog{};
    serve();
  }
  ~SerialWatchdogTest() override { device_.reset(); }

  void serve() {
    auto server = flash_file::NbdServer::power_on(
        {.socket_path = dir_.file("nbd.sock"), .part = {.window_path = flash_path_}});
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  [[nodiscard]] auto count(std::string_view event) const { return std::ranges::count(emitted_, event); }

  std::unique_ptr<flash_file::NbdServer> server_;
};

TEST_F(SerialWatchdogTest, ABoardThatDoesNotFeedItIsResetOnce) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 1")) << testing::PrintToString(exit_ ? exit_->error.hint : "");
  EXPECT_THAT(history_, ElementsAre("clear", "boot 0", "clear", "watchdog reset", "boot 1"));
  EXPECT_EQ(count("device.watchdog_line_ignored"), 1) << "what it says besides is told";
  bool is_done = false;
  device_->shut_down([&] { is_done = true; });
  ASSERT_TRUE(wait_until([&] { return is_done; }));
  EXPECT_EQ(count("device.reset"), 1);
}

TEST_F(SerialWatchdogTest, AHangingProcessorIsResetToo) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 0"));
  device_->hang();
  ASSERT_TRUE(wait_for_line("boot 1"));
  EXPECT_THAT(history_, ElementsAre("clear", "boot 0", "clear", "watchdog reset", "boot 1"));
}

TEST_F(SerialWatchdogTest, ItCanBeMadeToExpireAndResetsAreToldApart) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 1"));
  history_.clear();
  device_->expire_watchdog();
  ASSERT_TRUE(wait_for_line("boot 2"));
  device_->reset();
  ASSERT_TRUE(wait_for_line("boot 3"));
  EXPECT_THAT(history_,
              ElementsAre("clear", "watchdog reset", "boot 2", "clear", "external reset", "boot 3"));
}

TEST_F(SerialWatchdogTest, AnotherResetDisarmsIt) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 0"));
  device_->reset();
  ASSERT_TRUE(wait_for_line("boot 1"));
  EXPECT_THAT(history_, ElementsAre("clear", "boot 0", "clear", "external reset", "boot 1"));
  // Had it gone on, it would reset the next boot within its 250 ms.
  const auto end = std::chrono::steady_clock::now() + 600ms;
  while (std::chrono::steady_clock::now() < end) {
    io_.restart();
    io_.run_until(end);
  }
  EXPECT_EQ(history_.back(), "boot 1");
}

TEST_F(SerialWatchdogTest, APowerCutDisarmsItAndTheNextPowerOnIsAsTheFirst) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 0"));
  device_->power_off();
  history_.clear();
  server_.reset();
  serve();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 1"));
  EXPECT_THAT(history_, ElementsAre("clear", "boot 0", "clear", "watchdog reset", "boot 1"));
}

TEST_F(DeviceTest, APowerCutLosesRamAndIsNoUnexpectedExit) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  const pid_t pid = device_->pid();
  device_->power_off();
  EXPECT_FALSE(device_->powered());
  EXPECT_EQ(::kill(pid, 0), -1) << "QEMU still runs";
  history_.clear();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  EXPECT_EQ(history_[1], "boot 0");
  EXPECT_NE(device_->pid(), pid);
  EXPECT_FALSE(exit_);
}

TEST_F(DeviceTest, AShutDownEndsQemuAndIsNoUnexpectedExit) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  const pid_t pid = device_->pid();
  bool is_done = false;
  device_->shut_down([&] { is_done = true; });
  EXPECT_TRUE(device_->powered()) << "QEMU ends when it has done what it is at";
  ASSERT_TRUE(wait_until([&] { return is_done; }));
  EXPECT_FALSE(device_->powered());
  EXPECT_EQ(::kill(pid, 0), -1) << "QEMU still runs";
  EXPECT_EQ(emitted_.back(), "device.power_off");
  EXPECT_FALSE(exit_);
  power_on();
  EXPECT_TRUE(wait_for_line("boot 2"));
}

TEST_F(DeviceTest, AShutDownBeforeTheMachineRunsNeverStartsIt) {
  create();
  power_on();
  bool is_done = false;
  device_->shut_down([&] { is_done = true; });
  ASSERT_TRUE(wait_until([&] { return is_done; }));
  EXPECT_THAT(history_, ElementsAre("clear"));
  EXPECT_FALSE(exit_);
}

TEST_F(DeviceTest, AShutDownIsDoneAtOnceIfTheDeviceIsOff) {
  create();
  bool is_done = false;
  device_->shut_down([&] { is_done = true; });
  EXPECT_TRUE(is_done);
}

TEST_F(DeviceTest, ACutEndsAShutDownToo) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  int done = 0;
  device_->shut_down([&] { ++done; });
  device_->shut_down([&] { ++done; });
  device_->power_off();
  EXPECT_EQ(done, 2);
  EXPECT_FALSE(exit_);
}

TEST_F(DeviceTest, ItsNameIsInItsEvents) {
  config_.name = "thing-1";
  events_->listen([](const nlohmann::json& event) { EXPECT_EQ(event.value("device", ""), "thing-1"); });
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 1"));
}

TEST_F(DeviceTest, ALinesHandlerMayCutThePower) {
  create();
  device_->on_console_line([this](std::string_view line) {
    history_.emplace_back(line);
    device_->power_off();
  });
  power_on();
  ASSERT_TRUE(wait_until([&] { return !device_->powered(); }));
  EXPECT_EQ(history_[1], "boot 0");
}

TEST_F(DeviceTest, AResetsHandlerMayCutThePower) {
  create();
  device_->on_reset([this](ResetCause) { device_->power_off(); });
  power_on();
  ASSERT_TRUE(wait_until([&] { return !device_->powered(); }));
  EXPECT_THAT(history_, ElementsAre("clear", "boot 0", "clear"));
}

TEST_F(DeviceTest, TheConsoleIsLoggedAndBecomesEvents) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  device_->power_off();
  const auto log = read_file(config_.uart_log_path);
  ASSERT_TRUE(log);
  EXPECT_EQ(std::string(log->begin(), log->end()), "boot 0\nboot 1\nboot 2\n");
  EXPECT_THAT(emitted_, ElementsAre("device.power_on", "uart.line", "device.reset", "uart.line",
                                    "device.reset", "uart.line", "device.power_off"));
}

TEST_F(DeviceTest, AKilledQemuIsReportedAndCanBePoweredOnAgain) {
  create();
  power_on();
  ASSERT_TRUE(wait_for_line("boot 2"));
  ASSERT_GT(device_->pid(), 0);
  ::kill(device_->pid(), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return exit_.has_value(); }));
  EXPECT_TRUE(exit_->status.signaled);
  EXPECT_EQ(exit_->status.code, SIGKILL);
  EXPECT_THAT(exit_->error.message, HasSubstr("qemu-system-arm was killed by signal 9"));
  EXPECT_FALSE(device_->powered());
  EXPECT_EQ(emitted_.back(), "device.exit");
  power_on();
  EXPECT_TRUE(wait_for_line("boot 2"));
}

TEST_F(DeviceTest, AQemuThatRefusesToStartIsReportedWithItsMessage) {
  config_.board = "no-such-board";
  create();
  power_on();
  ASSERT_TRUE(wait_until([&] { return exit_.has_value(); }));
  EXPECT_FALSE(exit_->status.signaled);
  EXPECT_EQ(exit_->status.code, 1);
  EXPECT_THAT(exit_->error.hint, HasSubstr("unsupported machine type"));
}

TEST_F(DeviceTest, AFailedClearKeepsTheDeviceOff) {
  config_.on_machine_reset = []() -> Result<void> { return fail(ExitCode::kEnvironment, "no flash"); };
  create();
  const auto on = device_->power_on();
  ASSERT_FALSE(on);
  EXPECT_EQ(on.error().message, "no flash");
  EXPECT_FALSE(device_->powered());
}

TEST_F(DeviceTest, AFailedClearAtAResetEndsTheDevice) {
  config_.on_machine_reset = [calls = 0]() mutable -> Result<void> {
    if (++calls == 1) return {};
    return fail(ExitCode::kEnvironment, "flash is gone");
  };
  create();
  power_on();
  ASSERT_TRUE(wait_until([&] { return exit_.has_value(); }));
  EXPECT_EQ(exit_->error.message, "flash is gone");
  EXPECT_FALSE(device_->powered());
}

TEST_F(DeviceTest, WrongFilesAreExplainedBeforeQemuStarts) {
  config_.bootloader_path = "/nonexistent/boot.elf";
  auto device = Device::create(io_, config_);
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(device.error().message, HasSubstr("the bootloader is missing: /nonexistent/boot.elf"));

  config_.bootloader_path = GUEST_FOLDER "/reset_guest_software.elf";
  std::filesystem::resize_file(flash_path_, 4096);
  device = Device::create(io_, config_);
  ASSERT_FALSE(device);
  EXPECT_THAT(device.error().message, HasSubstr("has 4096 bytes; the board needs exactly 16777216"));
}

TEST_F(DeviceTest, AMissingQemuNamesItsPackage) {
  create();
  const std::string saved = ::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);
  const auto on = device_->power_on();
  ::setenv("PATH", saved.c_str(), 1);
  ASSERT_FALSE(on);
  EXPECT_EQ(on.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(on.error().hint, HasSubstr("apt-get install qemu-system-arm"));
}

}  // namespace
}  // namespace otasim::device
