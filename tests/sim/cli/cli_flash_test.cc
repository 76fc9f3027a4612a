// `otasim flash` on what a run has left of a real device: its flash explained, compared, rebuilt and damaged.
//
// One run, an update over MQTT that ends well, serves all tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <filesystem>

#include "pal_sim/flash/flash_map.h"
#include "pal_sim/flash/op_log.h"
#include "pal_sim/flash/window.h"
#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/flash/flash_file.h"
#include "tests/board_under_test.h"
#include "tests/sim/cli/program.h"

namespace otasim::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using Bytes = std::vector<std::uint8_t>;

class CliFlash : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir(TempDir::create().value());
    const Outcome run = test::run({"run", "OTAE2EGreaterVersion", "--data", "mqtt", "--board", board_name(),
                                   "--quiet", "--out", folder_->file("run")});
    ASSERT_EQ(run.code, 0) << run.out << run.err;
  }
  static void TearDownTestSuite() { delete folder_; }

  void SetUp() override { ASSERT_TRUE(fs::exists(flash())) << "the run has left no flash"; }

  static std::string run_folder() { return folder_->file("run"); }
  static std::string device() { return run_folder() + "/devices/thing-1"; }
  static std::string flash() { return device() + "/flash.bin"; }
  static std::string factory() { return device() + "/factory.bin"; }
  /// A flash file of the test's own.
  static std::string copy_of_flash(const std::string& name) {
    fs::create_directories(folder_->file(name));
    const std::string copy = folder_->file(name) + "/flash.bin";
    fs::copy_file(flash(), copy, fs::copy_options::overwrite_existing);
    return copy;
  }
  static json json_of(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "flash");
    arguments.push_back("--json");
    const Outcome outcome = test::run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out, nullptr, false);
  }
  static void expect_refused(std::vector<std::string> arguments, const std::string& message) {
    arguments.insert(arguments.begin(), "flash");
    const Outcome outcome = test::run(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_EQ(outcome.out, "");
  }

  static TempDir* folder_;
};
TempDir* CliFlash::folder_ = nullptr;

// ---- show

TEST_F(CliFlash, ShowExplainsAnUpdatedDevice) {
  const json report = json_of({"show", run_folder()});
  const json& control = report["boot_control"];
  EXPECT_EQ(control["settled"], true);
  EXPECT_EQ(control["in_force"]["role"], "second confirmation");
  EXPECT_EQ(control["in_force"]["committed_slot"], "B");
  EXPECT_EQ(control["in_force"]["committed"]["version"], "0.9.1");
  EXPECT_EQ(control["in_force"]["committed"]["job"], "AFR_OTA-u1");
  const json& image = report["slots"]["slot-b"]["image"];
  EXPECT_EQ(image["version"], "0.9.1");
  EXPECT_EQ(image["verifies"], true);
  EXPECT_EQ(image["signer"], "boot_signing_key.pem");
  EXPECT_EQ(image["sha256"], control["in_force"]["committed"]["digest"]);
  EXPECT_EQ(report["slots"]["slot-a"]["first_sector_erased"], true)
      << "the commit made the old image unbootable";
  EXPECT_EQ(report["slots"]["recovery"]["image"]["kind"], "recovery");
  EXPECT_EQ(report["otp"]["application"]["floor"], image["security_counter"]);
  const json& provisioning = report["provisioning"]["provisioning-0"];
  EXPECT_EQ(provisioning["in_force"], true);
  EXPECT_EQ(provisioning["opened"]["thing"], "thing-1");
  EXPECT_EQ(provisioning["opened"]["certificates"]["device"]["subject"], "CN=thing-1");
  EXPECT_EQ(report["strays"], json::array());
  EXPECT_GT(report["cells"]["partitions"]["slot-b"]["erases"], 0);
}

TEST_F(CliFlash, ShowIsTheSameForAFileItsFolderAndItsRun) {
  const Outcome file = run({"flash", "show", flash()});
  EXPECT_EQ(file.code, 0) << file.err;
  EXPECT_THAT(file.out,
              AllOf(HasSubstr("second confirmation"), HasSubstr("verifies with boot_signing_key.pem"),
                    HasSubstr("floor of applications: 1")));
  EXPECT_EQ(run({"flash", "show", device()}).out, file.out);
  EXPECT_EQ(run({"flash", "show", run_folder(), "--device", "thing-1"}).out, file.out);
}

TEST_F(CliFlash, ShowChangesNothing) {
  const Bytes before = read_file(flash()).value();
  const Bytes cells = read_file(device() + "/flash.faults").value();
  (void)json_of({"show", flash()});
  EXPECT_EQ(read_file(flash()).value(), before);
  EXPECT_EQ(read_file(device() + "/flash.faults").value(), cells);
}

TEST_F(CliFlash, WithOtherKeysNothingVerifiesOrOpens) {
  const std::string keys = folder_->file("keys");
  fs::create_directories(keys);
  ASSERT_TRUE(write_file_atomic(keys + "/device_key.bin", Bytes(32, 7)));
  const json report = json_of({"show", flash(), "--keys", keys});
  EXPECT_EQ(report["slots"]["slot-b"]["image"]["verifies"], false);
  EXPECT_THAT(report["provisioning"]["provisioning-0"]["problem"].get<std::string>(),
              HasSubstr("does not open"));
}

// ---- diff and dump

TEST_F(CliFlash, DiffTellsWhatTheUpdateDid) {
  const json difference = json_of({"diff", factory(), flash()});
  EXPECT_EQ(difference["equal"], false);
  std::map<std::string, json> changes;
  for (const json& change : difference["changes"]) changes[change["what"]] = change;
  EXPECT_EQ(changes["otp.application.floor"]["from"], 0);
  EXPECT_EQ(changes["otp.application.floor"]["to"], 1);
  EXPECT_EQ(changes["slots.slot-b.image"]["to"]["version"], "0.9.1");
  EXPECT_TRUE(changes["slots.slot-a.image"]["to"].is_null());
  std::vector<std::string> partitions;
  for (const json& one : difference["bytes"]) partitions.push_back(one["partition"]);
  EXPECT_THAT(partitions, AllOf(Contains("boot-control-0"), Contains("slot-b"), Contains("otp"),
                                Not(Contains("recovery")), Not(Contains("provisioning-0"))));
  EXPECT_EQ(json_of({"diff", flash(), device()})["equal"], true);
}

TEST_F(CliFlash, DumpGivesThePartitionsBytes) {
  const std::string out = folder_->file("slot-b.raw");
  EXPECT_EQ(json_of({"dump", flash(), "--partition", "slot-b", "--out", out})["length"], flash::kSlotB.size);
  const Bytes window = read_file(flash()).value();
  EXPECT_EQ(read_file(out).value(),
            Bytes(window.begin() + flash::kSlotB.offset, window.begin() + flash::kSlotB.end()));
  const Outcome hex = run({"flash", "dump", flash(), "--partition", "slot-b", "--length", "0x20"});
  EXPECT_EQ(hex.code, 0) << hex.err;
  EXPECT_THAT(hex.out, HasSubstr("00400000  3d b8 f3 96"));
  EXPECT_THAT(hex.out, HasSubstr("\n00400020\n"));
  EXPECT_THAT(run({"flash", "dump", flash(), "--partition", "seed-1"}).out, HasSubstr("*\n00080000\n"));
  expect_refused({"dump", flash(), "--partition", "slot-c"}, "there is no partition 'slot-c'");
  expect_refused({"dump", flash(), "--partition", "otp", "--offset", "1024"}, "are not inside 'otp'");
}

// ---- at

TEST_F(CliFlash, TheLastOperationLeavesTheFlashAsItIs) {
  const auto log = flash::read_op_log(device() + "/flash.ops");
  ASSERT_TRUE(log);
  const std::string last = std::to_string(log->operations.back().sequence);
  const std::string out = folder_->file("last.bin");
  (void)json_of({"at", last, run_folder(), "--out", out});
  for (const json& one : json_of({"diff", out, flash()})["bytes"]) ADD_FAILURE() << one;
  (void)json_of({"at", "0", run_folder(), "--out", out});
  EXPECT_EQ(json_of({"diff", out, factory()})["equal"], true);
}

TEST_F(CliFlash, AtTellsWhatTheOperationDidAndWhatChanged) {
  const json erase = json_of({"at", run_folder(), "1"});
  EXPECT_EQ(erase["kind"], "erase");
  EXPECT_EQ(erase["place"], "boot-control-0");
  EXPECT_EQ(erase["source"], "boot");
  EXPECT_THAT(erase["time"].get<std::string>(), MatchesRegex("20[0-9-]+T[0-9:.]+Z"));
  const json record = json_of({"at", "4", flash(), "--ops", device() + "/flash.ops", "--before", factory()});
  EXPECT_EQ(record["kind"], "program");
  EXPECT_THAT(record["did"].get<std::string>(), HasSubstr("second confirmation with the sequence 2"));
  EXPECT_THAT(record["changes"].dump(), HasSubstr("boot_control.in_force.role"));
  EXPECT_THAT(run({"flash", "at", "4", run_folder()}).out, HasSubstr("a second confirmation"));
}

TEST_F(CliFlash, AtSaysWhatItCannotRebuild) {
  expect_refused({"at", "999999", run_folder()}, "the op log has no operation 999999");
  expect_refused({"at", "one", run_folder()}, "is an operation's number");
  expect_refused({"at", "1", copy_of_flash("alone")}, "factory.bin");
  expect_refused({"at", "1", flash(), "--ops", factory()}, "is not an op log");
  const std::string other = folder_->file("other.bin");
  const bool is_nor = flash::part_of(read_file(flash()).value()) == flash::kSpiNorPart;
  ASSERT_TRUE(flash_file::FlashFile::create(other, is_nor ? flash::kControllerPart : flash::kSpiNorPart));
  expect_refused({"at", "1", flash(), "--before", other}, "Both must be of one device");
}

// ---- corrupt

TEST_F(CliFlash, RotIsWhatTheSeedSaysAndWhatIsTold) {
  const std::string copy = copy_of_flash("rot");
  const json told =
      json_of({"corrupt", copy, "--partition", "slot-b", "--length", "4096", "--rot", "3", "--seed", "7"});
  ASSERT_EQ(told["bits"].size(), 3U);
  Bytes expected = read_file(flash()).value();
  for (const json& bit : told["bits"])
    expected[bit["offset"].get<std::size_t>()] ^= static_cast<std::uint8_t>(1U << bit["bit"].get<unsigned>());
  EXPECT_EQ(read_file(copy).value(), expected);
  EXPECT_THAT(json_of({"show", copy})["slots"]["slot-b"]["image"].dump(), HasSubstr("hash does not match"));
  const std::string again = copy_of_flash("again");
  EXPECT_EQ(json_of({"corrupt", again, "--partition", "slot-b", "--length", "4096", "--rot", "3", "--seed",
                     "7"})["bits"],
            told["bits"]);
}

TEST_F(CliFlash, DestroyOverwritesTheRangeAndNothingElse) {
  const std::string copy = copy_of_flash("destroy");
  const json told = json_of({"corrupt", copy, "--partition", "boot-control-0", "--destroy", "zeros"});
  EXPECT_EQ(told["length"], flash::kBootControl0.size);
  Bytes expected = read_file(flash()).value();
  std::fill_n(expected.begin() + flash::kBootControl0.offset, flash::kBootControl0.size, std::uint8_t{0});
  EXPECT_EQ(read_file(copy).value(), expected);
  expect_refused({"corrupt", copy}, "give --rot BITS or --destroy PATTERN");
  expect_refused({"corrupt", copy, "--rot", "1", "--destroy", "zeros"}, "excludes");
  EXPECT_EQ(read_file(copy).value(), expected);
}

TEST_F(CliFlash, AFileThatAProcessWorksOnIsNotDamaged) {
  const std::string copy = copy_of_flash("mapped");
  const Bytes before = read_file(copy).value();
  {
    const auto device = flash_file::FlashFile::open(copy);  // as the simulator and QEMU do
    ASSERT_TRUE(device.has_value());
    expect_refused({"corrupt", copy, "--rot", "1"}, "is in use by cli_flash_test");
    EXPECT_EQ(read_file(copy).value(), before);
  }
  EXPECT_EQ(run({"flash", "corrupt", copy, "--rot", "1"}).code, 0) << "and then it is";
}

// ---- what is no flash file

TEST_F(CliFlash, WhatIsNoFlashFileIsRefusedAndNeverMended) {
  const std::string small = folder_->file("small.bin");
  const Bytes content(1000, 0xFF);
  ASSERT_TRUE(write_file_atomic(small, content));
  const std::string foreign = copy_of_flash("foreign");
  Bytes window = read_file(foreign).value();
  flash::write_register(window, flash::controller::kRegVersion, 1);
  ASSERT_TRUE(write_file_atomic(foreign, window));
  for (const std::vector<std::string>& command : {std::vector<std::string>{"show"},
                                                  {"dump"},
                                                  {"diff", flash()},
                                                  {"corrupt", "--rot", "1"},
                                                  {"at", "1"}}) {
    std::vector<std::string> arguments = command;
    arguments.push_back(small);
    expect_refused(arguments, command[0] == "at" ? "there is no" : "has 1000 bytes, not 16777216");
    arguments.back() = foreign;
    expect_refused(arguments, command[0] == "at" ? "there is no" : "its layout has version 1, not ");
  }
  EXPECT_EQ(read_file(small).value(), content);
  EXPECT_EQ(read_file(foreign).value(), window);
  expect_refused({"show", folder_->path()}, "is neither a device's folder nor a run's");
  expect_refused({"show", run_folder(), "--device", "thing-9"}, "there is no device 'thing-9'");
  expect_refused({"show", "/nonexistent"}, "/nonexistent");
}

}  // namespace
}  // namespace otasim::test
