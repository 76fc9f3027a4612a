#include "sim/device/qemu_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <string_view>

#include "sim/base/file_io.h"
#include "sim/device/line_splitter.h"
#include "sim/device/qemu_command.h"

namespace otasim::device {
namespace {

// How much of QEMU's messages goes into an error.
constexpr std::size_t kMessageTailBytes = 2048;

}  // namespace

std::string describe_qemu_exit(ChildProcess::ExitStatus status) {
  if (!status.signaled) return fmt::format("{} ended with exit code {}", kQemuProgram, status.code);
  return fmt::format("{} was killed by signal {} ({})", kQemuProgram, status.code, ::strsignal(status.code));
}

bool has_crashed(ChildProcess::ExitStatus status) {
  constexpr std::array kOfItsOwn{SIGABRT, SIGSEGV, SIGILL, SIGFPE, SIGTRAP};
  return status.signaled && std::ranges::find(kOfItsOwn, status.code) != kOfItsOwn.end();
}

std::string last_messages(const std::string& path) {
  const auto content = read_file(path);
  if (!content || content->empty()) return "";
  const std::size_t skip = content->size() - std::min(content->size(), kMessageTailBytes);
  std::string lines;
  LineSplitter splitter(
      [&](std::string_view line) { lines += fmt::format("{}{}", lines.empty() ? "" : "\n", line); });
  splitter.feed(
      std::string_view(reinterpret_cast<const char*>(content->data()), content->size()).substr(skip));
  splitter.finish();
  return lines;
}

}  // namespace otasim::device
