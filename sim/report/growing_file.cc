#include "sim/report/growing_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace otasim::report {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;

}  // namespace

Result<GrowingFile> GrowingFile::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return fail(ExitCode::kEnvironment, fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  GrowingFile file(descriptor);
  struct stat info {};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode))
    return fail(ExitCode::kEnvironment, fmt::format("cannot read '{}': it is no regular file", path));
  return file;
}

GrowingFile::GrowingFile(GrowingFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      error_(other.error_),
      buffer_(std::move(other.buffer_)),
      begin_(std::exchange(other.begin_, 0)),
      scanned_(std::exchange(other.scanned_, 0)) {
  other.buffer_.clear();
}

GrowingFile& GrowingFile::operator=(GrowingFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(error_, other.error_);
  std::swap(buffer_, other.buffer_);
  std::swap(begin_, other.begin_);
  std::swap(scanned_, other.scanned_);
  return *this;
}

GrowingFile::~GrowingFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool GrowingFile::read_more() {
  if (error_ != 0) return false;
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  const std::size_t before = buffer_.size();
  buffer_.resize(before + kReadBytes);
  ssize_t got = 0;
  do {
    got = ::read(descriptor_, buffer_.data() + before, kReadBytes);
  } while (got < 0 && errno == EINTR);
  if (got < 0) error_ = errno;
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got > 0;
}

std::span<const std::uint8_t> GrowingFile::peek(std::size_t size) {
  while (held() < size && read_more()) {
  }
  return std::span(buffer_).subspan(begin_, std::min(size, held()));
}

void GrowingFile::skip(std::size_t size) {
  begin_ += std::min(size, held());
  scanned_ = 0;
}

std::optional<std::string_view> GrowingFile::line(bool is_over) {
  const auto take = [this](std::size_t size, std::size_t with_end) {
    const std::string_view text(reinterpret_cast<const char*>(buffer_.data()) + begin_, size);
    skip(with_end);
    return text;
  };
  for (;;) {
    const auto first = buffer_.begin() + static_cast<std::ptrdiff_t>(begin_);
    const auto end = std::find(first + static_cast<std::ptrdiff_t>(scanned_), buffer_.end(), '\n');
    const auto size = static_cast<std::size_t>(end - first);
    if (end != buffer_.end()) return take(size, size + 1);
    scanned_ = size;
    if (size >= kMostLineBytes) return take(size, size);
    if (read_more()) continue;
    if (!is_over || held() == 0) return std::nullopt;
    return take(held(), held());
  }
}

}  // namespace otasim::report
