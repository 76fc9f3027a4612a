#include "sim/base/file_users.h"

#include <fmt/format.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace otasim {
namespace {

namespace fs = std::filesystem;

/// A file as a line of /proc/PID/maps names it. Some file systems (overlays) have another device there than
/// stat() says; then the path still tells.
struct FileName {
  std::string device;
  std::string inode;
  std::string path;
};

bool names(const std::string& line, const FileName& file) {
  std::istringstream fields(line);
  std::string addresses;
  std::string permissions;
  std::string offset;
  std::string device;
  std::string inode;
  std::string path;
  fields >> addresses >> permissions >> offset >> device >> inode >> std::ws;
  std::getline(fields, path);
  return (device == file.device && inode == file.inode) || path == file.path;
}

bool maps(const fs::path& process, const FileName& file) {
  std::ifstream in(process / "maps");
  for (std::string line; std::getline(in, line);) {
    if (names(line, file)) return true;
  }
  return false;
}

std::string first_line(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

std::vector<FileUser> processes_that_map(const std::string& path) {
  struct stat info {};
  std::error_code error;
  const fs::path absolute = fs::canonical(path, error);
  if (error || ::stat(path.c_str(), &info) != 0) return {};
  const FileName file{fmt::format("{:02x}:{:02x}", major(info.st_dev), minor(info.st_dev)),
                      std::to_string(info.st_ino), absolute.string()};
  std::vector<FileUser> users;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    pid_t pid = 0;
    const auto [stop, failed] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (failed != std::errc{} || stop != name.data() + name.size() || pid == ::getpid()) continue;
    if (maps(entry->path(), file)) users.push_back({pid, first_line(entry->path() / "comm")});
  }
  std::ranges::sort(users, {}, &FileUser::pid);
  return users;
}

}  // namespace otasim
