#include "sim/crypto/key_log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace otasim::crypto {
namespace {

constexpr mode_t kOwnersAlone = 0600;

int close_with(int file, int error) {
  if (close(file) != 0 && error == 0) return errno;
  return error;
}

}  // namespace

int create_key_log(const char* path) {
  const int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, kOwnersAlone);
  if (file < 0) return errno;
  return close_with(file, fchmod(file, kOwnersAlone) == 0 ? 0 : errno);
}

int append_key_log(const char* path, std::string_view line) {
  std::array<char, kMaxKeyLogLine + 1> text{};
  if (line.empty() || line.size() > kMaxKeyLogLine) return EMSGSIZE;
  *std::copy(line.begin(), line.end(), text.begin()) = '\n';
  const int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return errno;
  ssize_t written = 0;
  do {
    written = write(file, text.data(), line.size() + 1);
  } while (written < 0 && errno == EINTR);
  if (written < 0) return close_with(file, errno);
  return close_with(file, static_cast<std::size_t>(written) == line.size() + 1 ? 0 : ENOSPC);
}

}  // namespace otasim::crypto
