#include "sim/flash/flash_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "pal_sim/flash/window.h"

namespace otasim::flash_file {
namespace {

/// A part holds its device's key, sealed or not.
constexpr mode_t kPrivateFile = 0600;

// Closes on scope exit; a mapping lives on without its descriptor.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

tl::unexpected<Error> system_failure(const char* tried, const std::string& path, int error,
                                     std::string hint) {
  return fail(ExitCode::kEnvironment,
              "cannot " + std::string(tried) + " flash file " + path + ": " + std::strerror(error) + ".",
              std::move(hint));
}

tl::unexpected<Error> not_a_flash_file(const std::string& path, const std::string& reason) {
  return fail(ExitCode::kEnvironment, path + " is not a flash file: " + reason + ".",
              "Give another path, or remove the file to start with a blank part.");
}

}  // namespace

FlashFile::FlashFile(std::string path, std::span<std::uint8_t> bytes, const flash::Geometry& part)
    : path_(std::move(path)), bytes_(bytes), part_(part) {}

FlashFile::FlashFile(FlashFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})), part_(other.part_) {}

FlashFile& FlashFile::operator=(FlashFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  std::swap(part_, other.part_);
  return *this;
}

FlashFile::~FlashFile() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

Result<FlashFile> FlashFile::create(const std::string& path, const flash::Geometry& part) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kPrivateFile));
  if (file.get() < 0) {
    const int error = errno;
    return system_failure("create", path, error,
                          error == EEXIST ? "Open the existing part, or remove the file first."
                                          : "Give a path in a folder that exists and can be written.");
  }
  Result<FlashFile> created = format_new(path, file.get(), part);
  if (!created) ::unlink(path.c_str());
  return created;
}

Result<FlashFile> FlashFile::format_new(const std::string& path, int descriptor,
                                        const flash::Geometry& part) {
  // Space is claimed now: a store into a hole of a full disk would be a signal, not an error.
  if (const int error = ::posix_fallocate(descriptor, 0, flash::kWindowSize); error != 0) {
    return system_failure("make room for", path, error, "A flash file takes 16 MiB of disk.");
  }
  Result<FlashFile> mapped = map(path, descriptor, part);
  if (mapped) flash::format_window(mapped->bytes(), part);
  return mapped;
}

Result<FlashFile> FlashFile::open(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) {
    return system_failure("open", path, errno, "Check the path and that the file can be read and written.");
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) {
    return system_failure("examine", path, errno, "");
  }
  if (!S_ISREG(info.st_mode) || info.st_size != static_cast<off_t>(flash::kWindowSize)) {
    return not_a_flash_file(
        path, "it must be a regular file of exactly 16777216 bytes, and has " + std::to_string(info.st_size));
  }
  Result<FlashFile> mapped = map(path, file.get(), flash::kControllerPart);
  if (!mapped) return mapped;
  const auto part = flash::part_of(mapped->bytes());
  if (!part) {
    return not_a_flash_file(path,
                            "the controller's identification at 0xFFE000 is missing or of another version");
  }
  mapped->part_ = *part;
  return mapped;
}

Result<FlashFile> FlashFile::map(const std::string& path, int descriptor, const flash::Geometry& part) {
  void* const address =
      ::mmap(nullptr, flash::kWindowSize, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (address == MAP_FAILED) {
    return system_failure("map", path, errno, "The folder's file system must support shared mappings.");
  }
  return FlashFile(path, {static_cast<std::uint8_t*>(address), flash::kWindowSize}, part);
}

std::span<std::uint8_t> FlashFile::partition(const flash::Partition& partition) const {
  return bytes_.subspan(partition.offset, partition.size);
}

std::span<std::uint8_t> FlashFile::otp() const {
  return bytes_.subspan(flash::kOtpOffset, flash::kOtpSize);
}

void FlashFile::clear_volatile_state() {
  flash::clear_volatile_state(bytes_);
}

}  // namespace otasim::flash_file
