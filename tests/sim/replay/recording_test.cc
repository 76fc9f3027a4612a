// recording.json comes back as it was saved; one that is damaged or forged is refused in words.
#include "sim/replay/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"

namespace otasim::replay {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class RecordingFile : public testing::Test {
 protected:
  RecordingFile() {
    Recording made{.folder = folder_.path().string(),
                   .device = "thing-1",
                   .board = "mps2-an385",
                   .qemu = "7.2.22",
                   .seed = 7,
                   .nic_model = "lan9118",
                   .mac = "02:00:00:00:00:01"};
    made.bootloader = {"boot.elf", "aa"};
    made.boots = {
        {.number = 1,
         .cause = "power_on",
         .end = device::BootEnd::kReset,
         .is_whole = true,
         .console = {0, 10},
         .operations = {16, 90}},
        {.number = 2, .cause = "software", .end = device::BootEnd::kPowerCutInFlash, .console = {10, 20}}};
    EXPECT_TRUE(made.save());
  }
  [[nodiscard]] json stored() const {
    const auto bytes = read_file(file()).value();
    return json::parse(bytes);
  }
  /// @returns why the file with this instead is refused
  [[nodiscard]] Error refusal(const json& value) const {
    EXPECT_TRUE(write_file_atomic(file(), value.dump()));
    const auto loaded = Recording::load(folder_.path().string());
    return loaded ? Error{ExitCode::kOk, "", ""} : loaded.error();
  }
  [[nodiscard]] std::string file() const { return folder_.file("recording.json"); }

  TempDir folder_ = TempDir::create().value();
};

TEST_F(RecordingFile, ComesBackAsItWasSaved) {
  const auto loaded = Recording::load(folder_.path().string());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->device, "thing-1");
  EXPECT_EQ(loaded->seed, 7U);
  EXPECT_EQ(loaded->bootloader.path, "boot.elf");
  ASSERT_EQ(loaded->boots.size(), 2U);
  EXPECT_EQ(loaded->boots[0].operations.end, 90U);
  EXPECT_FALSE(loaded->boots[0].after_reset());
  EXPECT_TRUE(loaded->boots[0].is_whole);
  EXPECT_EQ(loaded->boots[1].end, device::BootEnd::kPowerCutInFlash);
  EXPECT_TRUE(loaded->boots[1].after_reset());
  const json before = stored();
  ASSERT_TRUE(loaded->save());
  EXPECT_EQ(stored(), before);
  EXPECT_EQ(loaded->boot(0), nullptr);
  EXPECT_EQ(loaded->boot(2)->number, 2U);
  EXPECT_EQ(loaded->boot(3), nullptr);
}

TEST_F(RecordingFile, EveryMemberIsNeededAndHasItsType) {
  const json whole = stored();
  for (const auto& [name, value] : whole.items()) {
    json without = whole;
    without.erase(name);
    EXPECT_NE(refusal(without).code, ExitCode::kOk) << "without " << name;
    for (const json& other : {json(json::array({json::array()})), json({{"x", 1}}), json("x")}) {
      if (other.type() == value.type()) continue;
      json changed = whole;
      changed[name] = other;
      EXPECT_NE(refusal(changed).code, ExitCode::kOk) << name << " as " << other;
    }
  }
  EXPECT_EQ(refusal(whole).code, ExitCode::kOk);
}

TEST_F(RecordingFile, WhatCannotBeIsRefused) {
  const json whole = stored();
  const auto with = [&](const char* pointer, const json& value) {
    json changed = whole;
    changed[json::json_pointer(pointer)] = value;
    return refusal(changed);
  };
  EXPECT_THAT(with("/board", "emcraft-sf2").message, HasSubstr("no board 'emcraft-sf2' can be recorded"));
  EXPECT_THAT(with("/boots", json::array()).message, HasSubstr("it has no boots"));
  EXPECT_THAT(with("/boots/1/number", 3).message, HasSubstr("not numbered from 1"));
  EXPECT_THAT(with("/boots/0/end", "burnt").message, HasSubstr("no boot ends with 'burnt'"));
  EXPECT_THAT(with("/boots/0/console/begin", 11).message, HasSubstr("ends before it begins"));
  EXPECT_THAT(with("/memory", json::array({{{"address", 0xf0000000}, {"size", 4096}}})).message,
              HasSubstr("memory that the board does not have"));
  const Error version = with("/version", 2);
  EXPECT_EQ(version.code, ExitCode::kEnvironment);
  EXPECT_THAT(version.message, HasSubstr("of version 2"));
}

}  // namespace
}  // namespace otasim::replay
