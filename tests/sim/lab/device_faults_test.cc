// Faults of a lab's device, armed as a scenario arms them: the real bootloader and application in QEMU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

#include "pal_sim/flash/flash_map.h"
#include "tests/sim/lab/one_device_lab.h"

namespace otasim::lab {
namespace {

using flash_file::BitRot;
using flash_file::Destroy;
using flash_file::PowerCut;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kAtRest = "no job waiting";

class DeviceFaultsTest : public OneDeviceLab {
 protected:
  /// Both emit events until they are gone, and the listener writes to this class's members.
  ~DeviceFaultsTest() override {
    device.reset();
    lab.reset();
  }

  void SetUp() override {
    log->listen([this](const nlohmann::json& event) {
      if (event.at("event") == "fault") faults.push_back(event);
      events.push_back(event.at("source").get<std::string>() + "." + event.at("event").get<std::string>());
    });
    start_lab();
    ASSERT_TRUE(device);
    device->on_power_cut([this] { ++power_cuts; });
    device->on_exit([this](const Error& error) { problem = error.message; });
  }

  template <typename Fault>
  flash_file::FaultId arm(const Fault& fault) {
    const auto id = device->arm(fault);
    EXPECT_TRUE(id) << id.error().message;
    return id.value_or(flash_file::FaultId{});
  }
  static const Board& board() { return test::board_under_test(); }
  /// Of the only fault that has struck.
  nlohmann::json the_fault() {
    EXPECT_EQ(faults.size(), 1U);
    return faults.empty() ? nlohmann::json::object() : faults.front();
  }

  std::vector<nlohmann::json> faults;
  std::vector<std::string> events;
  std::string problem;
  int power_cuts = 0;
};

TEST_F(DeviceFaultsTest, APowerCutInFlashLeavesTheDeviceOffAndItComesOnAgain) {
  arm(PowerCut{.strike = {.after = 1, .times = 1}});
  power_on();
  ASSERT_TRUE(wait_for([this] { return power_cuts == 1; }));
  EXPECT_EQ(device->power(), LabDevice::Power::kOff);
  EXPECT_THAT(problem, IsEmpty()) << "it is no unexpected end";
  EXPECT_EQ(the_fault().at("source"), "flash");
  EXPECT_EQ(the_fault().at("fault"), "flash.power_cut");
  EXPECT_EQ(the_fault().at("operation"), 2);
  EXPECT_EQ(the_fault().at("device"), kThing);
  EXPECT_EQ(events[events.size() - 2], "flash.fault");
  EXPECT_EQ(events.back(), "device.power_off");
  EXPECT_FALSE(has_said("boot: start"));
  power_on();
  EXPECT_TRUE(says(kAtRest));
  EXPECT_EQ(power_cuts, 1);
}

TEST_F(DeviceFaultsTest, WhatStrikesWhenItIsArmedNeedsADeviceThatIsOn) {
  const auto refused = device->arm(device::Reset{});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              HasSubstr("device.reset strikes device 'thing-1' only while it is on"));
  power_on();
  ASSERT_TRUE(says(kAtRest));
  arm(device::Reset{});
  lines.clear();
  ASSERT_TRUE(says(kAtRest));
  EXPECT_EQ(the_fault().at("fault"), "device.reset");
  arm(device::PowerCut{});
  EXPECT_EQ(device->power(), LabDevice::Power::kOff);
  EXPECT_EQ(faults.back().at("fault"), "device.power_cut");
  EXPECT_EQ(power_cuts, 0) << "whoever armed it knows";
}

TEST_F(DeviceFaultsTest, TheWatchdogResetsTheDeviceAndTheBootSaysSo) {
  power_on();
  ASSERT_TRUE(says(kAtRest));
  lines.clear();
  arm(device::WatchdogExpiry{});
  // Before an external watchdog's reset there is no interrupt.
  const bool has_interrupt = board().watchdog == Watchdog::kCmsdk;
  ASSERT_TRUE(!has_interrupt || says("board: watchdog expired, resetting"));
  ASSERT_TRUE(wait_for([this] { return std::ranges::count(events, std::string("device.reset")) == 1; }));
  ASSERT_TRUE(says("boot: start")) << "again";
  ASSERT_TRUE(!has_interrupt || has_said("reason=watchdog"));
  ASSERT_TRUE(says(kAtRest));
  EXPECT_EQ(the_fault().at("fault"), "device.watchdog");
}

/// What the board's flash cannot express is refused when it is armed, and changes nothing.
TEST_F(DeviceFaultsTest, WhatTheBoardsFlashCannotExpressIsRefused) {
  for (const flash_file::FaultSupport& row : flash_file::fault_support()) {
    if (row.on(board().flash).is_possible || row.fault.starts_with("device.")) continue;
    for (const flash_file::FlashFault& fault :
         {flash_file::FlashFault{flash_file::ProgramFailure{}},
          flash_file::FlashFault{flash_file::EraseFailure{}},
          flash_file::FlashFault{flash_file::SilentDrop{}}, flash_file::FlashFault{flash_file::Worn{}}}) {
      if (flash_file::name_of(fault) != row.fault) continue;
      const auto refused = device->arm(fault);
      ASSERT_FALSE(refused) << row.fault;
      EXPECT_EQ(refused.error().code, ExitCode::kUsage);
      EXPECT_THAT(refused.error().message, HasSubstr(std::string(board().name)));
    }
  }
  power_on();
  EXPECT_TRUE(says(kAtRest));
  EXPECT_TRUE(faults.empty());
}

/// @returns whether the board can count instructions; if not, arming such a reset is refused
bool can_reset_at_instruction(LabDevice& device) {
  if (flash_file::support_of(device.spec().board->flash, "device.reset_at_instruction").is_possible)
    return true;
  const auto refused = device.arm(device::ResetAtInstruction{.instruction = 1});
  EXPECT_FALSE(refused);
  EXPECT_THAT(refused ? "" : refused.error().message,
              HasSubstr("device.reset_at_instruction is not possible"));
  return false;
}

TEST_F(DeviceFaultsTest, AResetAtAnInstructionStrikesOnceAndTheDeviceBoots) {
  if (!can_reset_at_instruction(*device)) return;
  arm(device::ResetAtInstruction{.instruction = 50'000});
  power_on();
  ASSERT_TRUE(wait_for([this] { return !faults.empty(); }));
  EXPECT_EQ(the_fault().at("source"), "device");
  EXPECT_EQ(the_fault().at("fault"), "device.reset_at_instruction");
  EXPECT_EQ(the_fault().at("instruction"), 50'000);
  EXPECT_FALSE(has_said("boot: start"));
  ASSERT_TRUE(says(kAtRest));
  EXPECT_EQ(std::ranges::count(events, std::string("device.reset")), 1);
  device->cut();
  power_on();
  ASSERT_TRUE(says(kAtRest));
  EXPECT_EQ(faults.size(), 1U);
}

TEST_F(DeviceFaultsTest, AResetBeforeTheFirstInstructionIsOneToo) {
  if (!can_reset_at_instruction(*device)) return;
  arm(device::ResetAtInstruction{.instruction = 1});
  power_on();
  ASSERT_TRUE(says(kAtRest));
  EXPECT_EQ(the_fault().at("instruction"), 1);
  EXPECT_EQ(std::ranges::count(events, std::string("device.reset")), 1);
}

TEST_F(DeviceFaultsTest, AHangEndsWhenItIsCleared) {
  power_on();
  ASSERT_TRUE(says("boot: start"));
  const auto id = arm(device::Hang{});
  device->clear(id);
  ASSERT_TRUE(says(kAtRest));
  EXPECT_EQ(the_fault().at("fault"), "device.hang");
}

TEST_F(DeviceFaultsTest, AnInstructionOfTheBootloaderIsSkipped) {
  arm(device::SkipInstruction{.at = "board::console_write", .strike = {.after = 1, .times = 1}});
  power_on();
  ASSERT_TRUE(wait_for([this] { return !faults.empty(); }));
  EXPECT_EQ(the_fault().at("fault"), "device.skip_instruction");
  EXPECT_EQ(the_fault().at("at"), "board::console_write");
  device->cut();
  power_on();
  EXPECT_TRUE(says(kAtRest));
  EXPECT_EQ(faults.size(), 1U);
  const auto none = device->arm(device::SkipInstruction{.at = "boot::no_such_function"});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("'boot::no_such_function' is no place in the program"));
}

TEST_F(DeviceFaultsTest, RotAndDestructionStrikeADeviceThatIsOff) {
  power_on();
  ASSERT_TRUE(says("boot: start"));
  const auto on = device->destroy({.range = {.partition = "slot-a"}});
  ASSERT_FALSE(on);
  EXPECT_THAT(on.error().message, HasSubstr("device 'thing-1' is on"));
  EXPECT_FALSE(device->rot({}));
  device->cut();
  const auto rotten = device->rot({.range = {.partition = "slot-a", .offset = 0x400, .length_bytes = 0x400}});
  ASSERT_TRUE(rotten) << rotten.error().message;
  EXPECT_EQ(the_fault().at("fault"), "flash.bit_rot");
  EXPECT_EQ(the_fault().at("bits").at(0).at("offset"), rotten->front().offset);
  power_on();
  ASSERT_TRUE(says("boot: halt")) << "one bit of the only image";
  device->cut();
  ASSERT_TRUE(device->destroy({.range = {.partition = "slot-a"}, .pattern = Destroy::Pattern::kRandom}));
  EXPECT_EQ(faults.back().at("fault"), "flash.destroy");
  power_on();
  ASSERT_TRUE(says("boot: halt"));
}

TEST_F(DeviceFaultsTest, ANewPartHasNewCells) {
  EXPECT_TRUE(std::filesystem::exists(folder.file("flash.faults")));
  device.reset();
  std::filesystem::remove(folder.file("flash.bin"));
  const DeviceSpec spec{.name = kThing,
                        .board = &test::board_under_test(),
                        .folder = folder.path().string(),
                        .socket_folder = {}};
  const auto identity = lab->identities().issue_device("thing-2");
  ASSERT_TRUE(identity) << identity.error().message;
  const auto factory = make_firmware({.version = "1.0.0"}, test::board_under_test(), products);
  ASSERT_TRUE(equip_device(*lab, spec, *identity, {*factory, {}}, products));
  EXPECT_FALSE(std::filesystem::exists(folder.file("flash.faults")));
}

}  // namespace
}  // namespace otasim::lab
