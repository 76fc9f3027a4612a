#include "sim/replay/qemu_version.h"

#include <boost/asio/io_context.hpp>

#include "sim/base/child_process.h"
#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/device/qemu_command.h"

namespace otasim::replay {

Result<std::string> qemu_version() {
  const auto temp = TempDir::create();
  if (!temp) return tl::unexpected(temp.error());
  const std::string output = temp->file("version");
  boost::asio::io_context io;
  auto child = ChildProcess::spawn(
      io, {.program = device::kQemuProgram, .arguments = {"--version"}, .stdout_path = output});
  if (!child) return tl::unexpected(child.error());
  constexpr std::chrono::seconds kLimit{10};
  const bool ended = (*child)->wait_for_end(kLimit, [] {});
  const auto bytes = read_file(output);
  if (!ended || !bytes || bytes->empty())
    return fail(ExitCode::kEnvironment, "QEMU does not tell its version");
  const std::string text(bytes->begin(), bytes->end());
  return text.substr(0, text.find('\n'));
}

}  // namespace otasim::replay
