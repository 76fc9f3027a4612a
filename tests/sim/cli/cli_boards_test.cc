// `otasim boards` and `otasim boot` as a user meets them: what boards there are, programs of one's own on
// each, and clear words for what does not fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/boards.h"
#include "tests/board_under_test.h"
#include "tests/sim/cli/program.h"

namespace {

using otasim::TempDir;
using otasim::test::board_name;
using otasim::test::Outcome;
using otasim::test::Program;
using testing::HasSubstr;
using testing::Not;

std::string firmware(const std::string& program, const std::string& board) {
  return std::string(OTASIM_FIRMWARE) + "/" + program + "-" + board + ".elf";
}

nlohmann::json json_of(const std::vector<std::string>& command) {
  const Outcome outcome = otasim::test::run(command);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return nlohmann::json::parse(outcome.out);
}

TEST(BoardsCommand, ListsEveryBoardAndWhatItIs) {
  const Outcome outcome = otasim::test::run({"boards"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto list = json_of({"boards", "--json"});
  ASSERT_EQ(list.size(), otasim::lab::boards().size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const otasim::lab::Board& board = otasim::lab::boards()[i];
    EXPECT_THAT(outcome.out, HasSubstr(std::string(board.name)));
    EXPECT_EQ(list[i]["name"], board.name);
    EXPECT_EQ(list[i]["load_address"], board.load_address);
    EXPECT_EQ(list[i]["capabilities"].size(), board.capabilities.size());
  }
}

TEST(BoardsCommand, SaysWhichFaultsABoardsFlashCannotExpress) {
  const Outcome outcome = otasim::test::run({"boards", "--faults"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("flash.program_failure, emcraft-sf2: the drive sees results"));
  EXPECT_THAT(outcome.out, HasSubstr("emcraft-sf2: the flash chip has no locks"));
  for (const auto& fault : json_of({"boards", "--faults", "--json"})) {
    EXPECT_EQ(fault["boards"]["mps2-an385"]["possible"], true) << fault;
    if (fault["fault"] == "flash.power_cut") {
      EXPECT_EQ(fault["boards"]["emcraft-sf2"]["possible"], true);
    }
    if (fault["fault"] == "flash.program_failure") {
      EXPECT_EQ(fault["boards"]["emcraft-sf2"]["possible"], false);
    }
  }
}

/// On the board under test.
class BootCommand : public testing::Test {
 protected:
  BootCommand() { std::filesystem::create_directory(folder.file("tmp")); }
  ~BootCommand() override {
    EXPECT_TRUE(std::filesystem::is_empty(folder.file("tmp"))) << "nothing of the device is left";
  }

  [[nodiscard]] std::vector<std::string> environment() const { return {"TMPDIR=" + folder.file("tmp")}; }
  [[nodiscard]] static std::vector<std::string> boot(std::vector<std::string> options) {
    options.insert(options.begin(), {"boot", "--board", board_name()});
    return options;
  }
  [[nodiscard]] Outcome run(const std::vector<std::string>& options) const {
    return otasim::test::run(boot(options), environment());
  }

  TempDir folder = TempDir::create().value();
};

TEST_F(BootCommand, RunsTheProgramsGivenUntilTheyHaveSaidIt) {
  const Outcome outcome =
      run({"--bootloader", firmware("bootloader", board_name()), "--app", firmware("probe", board_name()),
           "--version", "3.2.1", "--until", "probe: at rest", "--limit", "60"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("boot: reset board=" + board_name() + " reason=power-on\n"));
  EXPECT_THAT(outcome.out, HasSubstr("boot: start slot=A version=3.2.1 state=committed\n"));
  EXPECT_THAT(outcome.out, HasSubstr("probe: at rest\n"));
}

TEST_F(BootCommand, ADemoOfOursConnectsToTheLab) {
  const Outcome outcome = run({"--until", "app: no job waiting", "--limit", "60", "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::string last;
  for (std::string line; std::getline(lines, line);) last = nlohmann::json::parse(line).at("line");
  EXPECT_EQ(last, "app: no job waiting");
}

TEST_F(BootCommand, WhatIsNeverSaidFailsAtTheLimit) {
  const Outcome outcome = run({"--app", firmware("probe", board_name()), "--until", "never", "--limit", "2"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("the device did not say 'never' within 2 s"));
}

TEST_F(BootCommand, CtrlCEndsItAndLeavesNothingBehind) {
  Program program(boot({}), environment());
  ASSERT_TRUE(program.wait_for_output("app: otasim demo"));
  const auto children = program.children();
  EXPECT_FALSE(children.empty());
  program.send(SIGINT);
  EXPECT_EQ(program.finish().code, 0) << "the way to end it";
  for (const pid_t child : children) EXPECT_NE(kill(child, 0), 0);
}

TEST_F(BootCommand, WhatDoesNotFitIsRefusedAndSaidWhereItWould) {
  struct Case {
    std::string option;
    std::string file;
    std::string message;
    std::string hint;
  };
  std::ofstream(folder.file("text.elf")) << "no program";
  for (const Case& one : {
           Case{"--app", firmware("demo", "mps2-an500"),
                "compiled for ARMv7E-M with FPv5, and mps2-an385 has a Cortex-M3",
                "It would fit: mps2-an500"},
           Case{"--app", firmware("demo", "mps2-an505"), "compiled for ARMv8-M mainline",
                "It would fit: mps2-an505, mps2-an521"},
           Case{"--app", firmware("demo", "emcraft-sf2"), "bytes from 0x00100200 on, and a slot has room for",
                "It would fit: emcraft-sf2"},
           Case{"--app", firmware("bootloader", "mps2-an385"), "below the image's start",
                "none of otasim's boards"},
           Case{"--bootloader", firmware("demo", "mps2-an385"),
                "the boot ROM of mps2-an385 is 0x00000000..0x00040000", "none of otasim's boards"},
           Case{"--bootloader", firmware("bootloader", "mps2-an505"), "compiled for ARMv8-M mainline",
                "It would fit: mps2-an505, mps2-an521"},
           Case{"--app", folder.file("text.elf"), "it has no ELF header", ""},
           Case{"--bootloader", "/nonexistent.elf", "/nonexistent.elf", ""},
       }) {
    const Outcome outcome =
        otasim::test::run({"boot", "--board", "mps2-an385", one.option, one.file}, environment());
    EXPECT_EQ(outcome.code, 2) << one.file;
    EXPECT_THAT(outcome.err, HasSubstr(one.message));
    EXPECT_THAT(outcome.err, HasSubstr(one.hint));
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(BootCommand, AnUnknownBoardIsNamedWithThoseThereAre) {
  const Outcome outcome = otasim::test::run({"boot", "--board", "mps2-an999"}, environment());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("mps2-an999"));
  EXPECT_THAT(outcome.err, HasSubstr("emcraft-sf2"));
}

}  // namespace
