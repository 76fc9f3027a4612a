#include "sim/base/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "sim/base/unique_fd.h"

namespace otasim {
namespace {

tl::unexpected<Error> file_error(const char* what, const std::string& path, int error) {
  return fail(ExitCode::kEnvironment, fmt::format("cannot {} {}: {}", what, path, std::strerror(error)));
}

// @returns 0 or errno
int fill_and_publish(UniqueFd file, const std::string& temporary, const std::string& path,
                     std::span<const std::uint8_t> data, mode_t mode) {
  if (const int error = write_all(file.get(), data); error != 0) return error;
  if (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0) return errno;
  if (::close(file.release()) != 0) return errno;
  if (::rename(temporary.c_str(), path.c_str()) != 0) return errno;
  return 0;
}

// Makes the rename itself durable. @returns 0 or errno
int sync_folder(const std::filesystem::path& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return errno;
  return 0;
}

}  // namespace

int write_all(int fd, std::span<const std::uint8_t> data) {
  while (!data.empty()) {
    const ssize_t count = ::write(fd, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return 0;
}

Result<std::vector<std::uint8_t>> read_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return file_error("read", path, errno);
  std::vector<std::uint8_t> content;
  std::array<std::uint8_t, 65536> chunk;
  for (;;) {
    const ssize_t count = ::read(fd.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error("read", path, errno);
    if (count == 0) return content;
    content.insert(content.end(), chunk.begin(), chunk.begin() + count);
  }
}

Result<std::vector<std::uint8_t>> read_regular_file(const std::string& path, std::size_t max_bytes) {
  // Opening a pipe waits for its writer, unless told not to.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) {
    return fail(ExitCode::kUsage, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) return fail(ExitCode::kUsage, fmt::format("{} is not a regular file", path));
  // One byte more than is expected shows the end, or that the file has grown meanwhile.
  std::vector<std::uint8_t> content(std::min(max_bytes, static_cast<std::size_t>(info.st_size)) + 1);
  std::size_t size = 0;
  for (;;) {
    if (size == content.size()) content.resize(std::min(2 * size, max_bytes + 1));
    const ssize_t count = ::read(fd.get(), content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return fail(ExitCode::kUsage, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    size += static_cast<std::size_t>(count);
    if (count == 0 || size > max_bytes) break;
  }
  if (size > max_bytes) {
    return fail(ExitCode::kUsage, fmt::format("{} has more than {} bytes", path, max_bytes));
  }
  content.resize(size);
  return content;
}

Result<void> write_file_atomic(const std::string& path, std::span<const std::uint8_t> data, mode_t mode) {
  // In the same folder, since a rename cannot cross file systems.
  std::string temporary = path + ".XXXXXX";
  UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) return file_error("write", path, errno);
  if (const int error = fill_and_publish(std::move(file), temporary, path, data, mode); error != 0) {
    ::unlink(temporary.c_str());
    return file_error("write", path, error);
  }
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (const int error = sync_folder(folder); error != 0) return file_error("write", path, error);
  return {};
}

Result<void> write_file_atomic(const std::string& path, std::string_view text, mode_t mode) {
  return write_file_atomic(path, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()),
                           mode);
}

}  // namespace otasim
