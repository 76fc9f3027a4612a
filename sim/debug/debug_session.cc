#include "sim/debug/debug_session.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <utility>

#include "pal_sim/flash/controller_registers.h"
#include "pal_sim/flash/op_log.h"
#include "sim/base/file_io.h"
#include "sim/base/json_members.h"
#include "sim/debug/doorbells.h"
#include "sim/debug/gdb_script.h"
#include "sim/flash/flash_file.h"
#include "sim/lab/variants.h"

namespace otasim::debug {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kClockFile = "debug.clock";
constexpr std::size_t kKeptLines = 8;
/// By this otasim_gdb.py knows that a place was taken.
constexpr const char* kTaken = "stops once at";

constexpr const char* kHelp =
    "monitor otasim where       the last event, and the console's last lines\n"
    "monitor otasim at PLACE    stop there once, as `otasim debug --at PLACE`\n"
    "monitor otasim symbols     the program (ELF) of the image that was started last\n";

bool is_operation(std::uint32_t command) {
  using namespace flash::controller;
  return (command != kNone && command <= kOtpLock) || command == kEraseBlock;
}

}  // namespace

Result<void> check_debug(const lab::Board& board, const std::optional<StopPlace>& at, bool starts_gdb) {
  if (at && at->operation() && board.flash != flash_file::BackEnd::kController) {
    return fail(
        ExitCode::kUsage,
        fmt::format("op: cannot be a place to stop at on {}: its flash chip sees an operation when the "
                    "program has gone on already",
                    board.name),
        "Choose another board, or stop at a function of the flash driver.");
  }
  return starts_gdb ? find_gdb() : Result<void>();
}

Result<std::unique_ptr<DebugSession>> DebugSession::make(DebugOptions options) {
  auto halt = Halt::shared(options.run_folder + "/" + kClockFile);
  if (!halt) return tl::unexpected(halt.error());
  std::unique_ptr<DebugSession> session(new DebugSession(std::move(options), std::move(*halt)));
  session->running_program_ = session->options_.products.application_elf;
  if (session->options_.board->flash == flash_file::BackEnd::kController) {
    if (auto found = session->find_doorbells(); !found) return tl::unexpected(found.error());
  }
  return session;
}

DebugSession::~DebugSession() {
  close();
  std::error_code ignored;
  fs::remove(halt_->path(), ignored);
}

Result<void> DebugSession::find_doorbells() {
  std::set<std::string> programs{options_.products.bootloader_elf, options_.products.application_elf,
                                 options_.products.recovery_elf};
  for (const json& image : options_.scenario->images) {
    if (const auto name = text_member(image, "variant")) {
      auto program = lab::find_variant(*name, options_.board->name);
      if (!program) return tl::unexpected(program.error());
      programs.insert(*program);
    }
  }
  doorbells_.code = doorbell_code();
  for (const std::string& program : programs) {
    const auto elf = read_file(program);
    if (!elf) return tl::unexpected(elf.error());
    auto addresses = doorbells_in(*elf);
    if (!addresses) return tl::unexpected(addresses.error());
    doorbells_.addresses.merge(*addresses);
  }
  return {};
}

Result<void> DebugSession::begin(boost::asio::io_context& io, std::function<void(Error)> end) {
  io_ = &io;
  end_ = std::move(end);
  proxy_ = std::make_unique<GdbProxy>(
      io, *halt_,
      GdbProxy::Handlers{.on_quit =
                             [this] {
                               if (!gdb_ || !is_over_) handle_quit();
                             },
                         .on_detach =
                             [this] {
                               is_detached_ = true;
                               std::fputs("otasim: the debugger has let go; the run goes on without it\n",
                                          stderr);
                             },
                         .on_command = [this](const std::string& words) { return run_command(words); },
                         .on_trap = [this] { return handle_trap(); }});
  if (auto listening = listen(); !listening) return listening;
  if (options_.at && options_.at->operation()) proxy_->set_traps(doorbells_);
  proxy_->on_ready([this] { handle_ready(); });
  return write_scripts();
}

/// A port is open to all users of the machine, and QEMU's monitor behind it does what it is told.
Result<void> DebugSession::listen() {
  if (!options_.starts_gdb) return proxy_->listen();
  auto folder = TempDir::create();
  if (!folder) return tl::unexpected(folder.error());
  socket_folder_ = std::move(*folder);
  return proxy_->listen_at(socket_folder_->file("gdb.sock"));
}

Result<void> DebugSession::write_scripts() {
  auto set_up = installed_set_up();
  if (!set_up) return tl::unexpected(set_up.error());
  set_up->bootloader = options_.products.bootloader_elf;
  set_up->application = options_.products.application_elf;
  set_up->flash = device_file("flash.bin");
  set_up_path_ = options_.run_folder + "/debug-setup.gdb";
  attach_path_ = options_.run_folder + "/debug.gdb";
  if (auto written = write_file_atomic(set_up_path_, set_up_script(*set_up)); !written) return written;
  return write_file_atomic(
      attach_path_, attach_script(set_up_path_, proxy_->address(), options_.at && options_.starts_gdb));
}

/// There is a target: its first power cycle has begun, and it waits.
void DebugSession::handle_ready() {
  if (options_.starts_gdb) {
    if (auto started = start_gdb(); !started) end_(started.error());
    return;
  }
  if (options_.vscode_folder) {
    const auto path = write_launch_configuration(
        *options_.vscode_folder,
        fmt::format("otasim: {} on {}", options_.scenario->name, options_.board->name),
        options_.products.bootloader_elf, set_up_path_, proxy_->address());
    if (!path) return end_(path.error());
    fmt::print(stderr, "otasim: {} is ready; start its configuration in the editor\n", *path);
  }
  fmt::print(stderr, "otasim: waiting for a debugger on {}\n  {} -x {}\n", proxy_->address(), kGdb,
             attach_path_);
}

Result<void> DebugSession::start_gdb() {
  std::vector<std::string> arguments{"-x", attach_path_};
  arguments.insert(arguments.end(), options_.gdb_arguments.begin(), options_.gdb_arguments.end());
  auto gdb = GdbProcess::start(*io_, std::move(arguments), [this](ChildProcess::ExitStatus) {
    if (is_over_ || !is_detached_) handle_quit();
  });
  if (!gdb) return tl::unexpected(gdb.error());
  gdb_ = std::move(*gdb);
  return {};
}

/// GDB has gone, or wants to.
void DebugSession::handle_quit() {
  if (is_over_) return io_->stop();
  is_over_ = true;
  ended_early_ = true;
  end_({ExitCode::kInterrupted, "the debugger has ended the run", {}});
}

device::DebugPort* DebugSession::port_of(const std::string& device) {
  return device == options_.device ? proxy_.get() : nullptr;
}

void DebugSession::handle(const json& event) {
  if (!proxy_) return;
  const std::string source = event.value("source", "");
  const std::string name = event.value("event", "");
  if (source == "uart" && event.value("device", options_.device) == options_.device) {
    const std::string line = event.value("text", "");
    last_lines_.push_back(line);
    if (last_lines_.size() > kKeptLines) last_lines_.pop_front();
    if (!options_.quiet) proxy_->say(fmt::format("{} | {}\n", options_.device, line));
  } else {
    last_event_ = event.dump();
  }
  if (source == "boot" && name == "start") note_image(event);
  if (options_.at && options_.at->matches(event, options_.device))
    proxy_->stop(std::exchange(options_.at, std::nullopt)->text());
}

void DebugSession::note_image(const json& event) {
  if (text_of(event, "device") != options_.device) return;
  running_program_ = program_of(text_of(event, "slot"), text_of(event, "version"));
}

/// Several images of a version are taken for the last of them.
std::string DebugSession::program_of(const std::string& slot, const std::string& version) const {
  if (slot == "recovery") return options_.products.recovery_elf;
  std::string program = options_.products.application_elf;
  for (const json& image : options_.scenario->images) {
    const auto variant = text_member(image, "variant");
    if (!variant || image.value("version", "") != version) continue;
    if (auto found = lab::find_variant(*variant, options_.board->name)) program = std::move(*found);
  }
  return program;
}

/// A doorbell is about to be rung.
std::optional<std::string> DebugSession::handle_trap() {
  if (!options_.at || !options_.at->operation()) return std::nullopt;
  const auto flash = flash_file::FlashFile::open(device_file("flash.bin"));
  if (!flash || !is_operation(flash::read_register(flash->bytes(), flash::controller::kRegCommand)))
    return std::nullopt;
  if (operations_done() + 1 < *options_.at->operation()) return std::nullopt;
  proxy_->set_traps({});
  return std::exchange(options_.at, std::nullopt)->text();
}

std::string DebugSession::device_file(const std::string& name) const {
  return options_.run_folder + "/devices/" + options_.device + "/" + name;
}

std::size_t DebugSession::operations_done() const {
  const auto log = flash::read_op_log(device_file("flash.ops"));
  return log ? log->operations.size() : 0;
}

std::string DebugSession::run_command(const std::string& words) {
  const std::size_t space = words.find(' ');
  const std::string verb = words.substr(0, space);
  const std::string rest = space == std::string::npos ? "" : words.substr(space + 1);
  if (verb == "where") return where();
  if (verb == "symbols") return running_program_ + "\n";
  if (verb == "at") return set_place(rest);
  return kHelp;
}

std::string DebugSession::set_place(const std::string& text) {
  auto place = StopPlace::parse(text);
  if (!place) return fmt::format("{}\n{}\n", place.error().message, place.error().hint);
  if (place->operation() && doorbells_.addresses.empty())
    return fmt::format("op: cannot be a place to stop at on {}\n", options_.board->name);
  if (const std::size_t done = operations_done(); place->operation() && *place->operation() <= done)
    return fmt::format("{} is past: {} operations are done\n", text, done);
  if (place->operation()) proxy_->set_traps(doorbells_);
  options_.at = std::move(*place);
  return fmt::format("{} {}\n", kTaken, text);
}

std::string DebugSession::where() const {
  std::string text = last_event_.empty() ? "no event yet\n" : last_event_ + "\n";
  for (const std::string& line : last_lines_) text += fmt::format("{} | {}\n", options_.device, line);
  return text;
}

void DebugSession::finish(boost::asio::io_context& io, bool passed) {
  const bool is_there = gdb_ ? gdb_->running() : proxy_ && proxy_->has_gdb() && !is_detached_;
  if (ended_early_ || !is_there) return;
  is_over_ = true;
  const std::string verdict = fmt::format("otasim: the scenario has {}\n", passed ? "passed" : "failed");
  if (is_detached_) fmt::print(stderr, "{}otasim: quit GDB to end\n", verdict);
  proxy_->say(verdict);
  proxy_->end_run(passed ? 0 : 1);
  io.restart();
  io.run();
}

void DebugSession::close() {
  proxy_.reset();
  gdb_.reset();
}

}  // namespace otasim::debug
