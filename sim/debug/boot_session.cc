#include "sim/debug/boot_session.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/debug/gdb_process.h"
#include "sim/debug/gdb_script.h"
#include "sim/replay/boot_files.h"
#include "sim/replay/flash_images.h"
#include "sim/replay/replay_machine.h"
#include "sim/replay/replayer.h"
#include "sim/replay/sha256.h"

namespace otasim::debug {
namespace {

using replay::ReplayMachine;

/// Its symbols are of use only as long as it is the program that ran.
std::string application_of(const replay::Recording& recording) {
  const auto sha256 = replay::sha256_of_file(recording.application.path);
  if (sha256 && *sha256 == recording.application.sha256) return recording.application.path;
  fmt::print(stderr,
             "note: {} {} since the run was recorded: no symbols of the application. Give its ELF "
             "with --symbols.\n",
             recording.application.path, sha256 ? "was built anew" : "has gone");
  return {};
}

/// @returns the path of a script that sets GDB up, and takes the target at `socket`
Result<std::string> write_script(const replay::Recording& recording, const replay::UnpackedBoot& boot,
                                 const BootOptions& options, const TempDir& temp, const std::string& socket) {
  auto set_up = installed_set_up();
  if (!set_up) return tl::unexpected(set_up.error());
  set_up->bootloader = recording.bootloader_copy();
  set_up->application = application_of(recording);
  set_up->symbols = options.symbols;
  set_up->flash = boot.flash_path;
  set_up->is_live = false;
  const std::string set_up_path = temp.file("set-up.gdb");
  std::string path = temp.file("attach.gdb");
  if (auto written = write_file_atomic(set_up_path, set_up_script(*set_up)); !written)
    return tl::unexpected(written.error());
  if (auto written = write_file_atomic(path, attach_script(set_up_path, socket, /*goes_on=*/false)); !written)
    return tl::unexpected(written.error());
  return path;
}

std::vector<std::string> gdb_arguments(const BootOptions& options, const std::string& script) {
  std::vector<std::string> arguments{"-x", script};
  if (!options.commands.empty()) arguments.emplace_back("-batch");
  for (const std::string& text : options.commands) arguments.insert(arguments.end(), {"-ex", text});
  return arguments;
}

}  // namespace

Result<void> debug_boot(boost::asio::io_context& io, Interruption& interruption,
                        const replay::Recording& recording, const replay::RecordedBoot& boot,
                        const BootOptions& options) {
  if (auto whole = replay::check_whole(boot); !whole) return whole;
  if (auto there = find_gdb(); !there) return there;
  replay::FlashImages images(recording);
  const auto flash = images.at_start(boot.number);
  if (!flash) return tl::unexpected(flash.error());
  const auto temp = TempDir::create();
  if (!temp) return tl::unexpected(temp.error());
  const auto unpacked = replay::unpack(recording, boot, replay::Mode::kDebug, *flash, temp->path().string());
  if (!unpacked) return tl::unexpected(unpacked.error());
  const std::string socket = temp->file("gdb.sock");
  const auto script = write_script(recording, *unpacked, options, *temp, socket);
  if (!script) return tl::unexpected(script.error());
  if (auto go_on = interruption.check(); !go_on) return go_on;
  std::optional<Error> error;
  std::unique_ptr<GdbProcess> gdb;
  auto machine = ReplayMachine::start(
      io, *unpacked, temp->file("console"),
      {.on_line = [](std::string_view line) { fmt::print(stderr, "uart| {}\n", line); },
       .on_end =
           [&](const ReplayMachine::Outcome& outcome) {
             if (gdb) return;  // it has seen that its target is gone, and says so
             error = Error{ExitCode::kUsage, "this boot cannot be replayed: " + outcome.message, {}};
             io.stop();
           },
       .stays_at_end = true});
  if (!machine) return tl::unexpected(machine.error());
  (*machine)->listen_for_debugger(socket, [&] {
    auto started =
        GdbProcess::start(io, gdb_arguments(options, *script), [&](ChildProcess::ExitStatus status) {
          if (status.signaled || status.code != 0)
            error = Error{ExitCode::kFailed, "gdb ended with an error", {}};
          io.stop();
        });
    if (started) {
      gdb = std::move(*started);
      return;
    }
    error = started.error();
    io.stop();
  });
  io.run();
  gdb.reset();
  machine->reset();
  if (auto go_on = interruption.check(); !go_on) return go_on;
  if (error) return tl::unexpected(*error);
  return {};
}

}  // namespace otasim::debug
