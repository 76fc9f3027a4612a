#include "sim/base/temp_dir.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

namespace otasim {

Result<TempDir> TempDir::create() {
  const char* base = std::getenv("TMPDIR");
  if (base == nullptr || *base == '\0') base = "/tmp";
  std::string name = (std::filesystem::path(base) / "otasim-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot make a temporary folder in {}: {}", base, std::strerror(errno)),
                "Set TMPDIR to a folder this user can write to.");
  }
  return TempDir(name);
}

TempDir::TempDir(TempDir&& other) noexcept
    : path_(std::move(other.path_)), remove_(std::exchange(other.remove_, false)) {}

TempDir& TempDir::operator=(TempDir&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::move(other.path_);
    remove_ = std::exchange(other.remove_, false);
  }
  return *this;
}

TempDir::~TempDir() {
  remove();
}

void TempDir::remove() {
  if (!remove_) return;
  std::error_code ignored;  // a destructor can do nothing about it
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace otasim
