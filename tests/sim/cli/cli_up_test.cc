// A lab in the background, and several side by side: `up --detach`, `status`, `down`.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "tests/sim/cli/lab_fixture.h"

namespace otasim::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// The local addresses (`0100007F:1F90`) on which a process listens for TCP.
std::vector<std::string> listening(pid_t pid) {
  std::set<std::string> sockets;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    sockets.insert(fs::read_symlink(entry.path(), error).string());
  }
  std::vector<std::string> found;
  std::ifstream table("/proc/" + std::to_string(pid) + "/net/tcp");
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string number, local, remote, state, queues, timer, retries, user, timeout, inode;
    fields >> number >> local >> remote >> state >> queues >> timer >> retries >> user >> timeout >> inode;
    if (state == "0A" && sockets.contains("socket:[" + inode + "]")) found.push_back(local);
  }
  return found;
}

class UpTest : public LabTest {
 protected:
  ~UpTest() override {
    // A test that failed half-way leaves nothing behind.
    for (const std::string& lab : labs_) (void)otasim({"down", "--lab", lab});
  }
  UpTest() = default;

  /// Starts a lab in the background. @returns what it says of itself
  json up(const std::string& name, std::vector<std::string> more = {}) {
    labs_.push_back(folder.file(name));
    std::vector<std::string> arguments{"up", "--detach", "--lab", labs_.back()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return ok(arguments);
  }
  json status(const std::string& name) {
    return json::parse(otasim({"status", "--json", "--lab", folder.file(name)}).out, nullptr, false);
  }

 private:
  std::vector<std::string> labs_;
};

TEST_F(UpTest, ALabInTheBackgroundIsFoundUsedAndEnded) {
  const json lab = up("a");
  const pid_t pid = lab["pid"].get<pid_t>();
  EXPECT_EQ(::getsid(pid), pid) << "a session of its own: the terminal's end is not its own";
  const json seen = status("a");
  EXPECT_EQ(seen["running"], true);
  EXPECT_EQ(seen["pid"], lab["pid"]);
  EXPECT_EQ(seen["aws_endpoint"], lab["aws_endpoint"]);
  EXPECT_EQ(seen["devices"], 0);
  EXPECT_THAT(otasim({"status", "--lab", folder.file("a")}).out,
              HasSubstr("AWS interface  https://localhost:"));
  EXPECT_EQ(otasim({"device", "add", "thing-1", "--off", "--lab", folder.file("a")}).code, 0);
  EXPECT_EQ(status("a")["devices"], 1);

  const Outcome down = otasim({"down", "--lab", folder.file("a")});
  EXPECT_EQ(down.code, 0) << down.err;
  // What has ended runs no program, whether or not its number was collected yet.
  EXPECT_FALSE(fs::exists("/proc/" + std::to_string(pid) + "/exe")) << "it still runs";
  EXPECT_TRUE(fs::is_empty(folder.file("tmp"))) << "its temporary folder is still there";
  EXPECT_EQ(status("a")["running"], false);
  EXPECT_EQ(content(folder.file("a/up.log")), "");
}

/// A full disk, as the kernel offers one to be tried.
TEST_F(UpTest, ALabWhoseLogHasNoRoomSaysSoAtOnceAndGoesOn) {
  end_lab(*start_lab());
  fs::create_directory(folder.file("lab/events.1.jsonl"));  // so that the link stays where it is
  fs::remove(folder.file("lab/events.jsonl"));
  fs::create_symlink("/dev/full", folder.file("lab/events.jsonl"));
  const auto lab = start_lab();
  EXPECT_TRUE(lab->wait_for("warning: events.jsonl ends early: No space left on device"));
  EXPECT_THAT(ok({"status"}).at("log_problem").get<std::string>(), HasSubstr("No space left on device"));
  end_lab(*lab);
}

TEST_F(UpTest, WhereNoLabRunsStatusAndDownSaySo) {
  for (const char* command : {"status", "down"}) {
    const Outcome outcome = otasim({command, "--lab", folder.file("nowhere")});
    EXPECT_EQ(outcome.code, 3) << command;
    EXPECT_THAT(outcome.err, HasSubstr("no lab is running in")) << command;
    EXPECT_THAT(outcome.err, HasSubstr("otasim up --lab")) << command;
  }
  EXPECT_EQ(status("nowhere")["running"], false);
}

TEST_F(UpTest, ALabThatCannotStartInTheBackgroundTellsWhyOnce) {
  up("a");
  const Outcome again = otasim({"up", "--detach", "--lab", folder.file("a")});
  EXPECT_EQ(again.code, 3);
  EXPECT_THAT(again.err, HasSubstr("a lab is already running in"));
  EXPECT_EQ(again.err.find("otasim:"), again.err.rfind("otasim:")) << again.err;
  EXPECT_THAT(again.out, IsEmpty());
  EXPECT_EQ(status("a")["running"], true);
}

TEST_F(UpTest, LabsSideBySideKeepApart) {
  const json a = up("a");
  const json b = up("b");
  for (const char* different :
       {"pid", "aws_endpoint", "mqtt_port", "https_port", "alpn_port", "access_key_id"}) {
    EXPECT_NE(a[different], b[different]) << different;
  }
  EXPECT_EQ(otasim({"device", "add", "thing-1", "--off", "--lab", folder.file("a")}).code, 0);
  EXPECT_EQ(status("a")["devices"], 1);
  EXPECT_EQ(status("b")["devices"], 0);
  EXPECT_EQ(otasim({"down", "--lab", folder.file("a")}).code, 0);
  EXPECT_EQ(status("b")["running"], true);
}

TEST_F(UpTest, PortsAreTheSameAtTheNextStart) {
  const json first = up("a");
  EXPECT_EQ(otasim({"down", "--lab", folder.file("a")}).code, 0);
  const json second = up("a");
  for (const char* kept : {"mqtt_port", "https_port", "jobs_port", "alpn_port"})
    EXPECT_EQ(first[kept], second[kept]) << kept;
}

TEST_F(UpTest, ListensOnTheLoopbackInterfaceOnly) {
  const json lab = up("a");
  const auto all = listening(lab["pid"].get<pid_t>());
  EXPECT_GE(all.size(), 3U) << "HTTPS, jobs and ALPN";
  EXPECT_THAT(all, Each(StartsWith("0100007F:")));
}

TEST_F(UpTest, KeysAreTheUsersAlone) {
  up("a");
  std::size_t seen = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder.file("a"))) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".key.pem") && name != "credentials.json" && name != "env.sh") continue;
    ++seen;
    EXPECT_EQ(entry.status().permissions() & fs::perms::all, fs::perms::owner_read | fs::perms::owner_write)
        << name;
  }
  EXPECT_GE(seen, 6U);
}

TEST_F(UpTest, AShellThatReadsTheEnvironmentHasWhatAwsNeeds) {
  const json lab = up("a b's");  // a name that a shell would take apart
  const std::string script =
      ". \"$1\" && printf '%s\\n' \"$OTASIM_LAB\" \"$AWS_ENDPOINT_URL\" \"$AWS_ACCESS_KEY_ID\" && "
      "test -r \"$AWS_CA_BUNDLE\" && type aws";
  std::ofstream(folder.file("script")) << script;
  const std::string out = folder.file("out");
  const std::string command =
      "sh '" + folder.file("script") + "' \"" + folder.file("a b's") + "/env.sh\" > '" + out + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_THAT(content(out), StartsWith(folder.file("a b's") + "\n" + lab["aws_endpoint"].get<std::string>() +
                                       "\n" + lab["access_key_id"].get<std::string>() + "\n"));
  EXPECT_THAT(content(out), HasSubstr("function"));
}

TEST_F(UpTest, AHostMustBeAName) {
  for (const char* host : {"192.168.1.2", "a b", "x/y", ""}) {
    const Outcome outcome = otasim({"up", "--host", host});
    EXPECT_EQ(outcome.code, 2) << host;
    EXPECT_THAT(outcome.err, HasSubstr("--host")) << host;
  }
}

}  // namespace
}  // namespace otasim::test
