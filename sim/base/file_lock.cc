#include "sim/base/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/asio/execution_context.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "sim/base/file_io.h"

namespace otasim {
namespace {

/// The io_context's part of hold_with_children(): one descriptor, found again when a child is spawned.
class ChildrenLock : public boost::asio::execution_context::service {
 public:
  using key_type = ChildrenLock;
  static inline boost::asio::execution_context::id id;

  explicit ChildrenLock(boost::asio::execution_context& context) : service(context) {}

  UniqueFd file;

 private:
  void shutdown() noexcept override {}
};

tl::unexpected<Error> lock_error(const std::string& path, int error) {
  return fail(ExitCode::kEnvironment, fmt::format("cannot lock '{}': {}", path, std::strerror(error)));
}

Result<UniqueFd> open_lock(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return lock_error(path, errno);
  return file;
}

}  // namespace

Result<std::optional<FileLock>> FileLock::take(const std::string& path) {
  auto file = open_lock(path);
  if (!file) return tl::unexpected(file.error());
  if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    return lock_error(path, errno);
  }
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file->get(), 0) != 0) return lock_error(path, errno);
  if (const int failed =
          write_all(file->get(), std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
      failed != 0) {
    return lock_error(path, failed);
  }
  return FileLock(std::move(*file));
}

std::optional<pid_t> FileLock::holder(const std::string& path) {
  const auto content = read_file(path);
  if (!content) return std::nullopt;
  const std::string_view text(reinterpret_cast<const char*>(content->data()), content->size());
  pid_t pid = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), pid).ec != std::errc()) return std::nullopt;
  return pid;
}

Result<void> hold_with_children(boost::asio::io_context& io, const std::string& path) {
  auto file = open_lock(path);
  if (!file) return tl::unexpected(file.error());
  if (::flock(file->get(), LOCK_EX) != 0) {
    if (errno == EINTR) return fail(ExitCode::kInterrupted, "interrupted");
    return lock_error(path, errno);
  }
  boost::asio::use_service<ChildrenLock>(io).file = std::move(*file);
  return {};
}

int descriptor_for_children(boost::asio::io_context& io) {
  return boost::asio::use_service<ChildrenLock>(io).file.get();
}

}  // namespace otasim
