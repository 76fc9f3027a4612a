// `otasim debug` as a script uses it: GDB in batch mode on a device in QEMU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include <filesystem>
#include <fstream>
#include <utility>

#include "pal_sim/flash/op_log.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "tests/sim/cli/program.h"

namespace otasim::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kUpdate = R"x(
  {"wait": {"for": {"event": "cloud.mqtt_request", "topic": {"matches": ".*/jobs/(\\$next/get|start-next)"}}}},
  {"update": {"id": "u1", "image": "update"}},
  {"wait": {"for": {"event": "cloud.job_execution", "status": "SUCCEEDED"}}})x";

class DebugTest : public ::testing::Test {
 protected:
  /// A scenario whose update succeeds. @returns its path
  std::string write(const std::string& steps = kUpdate, const std::string& device = "",
                    const std::string& image = "") {
    const std::string path = folder.file("case.jsonc");
    std::ofstream(path)
        << R"({"name": "case", "title": "A case", "images": {"factory": {"version": "1.0.0"},)"
        << R"("update": {"version": "1.1.0")" << image << "}},"
        << R"("devices": [{"name": "thing-1", "image": "factory")" << device << "}], \"steps\": [" << steps
        << R"(], "expect": {"devices": [{"image": "update"}], "refused_by": []}})";
    return path;
  }
  std::string script(const std::string& text) {
    std::ofstream(folder.file("commands.gdb")) << text;
    return folder.file("commands.gdb");
  }
  std::vector<std::string> command(const std::string& scenario, const std::vector<std::string>& more) {
    std::vector<std::string> all{"debug",  scenario, "--board", "mps2-an385",
                                 "--data", "mqtt",   "--out",   out()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Outcome debug(const std::string& scenario, const std::vector<std::string>& more) {
    return run(command(scenario, more));
  }
  [[nodiscard]] std::string out() const { return folder.file("run"); }
  [[nodiscard]] std::vector<json> events() const {
    std::vector<json> all;
    std::ifstream in(out() + "/events.jsonl");
    for (std::string line; std::getline(in, line);) all.push_back(json::parse(line));
    return all;
  }
  [[nodiscard]] std::size_t count(const std::string& source, const std::string& event) const {
    std::size_t found = 0;
    for (const json& one : events()) found += one["source"] == source && one["event"] == event ? 1 : 0;
    return found;
  }
  [[nodiscard]] std::string verdict() const {
    std::ifstream in(out() + "/result.json");
    return in ? json::parse(in).value("result", "") : "none";
  }

  TempDir folder = *TempDir::create();
};

/// Mosquitto looks at its clients every 5 s, and closes a connection after 1.5 times its keep-alive.
TEST_F(DebugTest, StandsStillAtAPlaceForLongerThanTheKeepAliveAndPasses) {
  const auto outcome =
      debug(write(kUpdate, R"(, "keep_alive_s": 5)"),
            {"--at", "cloud.job_execution:IN_PROGRESS", "--batch", "--ex", "otasim state", "--ex",
             "otasim records", "--ex", "otasim where", "--ex", "shell sleep 13", "--ex", "continue"});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("otasim: stopped at cloud.job_execution:IN_PROGRESS"));
  EXPECT_THAT(outcome.out, HasSubstr("job      AFR_OTA-u1"));
  EXPECT_THAT(outcome.out, HasSubstr("thing    thing-1"));
  EXPECT_THAT(outcome.out, HasSubstr("state    OtaAgentState"));
  EXPECT_THAT(outcome.out, HasSubstr("committed")) << "of the flash's records";
  EXPECT_THAT(outcome.out, HasSubstr("thing-1 | app: job AFR_OTA-u1 received")) << "where";
  EXPECT_EQ(verdict(), "passed");
  bool is_over = false;
  for (const json& event : events()) {
    is_over = is_over || event["event"] == "clean_boot";
    if (!is_over && event["event"] == "client_disconnected") {
      EXPECT_NE(event.value("disconnectReason", ""), "MQTT_KEEP_ALIVE_TIMEOUT") << event;
    }
  }
}

TEST_F(DebugTest, BreakpointsSurviveResetsAndPowerCycles) {
  const auto outcome = debug(write(R"(
      {"wait": {"for": {"event": "boot.start"}}},
      {"power": {"device": "thing-1", "to": "cut"}},
      {"power": {"device": "thing-1", "to": "on"}},)" +
                                   std::string(kUpdate)),
                             {"--batch", "--quiet", "-x", script(R"(
python
class Count(gdb.Breakpoint):
  times = 0
  def stop(self):
    rom = 0x40000  # its end; the application has such a function, too
    if int(gdb.parse_and_eval("$pc")) < rom:
      Count.times += 1
    return False
Count("main")
end
continue
python print("booted %d times" % Count.times)
)")});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_GE(count("device", "reset"), 1U);
  EXPECT_GE(count("device", "power_on"), 3U);
  const std::size_t boots = count("boot", "reset");
  EXPECT_GE(boots, 5U);
  EXPECT_THAT(outcome.out, HasSubstr("booted " + std::to_string(boots) + " times"));
  EXPECT_EQ(verdict(), "passed");
}

TEST_F(DebugTest, StopsBeforeAnOperationOnFlash) {
  constexpr std::size_t kNumber = 12;
  const auto outcome =
      debug(write(),
            {"--at", "op:" + std::to_string(kNumber), "--batch", "--quiet", "--ex", "x/2xh $pc", "--ex",
             "shell stat -c 'logged %s bytes' " + out() + "/devices/thing-1/flash.ops", "--ex", "continue"});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("0xf3af\t0x80a5")) << "it stands at the doorbell";
  const auto log = flash::read_op_log(out() + "/devices/thing-1/flash.ops");
  ASSERT_TRUE(log);
  ASSERT_GT(log->operations.size(), kNumber);
  std::size_t bytes = flash::kOpLogHeaderSize;
  for (std::size_t i = 0; i + 1 < kNumber; ++i)
    bytes += flash::kOpLogRecordSize + log->operations[i].data.size();
  EXPECT_THAT(outcome.out, HasSubstr("logged " + std::to_string(bytes) + " bytes"))
      << "those before are done";
}

TEST_F(DebugTest, SymbolsFollowTheImageThatRuns) {
  const auto outcome =
      debug(write(R"({"wait": {"for": {"event": "boot.start"}}},
                                      {"update": {"id": "u1", "image": "update"}},
                                      {"wait": {"for": {"event": "cloud.job_execution", "status": "FAILED"}}})",
                  "", R"(, "variant": "crash")"),
            {"--at", "boot.start:slot=B", "--batch", "--quiet", "-x",
             script("python print('symbols of', [o.filename for o in gdb.objfiles()])\nkill\n")});
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("demo-crash-mps2-an385.elf"), HasSubstr("bootloader-mps2-an385.elf"),
                    Not(HasSubstr("demo-mps2-an385.elf"))));
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
}

TEST_F(DebugTest, GdbThatQuitsEndsTheRun) {
  Program program(command(write(), {"--batch", "--ex", "info registers pc"}));
  const auto outcome = program.finish();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("pc "));
  EXPECT_THAT(outcome.err, HasSubstr("before its verdict"));
  EXPECT_EQ(verdict(), "none");
}

/// A terminal with a person before it.
class Terminal {
 public:
  explicit Terminal(std::vector<std::string> command) {
    pid_ = forkpty(&master_, nullptr, nullptr, nullptr);
    if (pid_ != 0) return;
    setenv("TERM", "dumb", 1);
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    execv(argv.front(), argv.data());
    _exit(127);
  }
  ~Terminal() {
    close(master_);  // hangs up
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void type(const std::string& text) const {
    ASSERT_EQ(write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  /// Reads until `text` is shown. @returns false if it is not within the test's limit
  [[nodiscard]] bool shows(const std::string& text) {
    constexpr int kLimitMs = 60'000;
    for (;;) {
      if (const std::size_t at = shown_.find(text); at != std::string::npos) {
        shown_.erase(0, at + text.size());
        return true;
      }
      pollfd terminal{master_, POLLIN, 0};
      char bytes[4096];
      if (poll(&terminal, 1, kLimitMs) <= 0) return false;
      const ssize_t count = read(master_, bytes, sizeof bytes);
      if (count <= 0) return false;
      shown_.append(bytes, static_cast<std::size_t>(count));
    }
  }
  [[nodiscard]] int exit_code() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] const std::string& rest() const { return shown_; }

 private:
  pid_t pid_ = -1;
  int master_ = -1;
  std::string shown_;
};

TEST_F(DebugTest, CtrlCStopsTheDeviceAndNotTheSimulator) {
  // A run that does not end by itself before the interrupt, and a device that is seen to run.
  std::vector<std::string> words = command(
      write(
          R"({"wait": {"for": {"event": "uart.line", "text": {"contains": "never said"}}, "limit_s": 600}})"),
      {});
  words.insert(words.begin(), OTASIM_PROGRAM);
  Terminal terminal(words);
  ASSERT_TRUE(terminal.shows("(gdb) ")) << terminal.rest();
  terminal.type("continue\n");
  ASSERT_TRUE(terminal.shows("connected to")) << terminal.rest();
  terminal.type("\x03");
  ASSERT_TRUE(terminal.shows("SIGINT")) << terminal.rest();
  ASSERT_TRUE(terminal.shows("(gdb) "));
  terminal.type("quit\n");
  EXPECT_TRUE(terminal.shows("before its verdict")) << terminal.rest();
  EXPECT_EQ(terminal.exit_code(), 0);
}

TEST_F(DebugTest, GdbThatHasDetachedMayQuitAfterTheVerdict) {
  std::vector<std::string> words = command(write(), {});
  words.insert(words.begin(), OTASIM_PROGRAM);
  Terminal terminal(words);
  ASSERT_TRUE(terminal.shows("(gdb) ")) << terminal.rest();
  terminal.type("detach\n");
  ASSERT_TRUE(terminal.shows("the scenario has passed")) << terminal.rest();
  terminal.type("quit\n");
  EXPECT_TRUE(terminal.shows("passed case/mps2-an385/mqtt")) << terminal.rest();
  EXPECT_EQ(terminal.exit_code(), 0);
  EXPECT_EQ(verdict(), "passed");
}

TEST_F(DebugTest, CtrlZStopsGdbAndSimulatorAndTheShellLetsThemGoOn) {
  Terminal terminal({"/bin/bash", "--norc", "-i"});
  std::string line = OTASIM_PROGRAM;
  for (const std::string& word : command(write(), {})) line += ' ' + word;
  terminal.type(line + "\n");
  ASSERT_TRUE(terminal.shows("(gdb) ")) << terminal.rest();
  terminal.type("\x1a");
  ASSERT_TRUE(terminal.shows("Stopped")) << terminal.rest();
  terminal.type("echo shell $((40 + 2))\n");
  ASSERT_TRUE(terminal.shows("shell 42")) << "the shell has the terminal: " << terminal.rest();
  terminal.type("fg\n");
  ASSERT_TRUE(terminal.shows("otasim debug")) << terminal.rest();
  terminal.type("print 50 + 5\n");
  ASSERT_TRUE(terminal.shows(" = 55")) << terminal.rest();
  terminal.type("quit\n");
  EXPECT_TRUE(terminal.shows("before its verdict")) << terminal.rest();
  terminal.type("echo shell $((41 + 2)); exit\n");
  EXPECT_TRUE(terminal.shows("shell 43")) << "it has the terminal again: " << terminal.rest();
  EXPECT_EQ(terminal.exit_code(), 0);
}

TEST_F(DebugTest, CtrlZWithoutAShellIsPassedOver) {
  std::vector<std::string> words = command(write(), {});
  words.insert(words.begin(), OTASIM_PROGRAM);
  Terminal terminal(words);
  ASSERT_TRUE(terminal.shows("(gdb) ")) << terminal.rest();
  terminal.type("\x1a");
  terminal.type("print 50 + 5\n");
  ASSERT_TRUE(terminal.shows(" = 55")) << terminal.rest();
  terminal.type("quit\n");
  EXPECT_TRUE(terminal.shows("before its verdict")) << terminal.rest();
  EXPECT_EQ(terminal.exit_code(), 0);
}

TEST_F(DebugTest, APlaceThatIsNotTakenIsAnErrorAndTheDeviceDoesNotRun) {
  const auto outcome = debug(write(), {"--at", "boot.start", "--batch", "--quiet", "-x", script(R"(
python
def refused(command):
  try:
    gdb.execute(command)
  except gdb.error as error:
    print("refused:", error)
refused("otasim until nowhere")
refused("otasim until op:1")
refused("otasim at op:0")
end
otasim at op:9999
otasim where
kill
)")});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("refused: 'nowhere' is no place to stop at"),
                                 HasSubstr("refused: op:1 is past: "), HasSubstr("operations are done"),
                                 HasSubstr("refused: 'op:0' is no place"), HasSubstr("stops once at op:9999"),
                                 HasSubstr("thing-1 | boot: start")));
}

TEST_F(DebugTest, AnEditorFindsItsConfiguration) {
  Program program(command(write(), {"--vscode=" + folder.path().string()}));
  ASSERT_TRUE(program.wait_for("debug.gdb\n"));
  std::ifstream in(folder.path() / ".vscode" / "launch.json");
  const json launch = json::parse(in)["configurations"][0];
  const std::string address = launch["miDebuggerServerAddress"];
  const std::string set_up = launch["setupCommands"][0]["text"];
  // As cppdbg does it.
  const std::string gdb = "gdb-multiarch -nx --batch -ex '" + set_up + "' -ex 'target remote " + address +
                          "' -ex continue >" + folder.file("gdb.out") + " 2>&1";
  EXPECT_EQ(std::system(gdb.c_str()), 0);
  const auto outcome = program.finish();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(verdict(), "passed");
}

TEST_F(DebugTest, EveryRunSaysHowToDebugIt) {
  const auto failed =
      run({"run", write(R"({"wait": {"for": {"event": "boot.halt"}, "limit_s": 1}})"), "--board",
           "mps2-an385", "--data", "mqtt", "--seed", "7", "--quiet", "--out", out()});
  EXPECT_EQ(failed.code, 1) << failed.err;
  std::ifstream in(out() + "/result.json");
  const std::string command = json::parse(in)["debug"];
  EXPECT_THAT(command,
              AllOf(HasSubstr("otasim debug "), HasSubstr("--board mps2-an385"), HasSubstr("--seed 7")));
  EXPECT_THAT(failed.out, HasSubstr(command));
}

TEST_F(DebugTest, FaultThatNeedsTheStubIsRefusedByName) {
  const auto outcome = debug(write(), {"--fault", "device.skip_instruction,at=main", "--batch"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err,
              HasSubstr("device.skip_instruction cannot strike 'thing-1' while a debugger has it"));
}

TEST_F(DebugTest, SaysWhatIsWrongWithTheCommand) {
  EXPECT_THAT(debug(write(), {"--at", "nowhere"}).err, HasSubstr("'nowhere' is no place to stop at"));
  EXPECT_THAT(debug(write(), {"--device", "thing-9"}).err, HasSubstr("case has no device 'thing-9'"));
  EXPECT_THAT(debug(write(), {"--no-gdb", "--ex", "p 1"}).err, HasSubstr("need a GDB that otasim starts"));
  const auto outcome = run({"debug", write(), "--board", "emcraft-sf2", "--at", "op:1", "--out", out()});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("op: cannot be a place to stop at on emcraft-sf2"));
  EXPECT_FALSE(std::filesystem::exists(out())) << "there is no folder of a run that was not begun";
}

}  // namespace
}  // namespace otasim::test
