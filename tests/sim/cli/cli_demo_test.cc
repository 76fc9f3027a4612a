// The demo as a user meets it: a real device updates itself in QEMU; and when something on the machine is
// wrong or breaks, a clear message, the documented exit code, and nothing left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "tests/sim/cli/program.h"

namespace {

using otasim::TempDir;
using otasim::test::Outcome;
using otasim::test::Program;
using testing::HasSubstr;
using testing::Not;

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Whether the texts appear in this order.
testing::AssertionResult in_order(const std::string& haystack, const std::vector<std::string>& texts) {
  std::size_t at = 0;
  for (const std::string& text : texts) {
    const std::size_t found = haystack.find(text, at);
    if (found == std::string::npos)
      return testing::AssertionFailure() << "'" << text << "' is not there, or not in order, in:\n"
                                         << haystack;
    at = found + text.size();
  }
  return testing::AssertionSuccess();
}

class Demo : public testing::Test {
 protected:
  Demo() { std::filesystem::create_directory(folder.file("tmp")); }

  [[nodiscard]] std::vector<std::string> environment() const { return {"TMPDIR=" + folder.file("tmp")}; }
  [[nodiscard]] std::string run_folder() const { return folder.file("run"); }
  [[nodiscard]] std::vector<std::string> demo(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"demo", "--out", run_folder()});
    return more;
  }
  /// The lab's temporary folder is gone and no child of the program lives.
  void expect_clean(const std::vector<pid_t>& children) const {
    EXPECT_TRUE(std::filesystem::is_empty(folder.file("tmp")));
    for (const pid_t pid : children) EXPECT_NE(kill(pid, 0), 0) << "child " << pid << " outlived the program";
  }
  TempDir folder = TempDir::create().value();
};

TEST_F(Demo, UpdatesTheDeviceAndProvesIt) {
  const Outcome outcome = otasim::test::run(demo({"--json"}), environment());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto summary = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(summary["result"], "SUCCEEDED");
  EXPECT_EQ(summary["from"], "1.0.0");
  EXPECT_EQ(summary["to"], "1.1.0");
  EXPECT_EQ(summary["run"], run_folder());
  for (const char* figure : {"wall_ms", "boot_to_connected_ms", "image_bytes", "transfer_ms"}) {
    EXPECT_GT(summary[figure].get<std::int64_t>(), 0) << figure;
  }
  // The device's own console tells the whole story.
  EXPECT_TRUE(in_order(content(run_folder() + "/devices/thing-1/uart.log"),
                       {"boot: start slot=A version=1.0.0 state=committed", "app: otasim demo 1.0.0",
                        "app: connected to otasim.localhost:", "app: image verified",
                        "boot: start slot=B version=1.1.0 state=trial", "app: otasim demo 1.1.0",
                        "app: self test passed", "running 1.1.0"}));
  EXPECT_TRUE(in_order(content(run_folder() + "/events.jsonl"), {"\"IN_PROGRESS\"", "\"SUCCEEDED\""}));
  expect_clean({});
}

TEST_F(Demo, UpdatesOverHttp) {
  const Outcome outcome = otasim::test::run(demo({"--json", "--protocol", "http"}), environment());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto summary = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(summary["result"], "SUCCEEDED");
  EXPECT_EQ(summary["protocol"], "http");
  EXPECT_GT(summary["transfer_ms"].get<std::int64_t>(), 0);
  const std::string events = content(run_folder() + "/events.jsonl");
  EXPECT_THAT(events, HasSubstr("\"object_request\""));
  EXPECT_THAT(events, Not(HasSubstr("\"stream_request\"")));
  expect_clean({});
}

TEST_F(Demo, TakesVersionsAndAUsersOwnImage) {
  const std::string image = folder.file("own.img");
  const std::filesystem::path program = OTASIM_PROGRAM;
  const std::string elf = (program.parent_path().parent_path() / "firmware/demo-mps2-an385.elf").string();
  ASSERT_EQ(otasim::test::run({"image", "sign", "--elf", elf, "--version", "2.5.7", "--out", image}).code, 0);
  const Outcome outcome =
      otasim::test::run(demo({"--json", "--from", "2.0.0", "--image", image}), environment());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["to"], "2.5.7");
}

TEST_F(Demo, AnUpdateTheDeviceRefusesIsAFailureWithItsReason) {
  const Outcome outcome =
      otasim::test::run(demo({"--json", "--from", "1.1.0", "--to", "1.1.0"}), environment());
  EXPECT_EQ(outcome.code, 1);
  const auto summary = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(summary["result"], "FAILED");
  EXPECT_EQ(summary["reason"], "rejected: 0x00000010");
  EXPECT_THAT(outcome.err, HasSubstr("rejected: 0x00000010"));
  expect_clean({});
}

TEST_F(Demo, WrongInputIsToldBeforeAnythingStarts) {
  const std::string text = folder.file("text");
  std::ofstream(text) << "this is not firmware";
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  for (const Case& c :
       {Case{{"--elf", text}, "no ELF header"}, Case{{"--image", text}, "not an image"},
        Case{{"--image", "/nonexistent"}, "/nonexistent"}, Case{{"--to", "one"}, "'one' is not a version"},
        Case{{"--protocol", "ftp"}, "--protocol"}, Case{{"--variant", "slow"}, "--variant"},
        Case{{"--block-size", "1000"}, "--block-size"},
        Case{{"--blocks-in-flight", "0"}, "--blocks-in-flight"},
        Case{{"--stream-format", "xml"}, "--stream-format"}, Case{{"--from", ""}, "'' is not a version"}}) {
    const Outcome outcome = otasim::test::run(demo(c.arguments), environment());
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(c.message));
    EXPECT_THAT(outcome.err, Not(HasSubstr("boot:")));
    EXPECT_FALSE(std::filesystem::exists(run_folder()));
  }
  expect_clean({});
}

TEST_F(Demo, AnExistingRunFolderIsNotOverwritten) {
  std::filesystem::create_directory(run_folder());
  std::ofstream(run_folder() + "/events.jsonl") << "precious";
  const Outcome outcome = otasim::test::run(demo(), environment());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr(run_folder()));
  EXPECT_EQ(content(run_folder() + "/events.jsonl"), "precious");
}

TEST_F(Demo, APortInUseIsNamed) {
  const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(bind(taken, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  ASSERT_EQ(getsockname(taken, reinterpret_cast<sockaddr*>(&address), &length), 0);
  const std::string port = std::to_string(ntohs(address.sin_port));
  const Outcome outcome = otasim::test::run(demo({"--mqtt-port", port}), environment());
  close(taken);
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("port " + port + " is already in use"));
  EXPECT_THAT(outcome.err, HasSubstr("--mqtt-port"));
  expect_clean({});
}

TEST_F(Demo, AMissingEmulatorIsNamedWithItsPackage) {
  auto settings = environment();
  settings.push_back("PATH=/nonexistent");
  const Outcome outcome = otasim::test::run(demo(), settings);
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("qemu-system-arm"));
  EXPECT_THAT(outcome.err, HasSubstr("apt-get install"));
  expect_clean({});
}

/// Starts a demo, waits until its device runs, and lets the test break something.
class BrokenDemo : public Demo {
 protected:
  void break_it(const std::string& child_name, int signal) {
    Program program(demo(), environment());
    ASSERT_TRUE(program.wait_for("boot:"));
    children = program.children();
    EXPECT_EQ(children.size(), 2U) << "the broker and the emulator";
    if (child_name.empty()) {
      program.send(signal);
    } else {
      const pid_t pid = program.child(child_name);
      ASSERT_GT(pid, 0);
      ASSERT_EQ(kill(pid, signal), 0);
    }
    outcome = program.finish();
  }
  std::vector<pid_t> children;
  Outcome outcome;
};

TEST_F(BrokenDemo, AKilledEmulatorIsToldAndCleanedUp) {
  break_it("qemu-system-arm", SIGKILL);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("qemu-system-arm"));
  EXPECT_THAT(outcome.err, HasSubstr(run_folder()));
  expect_clean(children);
}

TEST_F(BrokenDemo, AKilledBrokerIsToldAndCleanedUp) {
  break_it("mosquitto", SIGKILL);
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("osquitto"));
  expect_clean(children);
}

TEST_F(BrokenDemo, CtrlCEndsItWith130) {
  break_it("", SIGINT);
  EXPECT_EQ(outcome.code, 130);
  expect_clean(children);
}

TEST_F(BrokenDemo, ATerminationRequestEndsItToo) {
  break_it("", SIGTERM);
  EXPECT_EQ(outcome.code, 130);
  expect_clean(children);
}

TEST_F(BrokenDemo, TheKernelTakesTheChildrenOfAKilledSimulator) {
  Program program(demo(), environment());
  ASSERT_TRUE(program.wait_for("boot:"));
  std::vector<int> ends;
  for (const pid_t pid : program.children())
    ends.push_back(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  ASSERT_EQ(ends.size(), 2U);
  program.send(SIGKILL);
  EXPECT_EQ(program.finish().code, 128 + SIGKILL);
  for (const int end : ends) {
    constexpr int kLimitMs = 60'000;
    pollfd file{end, POLLIN, 0};
    EXPECT_EQ(poll(&file, 1, kLimitMs), 1) << "a child outlived the simulator";
    close(end);
  }
}

}  // namespace
