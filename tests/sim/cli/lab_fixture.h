// The command line and a lasting lab in a folder of the test's own.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "tests/sim/cli/program.h"

namespace otasim::test {

/// A file's content, empty if there is none.
[[nodiscard]] std::string content(const std::filesystem::path& path);

class LabTest : public ::testing::Test {
 protected:
  LabTest() { std::filesystem::create_directory(folder.file("tmp")); }

  [[nodiscard]] std::string lab() const { return folder.file("lab"); }
  [[nodiscard]] std::vector<std::string> environment() const {
    return {"TMPDIR=" + folder.file("tmp"), "OTASIM_LAB=" + lab()};
  }

  /// Starts the lab, or goes on with it, and waits until it is ready.
  std::unique_ptr<Program> start_lab(std::vector<std::string> more = {});
  std::unique_ptr<Program> start(const std::vector<std::string>& arguments) {
    return std::make_unique<Program>(arguments, environment());
  }
  Outcome otasim(const std::vector<std::string>& arguments) { return run(arguments, environment()); }
  /// Runs a command that must succeed. @returns the JSON it printed
  nlohmann::json ok(std::vector<std::string> arguments);
  /// A device as `device list` has it; null if there is none.
  nlohmann::json device(const std::string& name);
  /// The demo application as 1.1.0, made long, so that its download takes a while.
  std::string long_image();
  /// Ends the lab as a user does; then nothing of it is left.
  void end_lab(Program& up);

  TempDir folder = TempDir::create().value();
};

}  // namespace otasim::test
