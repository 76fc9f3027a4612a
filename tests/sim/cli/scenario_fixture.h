// Scenarios of a test's own, in a folder of its own, and the program that plays them.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/base/unique_fd.h"
#include "tests/sim/cli/program.h"

namespace otasim::test {

inline constexpr const char* kConnected =
    R"({"wait": {"for": {"event": "broker.client_connected", "clientId": "thing-1"}}})";

inline std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The program's children, theirs, and so on.
inline std::set<pid_t> descendants(pid_t pid) {
  std::set<pid_t> all;
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    std::ifstream in(task.path() / "children");
    for (pid_t child = 0; in >> child;) {
      all.insert(child);
      all.merge(descendants(child));
    }
  }
  return all;
}

/// Waits for what happens to the files of a folder.
class FolderWatch {
 public:
  FolderWatch(const std::string& path, std::uint32_t events) : inotify_(inotify_init1(IN_CLOEXEC)) {
    EXPECT_GE(inotify_add_watch(inotify_.get(), path.c_str(), events), 0) << path;
  }
  /// @returns false if nothing happened to a file whose name begins so within the test's limit
  [[nodiscard]] bool wait_for(const std::string& name) {
    constexpr int kLimitMs = 60'000;
    for (;;) {
      pollfd file{inotify_.get(), POLLIN, 0};
      if (poll(&file, 1, kLimitMs) <= 0) return false;
      alignas(inotify_event) std::array<char, 4096> bytes{};
      const ssize_t count = read(inotify_.get(), bytes.data(), bytes.size());
      for (ssize_t at = 0; at < count;) {
        const auto* const event = reinterpret_cast<const inotify_event*>(bytes.data() + at);
        if (event->len != 0 && std::string(event->name).starts_with(name)) return true;
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
  }

 private:
  UniqueFd inotify_;
};

class ScenarioTest : public ::testing::Test {
 protected:
  ScenarioTest() { std::filesystem::create_directory(folder.file("tmp")); }

  /// Writes a scenario. @returns its file's name, as seen from the folder that commands run in
  std::string write(const std::string& name, const std::string& steps, const std::string& expect = "{}",
                    const std::string& more = "") {
    std::ofstream(folder.file(name + ".jsonc")) << "{\n\"name\": \"" << name << "\", \"title\": \"A case\",\n"
                                                << "\"parameters\": {\"version\": \"1.0.0\"}, \"images\": "
                                                   "{\"factory\": {\"version\": \"${version}\"}},\n"
                                                << more << "\"steps\": [\n"
                                                << steps << "],\n\"expect\": " << expect << "}\n";
    return name + ".jsonc";
  }
  std::string passing() {
    return write("passing", kConnected,
                 R"({"devices": [{"running": "${version}", "standing": "committed"}], "refused_by": []})");
  }
  /// Waits for what never comes.
  std::string failing(const char* limit_s = "0.2") {
    return write("failing", std::string(kConnected) + ",\n{\"wait\": {\"limit_s\": " + limit_s +
                                R"(, "for": {"event": "cloud.job_execution", "status": "SUCCEEDED"}}})");
  }
  Outcome otasim(const std::vector<std::string>& arguments) {
    return run(arguments, environment(), folder.path());
  }
  std::unique_ptr<Program> start(const std::vector<std::string>& arguments) {
    return std::make_unique<Program>(arguments, environment(), folder.path());
  }
  [[nodiscard]] std::vector<std::string> environment() const {
    return {"TMPDIR=" + folder.file("tmp"), "DISPLAY=", "WAYLAND_DISPLAY="};
  }
  /// No lab's folder is left.
  void expect_clean() const { EXPECT_TRUE(std::filesystem::is_empty(folder.file("tmp"))); }
  static void expect_gone(const std::set<pid_t>& pids) {
    for (const pid_t pid : pids) EXPECT_NE(kill(pid, 0), 0) << "process " << pid << " outlived the program";
  }

  TempDir folder = TempDir::create().value();
};

}  // namespace otasim::test
