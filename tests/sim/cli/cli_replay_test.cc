// `otasim run --record` and `otasim replay`: what was recorded runs again byte for byte, in both directions,
// and what is not as recorded is said, with its place.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/base/temp_dir.h"
#include "tests/sim/cli/program.h"

namespace otasim {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Arguments = std::vector<std::string>;

class Replay : public ::testing::Test {
 protected:
  void SetUp() override {
    auto temp = TempDir::create();
    ASSERT_TRUE(temp) << temp.error().message;
    temp_.emplace(std::move(*temp));
  }

  [[nodiscard]] std::string run_folder() const { return temp_->file("run"); }
  [[nodiscard]] std::string recording() const { return run_folder() + "/devices/thing-1/recording"; }

  /// Plays a scenario, which must pass, under record.
  void record(Arguments more) {
    Arguments arguments = {"run",  "--record", "--board",     "mps2-an385", "--data",
                           "mqtt", "--quiet",  "--no-report", "--out",      run_folder()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto run = test::run(arguments);
    ASSERT_EQ(run.code, 0) << run.out << run.err;
    std::ifstream file(recording() + "/recording.json");
    recorded_ = json::parse(file);
  }

  [[nodiscard]] static std::vector<json> lines_of(const std::string& text) {
    std::vector<json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
    return lines;
  }

  /// Replays all boots, which must be as recorded.
  void expect_identical() {
    const auto replay = test::run({"replay", run_folder(), "--json", "--quiet"});
    EXPECT_EQ(replay.code, 0) << replay.out << replay.err;
    const auto boots = lines_of(replay.out);
    ASSERT_EQ(boots.size(), recorded_.at("boots").size());
    for (const json& boot : boots) {
      EXPECT_EQ(boot.at("result"), "identical") << boot.dump();
      EXPECT_GT(boot.at("wall_ms").get<int>(), 0);
    }
  }

  [[nodiscard]] unsigned boots_that_ended(const std::string& how) const {
    unsigned count = 0;
    for (const json& boot : recorded_.at("boots")) count += boot.at("end") == how ? 1 : 0;
    return count;
  }

  std::optional<TempDir> temp_;
  json recorded_;
};

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST_F(Replay, AnUpdateOverTlsRunsAgainByteForByteAndTheRunFolderStaysAsItWas) {
  ASSERT_NO_FATAL_FAILURE(record({"OTAE2EGreaterVersion"}));
  EXPECT_GE(boots_that_ended("reset"), 1U) << "the new image starts after a reset";
  EXPECT_GE(boots_that_ended("power_cut"), 1U);
  const std::string before =
      content(recording() + "/boot-001.flash") + content(run_folder() + "/devices/thing-1/flash.bin");
  expect_identical();
  EXPECT_EQ(before,
            content(recording() + "/boot-001.flash") + content(run_folder() + "/devices/thing-1/flash.bin"));
  const auto console = test::run({"replay", run_folder(), "--boot", "1", "--quiet"});
  EXPECT_EQ(console.code, 0);
  EXPECT_NE(console.out.find("boot: start"), std::string::npos) << console.out;
}

TEST_F(Replay, APowerCutInAnOperationOnFlashIsReplayedToThatOperation) {
  // Armed while the device runs, and torn with marginal bits.
  ASSERT_NO_FATAL_FAILURE(record({"PowerCutAtBootStage"}));
  EXPECT_EQ(boots_that_ended("power_cut_in_flash"), 1U);
  expect_identical();
}

TEST_F(Replay, AFlashFaultStrikesTheSameOperationsAgain) {
  ASSERT_NO_FATAL_FAILURE(record({"FlashProgramFails"}));
  expect_identical();
}

TEST_F(Replay, FlashThatIsNotAsItWasIsADivergenceWithItsPlace) {
  ASSERT_NO_FATAL_FAILURE(record({"OTAE2EGreaterVersion"}));
  // All pages of the first boot's flash read as erased: no image is there to be started.
  const std::string header = content(recording() + "/boot-001.flash").substr(0, 16);
  std::ofstream(recording() + "/boot-001.flash", std::ios::binary) << header;
  const auto replay = test::run({"replay", run_folder(), "--boot", "1", "--quiet"});
  EXPECT_EQ(replay.code, 1) << replay.out << replay.err;
  EXPECT_NE(replay.err.find("diverged at boot 1 of thing-1, console line"), std::string::npos) << replay.err;
}

TEST_F(Replay, AnotherVersionOfQemuIsAnEnvironmentError) {
  ASSERT_NO_FATAL_FAILURE(record({"OTAE2EGreaterVersion"}));
  recorded_["qemu"] = "QEMU emulator version 1.0";
  std::ofstream(recording() + "/recording.json") << recorded_.dump();
  const auto replay = test::run({"replay", run_folder(), "--quiet"});
  EXPECT_EQ(replay.code, 3) << replay.err;
  EXPECT_NE(replay.err.find("version 1.0"), std::string::npos) << replay.err;
}

TEST_F(Replay, GdbGoesBackOneInstructionAndBackToAFunction) {
  ASSERT_NO_FATAL_FAILURE(record({"OTAE2EGreaterVersion"}));
  const auto gdb = test::run({"replay", run_folder(),
                              "--gdb",  "--boot",
                              "1",      "--quiet",  //
                              "--ex",   "break mbedtls_ssl_handshake",
                              "--ex",   "continue",                      //
                              "--ex",   "printf \"first %#x\\n\", $pc",  //
                              "--ex",   "stepi",
                              "--ex",   "stepi",
                              "--ex",   "printf \"later %#x\\n\", $pc",  //
                              "--ex",   "reverse-stepi",
                              "--ex",   "reverse-stepi",
                              "--ex",   "printf \"back %#x\\n\", $pc",  //
                              "--ex",   "stepi",
                              "--ex",   "stepi",
                              "--ex",   "reverse-continue",  //
                              "--ex",   "printf \"again %#x\\n\", $pc",
                              "--ex",   "kill"});
  EXPECT_EQ(gdb.code, 0) << gdb.out << gdb.err;
  const auto address = [&](const std::string& label) {
    const std::size_t at = gdb.out.find(label + " 0x");
    return at == std::string::npos
               ? "no " + label
               : gdb.out.substr(at + label.size() + 1, gdb.out.find('\n', at) - at - label.size() - 1);
  };
  EXPECT_NE(address("first"), address("later")) << gdb.out << gdb.err;
  EXPECT_EQ(address("first"), address("back")) << gdb.out << gdb.err;
  EXPECT_EQ(address("first"), address("again")) << gdb.out << gdb.err;
}

TEST_F(Replay, WhatCannotBeRecordedIsRefusedBeforeTheRun) {
  const auto board =
      test::run({"run", "OTAE2EGreaterVersion", "--record", "--board", "emcraft-sf2", "--out", run_folder()});
  EXPECT_EQ(board.code, 2) << board.err;
  EXPECT_NE(board.err.find("emcraft-sf2"), std::string::npos) << board.err;
  const auto fault = test::run(
      {"run", "OTAE2EGreaterVersion", "--record", "--fault", "device.watchdog", "--out", run_folder()});
  EXPECT_EQ(fault.code, 2) << fault.err;
  EXPECT_NE(fault.err.find("device.watchdog"), std::string::npos) << fault.err;
  EXPECT_FALSE(fs::exists(run_folder()));
}

}  // namespace
}  // namespace otasim
