#include "sim/cloud/content_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "sim/base/file_io.h"
#include "sim/cloud/random_id.h"

namespace otasim::cloud {

namespace {

constexpr const char* kTemporarySuffix = ".XXXXXX";
constexpr std::size_t kTemporarySuffixLength = 7;
/// A new file is taken for an orphan only in the instant before it is locked.
constexpr int kMaxAttempts = 16;
constexpr std::int64_t kCopyBytes = std::int64_t{1} << 20;

tl::unexpected<Error> failure(const char* what, const std::string& path, int why) {
  return fail(ExitCode::kEnvironment, fmt::format("cannot {} {}: {}", what, path, std::strerror(why)));
}

/// Names that writers give: a UUID, or one with the suffix of a temporary file. Other files in the folder are
/// not ours to remove.
bool is_content_name(const std::string& name) {
  if (name.size() != kUuidLength && name.size() != kUuidLength + kTemporarySuffixLength) return false;
  return is_uuid(std::string_view(name).substr(0, kUuidLength)) &&
         (name.size() == kUuidLength || name[kUuidLength] == '.');
}

/// Locks a new file, unless it has been removed meanwhile.
bool lock_new_file(int fd) {
  struct stat info {};
  return ::flock(fd, LOCK_EX | LOCK_NB) == 0 && ::fstat(fd, &info) == 0 && info.st_nlink > 0;
}

bool is_being_written(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return file && ::flock(file.get(), LOCK_EX | LOCK_NB) != 0;
}

}  // namespace

bool read_content(int fd, std::int64_t offset, std::span<std::uint8_t> into) {
  while (!into.empty()) {
    const ssize_t got = ::pread(fd, into.data(), into.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(got));
    offset += got;
  }
  return true;
}

ContentWriter::ContentWriter(ContentWriter&& other) noexcept
    : name_(std::move(other.name_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::move(other.file_)),
      size_(other.size_),
      digest_(std::move(other.digest_)),
      md5_(std::move(other.md5_)) {}

ContentWriter::~ContentWriter() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> ContentWriter::append(std::span<const std::uint8_t> piece) {
  if (const int why = write_all(file_.get(), piece); why != 0) return failure("write", temporary_, why);
  digest_.update(piece);
  size_ += static_cast<std::int64_t>(piece.size());
  return {};
}

Result<void> ContentWriter::append_file(int fd, std::int64_t offset, std::int64_t length) {
  std::vector<std::uint8_t> piece(static_cast<std::size_t>(std::min(length, kCopyBytes)));
  while (length > 0) {
    const std::int64_t now = std::min(length, kCopyBytes);
    const auto into = std::span(piece).first(static_cast<std::size_t>(now));
    if (!read_content(fd, offset, into)) {
      return fail(ExitCode::kEnvironment, "the content to be copied is shorter than it was");
    }
    if (auto added = append(into); !added) return added;
    offset += now;
    length -= now;
  }
  return {};
}

Result<void> ContentWriter::seal() {
  constexpr mode_t kMode = 0644;
  if (::fchmod(file_.get(), kMode) != 0 || ::fsync(file_.get()) != 0) {
    return failure("write", temporary_, errno);
  }
  md5_ = digest_.finish();
  return {};
}

Result<ContentWriter> ContentFolder::begin(const std::string& name) const {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) return failure("make", path_, error.value());
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    std::string temporary = path_of(name) + kTemporarySuffix;
    UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!file) return failure("write", temporary, errno);
    if (lock_new_file(file.get())) return ContentWriter(name, std::move(temporary), std::move(file));
    ::unlink(temporary.c_str());
  }
  return fail(ExitCode::kEnvironment, fmt::format("cannot lock a new file in {}", path_));
}

Result<void> ContentFolder::publish(ContentWriter& writer) const {
  const std::string path = path_of(writer.name());
  if (::rename(writer.temporary_.c_str(), path.c_str()) != 0) return failure("write", path, errno);
  writer.temporary_.clear();
  const UniqueFd folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return failure("write", path_, errno);
  return {};
}

void ContentFolder::remove(const std::string& name) const {
  std::error_code error;
  std::filesystem::remove(path_of(name), error);
}

Result<UniqueFd> ContentFolder::open(const std::string& name) const {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    return fail(ExitCode::kEnvironment, "no content has this name");
  }
  UniqueFd file(::open(path_of(name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return failure("read", path_of(name), errno);
  return file;
}

void ContentFolder::remove_orphans(const std::unordered_set<std::string>& named) const {
  std::error_code error;
  std::vector<std::string> orphans;
  for (std::filesystem::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (is_content_name(name) && !named.contains(name)) orphans.push_back(name);
  }
  for (const std::string& name : orphans) {
    const bool temporary = name.size() > kUuidLength;
    if (!temporary || !is_being_written(path_of(name))) remove(name);
  }
}

}  // namespace otasim::cloud
