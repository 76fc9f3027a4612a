#include "sim/debug/gdb_process.h"

#include <unistd.h>

#include <utility>

namespace otasim::debug {

Result<void> find_gdb() {
  if (const auto found = find_program(kGdb); !found) return tl::unexpected(found.error());
  return {};
}

Result<std::unique_ptr<GdbProcess>> GdbProcess::start(boost::asio::io_context& io,
                                                      std::vector<std::string> arguments,
                                                      ChildProcess::ExitHandler on_end) {
  std::unique_ptr<GdbProcess> gdb(new GdbProcess);
  termios state{};
  if (::tcgetattr(STDIN_FILENO, &state) == 0) gdb->terminal_ = state;
  // A person's own start-up files may load what changes the meaning of the commands below.
  arguments.insert(arguments.begin(), {"-q", "-nx"});
  auto child =
      ChildProcess::spawn(io, {.program = kGdb, .arguments = std::move(arguments), .has_terminal = true});
  if (!child) return tl::unexpected(child.error());
  gdb->child_ = std::move(*child);
  gdb->child_->on_exit(std::move(on_end));
  return gdb;
}

GdbProcess::~GdbProcess() {
  if (child_) child_->kill();
  const bool is_in_foreground = ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
  if (terminal_ && is_in_foreground) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*terminal_);
}

}  // namespace otasim::debug
