// A lab that is killed at any step of what is done to a device: at the next start the device is whole, or it
// is not there at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>

#include <array>
#include <fstream>

#include "sim/base/unique_fd.h"
#include "tests/sim/cli/lab_fixture.h"

namespace otasim::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// No change to a folder is waited for as long; if none comes the command is done.
constexpr int kLimitMs = 60'000;

/// Counts files that come and go in a folder.
class FolderWatch {
 public:
  explicit FolderWatch(const std::string& folder) : events_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    EXPECT_GE(::inotify_add_watch(events_.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_DELETE), 0);
  }
  /// Waits for `count` changes, or for `other` to be readable or at its end. @returns how many came
  int wait_for(int count, int other) {
    while (seen_ < count) {
      std::array<pollfd, 2> files{{{events_.get(), POLLIN, 0}, {other, POLLIN, 0}}};
      if (::poll(files.data(), files.size(), kLimitMs) <= 0) break;
      const int before = seen_;
      take();
      if (seen_ == before && files[1].revents != 0) break;
    }
    return seen_;
  }

 private:
  void take() {
    alignas(inotify_event) std::array<char, 4096> buffer{};
    for (ssize_t size; (size = ::read(events_.get(), buffer.data(), buffer.size())) > 0;) {
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        at += static_cast<ssize_t>(sizeof *event + event->len);
        ++seen_;
      }
    }
  }
  UniqueFd events_;
  int seen_ = 0;
};

class KillTest : public LabTest {
 protected:
  /// Runs a command and kills the lab when `changes` files have come or gone in thing-1's folder; then starts
  /// the lab again. @returns whether the command was still at it
  bool kill_in(const std::vector<std::string>& command, int changes) {
    FolderWatch watch(device_folder());
    const auto running = start(command);
    const bool was_at_it = watch.wait_for(changes, running->output_descriptor()) >= changes;
    up->send(SIGKILL);
    EXPECT_EQ(up->finish().code, 128 + SIGKILL);
    (void)running->finish();
    up = start_lab({"--quiet"});
    return was_at_it;
  }
  void expect_whole() {
    const json power = device("thing-1")["power"];
    if (power == "off") ok({"device", "start", "thing-1"});
    const auto console = start({"device", "console", "thing-1", "--follow"});
    EXPECT_TRUE(console->wait_for_output("app: connected"));
  }
  [[nodiscard]] std::string device_folder() const { return lab() + "/devices/thing-1"; }

  std::unique_ptr<Program> up = start_lab({"--quiet"});
};

TEST_F(KillTest, ADeviceBeingAddedIsWholeOrNotThere) {
  for (int changes = 1;; ++changes) {
    // Without a record it is no device, and it can be watched from the start.
    fs::create_directories(device_folder());
    const bool was_at_it = kill_in({"device", "add", "thing-1", "--off"}, changes);
    if (!device("thing-1").is_null()) {
      expect_whole();
      ok({"device", "remove", "thing-1"});
    } else {
      EXPECT_TRUE(was_at_it) << "a device that was reported as made is not there";
    }
    if (!was_at_it) return;
  }
}

TEST_F(KillTest, ADeviceBeingReprovisionedIsWhole) {
  ok({"group", "create", "all"});
  ok({"device", "add", "thing-1", "--off", "--group", "all"});
  for (int changes = 1;; ++changes) {
    const bool was_at_it = kill_in({"device", "reprovision", "thing-1"}, changes);
    EXPECT_EQ(device("thing-1")["groups"], json({"all"})) << changes;
    expect_whole();
    ok({"device", "stop", "thing-1"});
    if (!was_at_it) return;
  }
}

TEST_F(KillTest, ADeviceBeingRemovedIsGone) {
  for (int changes = 1;; ++changes) {
    ok({"device", "add", "thing-1", "--off"});
    const bool was_at_it = kill_in({"device", "remove", "thing-1"}, changes);
    // The first change is the record's temporary file: until it is in force, nothing has begun.
    if (changes > 1) {
      EXPECT_TRUE(device("thing-1").is_null()) << changes;
      EXPECT_FALSE(fs::exists(device_folder())) << changes;
    } else if (!device("thing-1").is_null()) {
      expect_whole();
      ok({"device", "remove", "thing-1"});
    }
    if (!was_at_it) return;
  }
}

}  // namespace
}  // namespace otasim::test
