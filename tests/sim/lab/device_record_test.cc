#include "sim/lab/device_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"

namespace otasim::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DeviceRecordTest : public testing::Test {
 protected:
  DeviceRecordTest() { std::filesystem::create_directory(folder); }
  [[nodiscard]] std::string path() const { return folder + "/device.json"; }

  TempDir parent = TempDir::create().value();
  std::string folder = parent.file("thing-1");
  DeviceRecord record{.name = "thing-1",
                      .board = "mps2-an385",
                      .mac = {0x02, 0, 0, 0xAB, 0x10, 0xFF},
                      .seed = 42,
                      .transfer = {.block_size = 512, .start_next = true},
                      .is_on = true,
                      .state = DeviceRecord::State::kEquipping,
                      .factory_version = "1.0.0",
                      .recovery_version = "0.0.1",
                      .groups = {"canary", "all"}};
};

TEST_F(DeviceRecordTest, IsReadAsItWasWritten) {
  EXPECT_FALSE(DeviceRecord::exists(folder));
  ASSERT_TRUE(record.save(folder));
  EXPECT_TRUE(DeviceRecord::exists(folder));
  const auto read = DeviceRecord::load(folder);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->name, "thing-1");
  EXPECT_EQ(read->board, "mps2-an385");
  EXPECT_EQ(read->mac, record.mac);
  EXPECT_EQ(read->seed, 42U);
  EXPECT_EQ(read->transfer, record.transfer);
  EXPECT_TRUE(read->is_on);
  EXPECT_EQ(read->state, DeviceRecord::State::kEquipping);
  EXPECT_EQ(read->factory_version, "1.0.0");
  EXPECT_EQ(read->recovery_version, "0.0.1");
  EXPECT_THAT(read->groups, ElementsAre("canary", "all"));
}

TEST_F(DeviceRecordTest, OneOfAnEarlierVersionHasNoTransferSettingsNorARecoveryImage) {
  ASSERT_TRUE(record.save(folder));
  nlohmann::json content;
  std::ifstream(path()) >> content;
  content.erase("transfer");
  content.erase("recovery_version");
  std::ofstream(path()) << content;
  const auto read = DeviceRecord::load(folder);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->transfer, TransferSettings{});
  EXPECT_EQ(read->recovery_version, "");
}

TEST_F(DeviceRecordTest, ADamagedOneIsRefusedByItsPath) {
  ASSERT_TRUE(record.save(folder));
  nlohmann::json whole;
  std::ifstream(path()) >> whole;
  std::vector<std::string> damaged{"", "[]", "not json"};
  for (const auto& [name, value] : whole.items()) {
    if (name == "factory_image") continue;  // for people
    if (name == "transfer") continue;       // may be missing
    nlohmann::json without = whole;
    without.erase(name);
    if (name != "recovery_version") damaged.push_back(without.dump());
    nlohmann::json wrong = whole;
    wrong[name] = nlohmann::json::object();
    damaged.push_back(wrong.dump());
  }
  for (const auto& transfer :
       {nlohmann::json(1), nlohmann::json("http"), nlohmann::json{{"block_size", 1}}, nlohmann::json()}) {
    nlohmann::json wrong = whole;
    wrong["transfer"] = transfer;
    damaged.push_back(wrong.dump());
  }
  for (const auto& [name, value] :
       {std::pair{"mac", "02:00:00:00:00"}, std::pair{"mac", "02:00:00:00:00:0g"},
        std::pair{"mac", "02-00-00-00-00-01"}, std::pair{"state", "unknown"}, std::pair{"name", "thing-2"}}) {
    nlohmann::json wrong = whole;
    wrong[name] = value;
    damaged.push_back(wrong.dump());
  }
  for (const std::string& content : damaged) {
    std::ofstream(path()) << content;
    const auto read = DeviceRecord::load(folder);
    ASSERT_FALSE(read) << content;
    EXPECT_EQ(read.error().code, ExitCode::kEnvironment);
    EXPECT_THAT(read.error().message, HasSubstr(path()));
  }
}

}  // namespace
}  // namespace otasim::lab
