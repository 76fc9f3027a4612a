#include "sim/base/temp_dir.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string_view>
#include <system_error>
#include <utility>

namespace otasim {
namespace {

std::filesystem::path base_folder() {
  const char* base = std::getenv("TMPDIR");
  return base == nullptr || *base == '\0' ? "/tmp" : base;
}

tl::unexpected<Error> creation_error(const std::filesystem::path& base, int error) {
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot make a temporary folder in {}: {}", base.string(), std::strerror(error)),
              "Set TMPDIR to a folder this user can write to.");
}

}  // namespace

Result<TempDir> TempDir::create() {
  std::string name = (base_folder() / "otasim-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) return creation_error(base_folder(), errno);
  return TempDir(name);
}

std::string TempDir::propose() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr int kRandomLetters = 8;
  std::random_device random;
  std::uniform_int_distribution<std::size_t> any(0, kLetters.size() - 1);
  std::string name = "otasim-";
  for (int i = 0; i < kRandomLetters; ++i) name += kLetters[any(random)];
  return (base_folder() / name).string();
}

Result<TempDir> TempDir::create_at(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    return creation_error(std::filesystem::path(path).parent_path(), errno);
  }
  return TempDir(path);
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
