#include "sim/cli/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

namespace otasim::cli {

Result<std::string> make_run_folder(const std::string& wanted, const std::string& run) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!wanted.empty()) {
    if (fs::create_directories(wanted, error)) return fs::absolute(wanted).lexically_normal().string();
    if (!error) {
      return fail(ExitCode::kUsage, fmt::format("the run folder '{}' exists already", wanted),
                  "Give a new one with --out.");
    }
    return fail(ExitCode::kUsage, fmt::format("cannot make the run folder '{}': {}", wanted, error.message()),
                "Give another one with --out.");
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::string base = fmt::format("otasim-runs/{:%Y%m%dT%H%M%SZ}-{}", fmt::gmtime(now), run);
  constexpr int kMaxRunsPerSecond = 100;
  fs::create_directories("otasim-runs", error);
  for (int i = 1; !error && i <= kMaxRunsPerSecond; ++i) {
    const std::string name = i == 1 ? base : fmt::format("{}-{}", base, i);
    if (fs::create_directory(name, error)) return fs::absolute(name).string();
  }
  return fail(
      ExitCode::kEnvironment,
      fmt::format("cannot make a run folder in '{}': {}", fs::current_path().string(), error.message()),
      "Run otasim in a folder you may write to, or name one with --out.");
}

Result<void> check_result_file(const std::string& option, const std::string& path) {
  if (path.empty()) return {};
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  return fail(ExitCode::kUsage,
              fmt::format("{} {}: no file can be written there: {}", option, path, std::strerror(errno)),
              "Make its folder first, or name another one.");
}

}  // namespace otasim::cli
