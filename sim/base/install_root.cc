#include "sim/base/install_root.h"

#include <fmt/format.h>

#include <system_error>

namespace otasim {

Result<std::filesystem::path> running_program() {
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot find the running program: /proc/self/exe: {}", error.message()),
                "otasim needs /proc to be mounted.");
  }
  return program;
}

Result<std::filesystem::path> install_root() {
  const auto program = running_program();
  if (!program) return tl::unexpected(program.error());
  return program->parent_path().parent_path();
}

}  // namespace otasim
