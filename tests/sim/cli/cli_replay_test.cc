// `otasim run --record` and `otasim replay`: what was recorded runs again byte for byte, in both directions,
// and what is not as recorded is said, with its place.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "sim/base/json.h"
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
  // All pages of the last boot's flash read as in the boot before.
  const std::string last = std::to_string(recorded_["boots"].size());
  const std::string delta = recording() + "/boot-00" + last + ".flash";
  const std::string header = content(delta).substr(0, 16);
  std::ofstream(delta, std::ios::binary) << header;
  const auto replay = test::run({"replay", run_folder(), "--boot", last, "--quiet"});
  EXPECT_EQ(replay.code, 1) << replay.out << replay.err;
  EXPECT_NE(replay.err.find("diverged at boot " + last + " of thing-1, flash at "), std::string::npos)
      << replay.err;
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

/// One recorded update, of which each test damages a copy.
class DamagedReplay : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir(TempDir::create().value());
    const auto run = test::run({"run", "OTAE2EGreaterVersion", "--record", "--board", "mps2-an385", "--data",
                                "mqtt", "--quiet", "--no-report", "--out", folder_->file("whole")});
    ASSERT_EQ(run.code, 0) << run.out << run.err;
  }
  static void TearDownTestSuite() { delete folder_; }
  void SetUp() override { fs::copy(folder_->file("whole"), run_folder(), fs::copy_options::recursive); }

  [[nodiscard]] std::string run_folder() const { return temp_.file("run"); }
  [[nodiscard]] std::string device(const std::string& name) const {
    return run_folder() + "/devices/" + name;
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    return device("thing-1") + "/recording/" + name;
  }
  [[nodiscard]] test::Outcome replay(Arguments more) const {
    Arguments arguments = {"replay", run_folder(), "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::run(arguments);
  }
  [[nodiscard]] json recording() const { return json::parse(content(file("recording.json"))); }
  void save(const json& recording) const { std::ofstream(file("recording.json")) << recording.dump(); }
  void make_pipe(const std::string& path) const {
    fs::remove(path);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  }

  static inline TempDir* folder_ = nullptr;
  TempDir temp_ = TempDir::create().value();
};

TEST_F(DamagedReplay, ALogThatIsMissingIsNoDivergence) {
  fs::remove(file("boot-001.log"));
  const auto outcome = replay({"--boot", "1"});
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_NE(outcome.err.find("boot-001.log is missing"), std::string::npos) << outcome.err;
}

TEST_F(DamagedReplay, ALogThatIsCutIsNoDivergence) {
  fs::resize_file(file("boot-001.log"), 2);
  const auto outcome = replay({"--boot", "1"});
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_NE(outcome.err.find("boot 1 of thing-1: qemu-system-arm"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("error reading the replay data"), std::string::npos)
      << "QEMU's own words: " << outcome.err;
}

TEST_F(DamagedReplay, OneBootThatIsNotWholeDoesNotHideTheOthers) {
  json changed = recording();
  changed["boots"][0]["whole"] = false;
  save(changed);
  const auto skipped = replay({"--json"});
  EXPECT_EQ(skipped.code, 2) << skipped.err;
  EXPECT_NE(skipped.out.find(R"("result":"not_replayed")"), std::string::npos) << skipped.out;
  EXPECT_NE(skipped.out.find(R"("result":"identical")"), std::string::npos) << skipped.out;
  // All pages of the last boot's flash read as before.
  const std::string name = "boot-00" + std::to_string(changed["boots"].size()) + ".flash";
  const std::string header = content(file(name)).substr(0, 16);
  std::ofstream(file(name), std::ios::binary) << header;
  const auto diverged = replay({});
  EXPECT_EQ(diverged.code, 1) << diverged.err;
  EXPECT_NE(diverged.err.find("Not replayed in all: 1"), std::string::npos) << diverged.err;
}

/// As `otasim run SCENARIO --record --out DIR` leaves it for several protocols.
TEST(ReplayArguments, OfAFolderOfRunsThoseRecordedAreNamed) {
  const TempDir folder = TempDir::create().value();
  fs::create_directories(folder.file("b run/devices/thing-1/recording"));
  fs::create_directories(folder.file("a/devices/thing-1/recording"));
  fs::create_directories(folder.file("c/devices/thing-1"));
  const auto outcome = test::run({"replay", folder.path().string()});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("\n    otasim replay " + folder.file("a") + "\n    otasim replay '" +
                             folder.file("b run") + "'\n"),
            std::string::npos)
      << outcome.err;
}

TEST_F(DamagedReplay, ARecordingWithoutBootsIsRefused) {
  json changed = recording();
  changed["boots"] = json::array();
  save(changed);
  EXPECT_EQ(replay({}).code, 2);
}

TEST_F(DamagedReplay, ADeviceWhoseRecordingIsNotThereIsNamed) {
  fs::create_directories(device("thing-2") + "/recording");
  const auto outcome = test::run({"replay", run_folder()});
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_NE(outcome.err.find("thing-2/recording has no recording.json"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("thing-1 boot 1/"), std::string::npos) << "the other is replayed";
  fs::remove_all(device("thing-1"));
  EXPECT_EQ(replay({}).code, 2);
}

TEST_F(DamagedReplay, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  for (const char* name : {"boot-001.log", "boot-001.plans", "boot-001.flash", "boot-001.faults"}) {
    const fs::path saved = temp_.file("saved");
    fs::copy_file(file(name), saved, fs::copy_options::overwrite_existing);
    make_pipe(file(name));
    const auto outcome = replay({"--boot", "1"});
    EXPECT_EQ(outcome.code, 2) << name << ": " << outcome.err;
    EXPECT_NE(outcome.err.find("is not a regular file"), std::string::npos) << outcome.err;
    fs::remove(file(name));
    fs::copy_file(saved, file(name));
  }
  for (const char* name : {"uart.log", "flash.ops"}) {
    const std::string path = device("thing-1") + "/" + name;
    const fs::path saved = temp_.file("saved");
    fs::copy_file(path, saved, fs::copy_options::overwrite_existing);
    make_pipe(path);
    EXPECT_EQ(replay({"--boot", "1"}).code, 2) << name;
    fs::remove(path);
    fs::create_symlink("/dev/zero", path);
    EXPECT_EQ(replay({"--boot", "1"}).code, 2) << name;
    fs::remove(path);
    fs::copy_file(saved, path);
  }
  EXPECT_EQ(replay({"--boot", "1"}).code, 0);
}

TEST_F(DamagedReplay, CtrlCLeavesNothingBehind) {
  const fs::path tmp = temp_.file("tmp");
  fs::create_directory(tmp);
  test::Program program({"replay", run_folder()}, {"TMPDIR=" + tmp.string()});
  ASSERT_TRUE(program.wait_for("thing-1 boot 1/"));
  program.send(SIGINT);
  const auto outcome = program.finish();
  EXPECT_EQ(outcome.code, 130) << outcome.err;
  EXPECT_TRUE(fs::is_empty(tmp));
}

TEST_F(DamagedReplay, ALongFolderForTemporaryFilesIsAnEnvironmentError) {
  const std::string tmp = temp_.file(std::string(100, 'x'));
  fs::create_directory(tmp);
  const auto outcome = test::run({"replay", run_folder(), "--boot", "1", "--quiet"}, {"TMPDIR=" + tmp});
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_NE(outcome.err.find("Set TMPDIR"), std::string::npos) << outcome.err;
  EXPECT_TRUE(fs::is_empty(tmp));
}

TEST_F(DamagedReplay, GdbHasOtasimsCommandsAsFarAsAReplayCanAnswer) {
  const auto gdb = replay({"--gdb", "--boot", "1", "--ex", "break mbedtls_ssl_handshake", "--ex", "continue",
                           "--ex", "otasim records", "--ex", "otasim state", "--ex", "otasim pal 0", "--ex",
                           "otasim until boot.start"});
  EXPECT_NE(gdb.err.find("this command needs `otasim debug`"), std::string::npos) << gdb.err;
  EXPECT_NE(gdb.out.find("committed"), std::string::npos) << gdb.out << gdb.err;
  EXPECT_NE(gdb.out.find("state    OtaAgentState"), std::string::npos) << gdb.out << gdb.err;
  EXPECT_EQ(gdb.err.find("no symbols of the application"), std::string::npos) << gdb.err;
}

TEST_F(DamagedReplay, SymbolsOfAnotherBuildAreNotUsed) {
  json changed = recording();
  changed["application"]["sha256"] = std::string(64, '0');
  save(changed);
  const auto gdb =
      replay({"--gdb", "--boot", "1", "--ex", "info line mbedtls_ssl_handshake", "--ex", "kill"});
  EXPECT_NE(gdb.err.find("was built anew since the run was recorded"), std::string::npos) << gdb.err;
  const auto missing = replay({"--gdb", "--boot", "1", "--symbols", temp_.file("none.elf"), "--ex", "kill"});
  EXPECT_EQ(missing.code, 2) << missing.err;
}

TEST_F(DamagedReplay, GdbThatCannotHaveTheBootSaysWhy) {
  fs::resize_file(file("boot-001.log"), 2);
  const auto gdb = replay({"--gdb", "--boot", "1", "--ex", "kill"});
  EXPECT_EQ(gdb.code, 2) << gdb.err;
  EXPECT_NE(gdb.err.find("this boot cannot be replayed"), std::string::npos) << gdb.err;
}

}  // namespace
}  // namespace otasim
