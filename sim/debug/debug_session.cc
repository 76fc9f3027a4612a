#include "sim/debug/debug_session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <utility>

#include "pal_sim/flash/controller_registers.h"
#include "pal_sim/flash/op_log.h"
#include "sim/base/file_io.h"
#include "sim/base/install_root.h"
#include "sim/base/json_members.h"
#include "sim/debug/doorbells.h"
#include "sim/debug/gdb_script.h"
#include "sim/flash/flash_file.h"
#include "sim/lab/variants.h"

namespace otasim::debug {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kGdb = "gdb-multiarch";
constexpr const char* kClockFile = "debug.clock";
constexpr std::size_t kKeptLines = 8;

constexpr const char* kHelp =
    "monitor otasim where       the last event, and the console's last lines\n"
    "monitor otasim at PLACE    stop there once, as `otasim debug --at PLACE`\n"
    "monitor otasim symbols     the program (ELF) of the image that was started last\n";

/// Programs name their sources relative to the folders that they were built in.
std::vector<std::string> build_folders(const fs::path& root) {
  std::vector<std::string> folders;
  std::error_code error;
  for (fs::directory_iterator entry(root / "firmware", error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory(error)) folders.push_back(entry->path().string());
  }
  return folders;
}

bool is_operation(std::uint32_t command) {
  using namespace flash::controller;
  return (command != kNone && command <= kOtpLock) || command == kEraseBlock;
}

}  // namespace

Result<std::unique_ptr<DebugSession>> DebugSession::make(DebugOptions options) {
  auto halt = Halt::shared(options.run_folder + "/" + kClockFile);
  if (!halt) return tl::unexpected(halt.error());
  std::unique_ptr<DebugSession> session(new DebugSession(std::move(options), std::move(*halt)));
  if (session->options_.starts_gdb) {
    if (const auto found = find_program(kGdb); !found) return tl::unexpected(found.error());
  }
  session->running_program_ = session->options_.products.application_elf;
  if (session->options_.board->flash == flash_file::BackEnd::kController) {
    if (auto found = session->find_doorbells(); !found) return tl::unexpected(found.error());
  } else if (session->options_.at && session->options_.at->operation()) {
    return fail(
        ExitCode::kUsage,
        fmt::format("op: cannot be a place to stop at on {}: its flash chip sees an operation when the "
                    "program has gone on already",
                    session->options_.board->name),
        "Choose another board, or stop at a function of the flash driver.");
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
  if (auto listening = proxy_->listen(); !listening) return listening;
  if (options_.at && options_.at->operation()) proxy_->set_traps(doorbells_);
  proxy_->on_ready([this] { handle_ready(); });
  return write_scripts();
}

Result<void> DebugSession::write_scripts() {
  const auto root = install_root();
  if (!root) return tl::unexpected(root.error());
  set_up_path_ = options_.run_folder + "/debug-setup.gdb";
  attach_path_ = options_.run_folder + "/debug.gdb";
  const GdbSetUp set_up{.bootloader = options_.products.bootloader_elf,
                        .application = options_.products.application_elf,
                        .source_folders = build_folders(*root),
                        .extension = (*root / "gdb" / "otasim_gdb.py").string(),
                        .program = options_.program,
                        .run_folder = options_.run_folder,
                        .device = options_.device};
  if (auto written = write_file_atomic(set_up_path_, set_up_script(set_up)); !written) return written;
  return write_file_atomic(attach_path_,
                           attach_script(set_up_path_, proxy_->port(), options_.at && options_.starts_gdb));
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
        options_.products.bootloader_elf, set_up_path_, proxy_->port());
    if (!path) return end_(path.error());
    fmt::print(stderr, "otasim: {} is ready; start its configuration in the editor\n", *path);
  }
  fmt::print(stderr, "otasim: waiting for a debugger on 127.0.0.1:{}\n  {} -x {}\n", proxy_->port(), kGdb,
             attach_path_);
}

Result<void> DebugSession::start_gdb() {
  termios state{};
  if (::tcgetattr(STDIN_FILENO, &state) == 0) terminal_ = state;
  std::vector<std::string> arguments{"-q", "-nx", "-x", attach_path_};
  arguments.insert(arguments.end(), options_.gdb_arguments.begin(), options_.gdb_arguments.end());
  auto gdb =
      ChildProcess::spawn(*io_, {.program = kGdb, .arguments = std::move(arguments), .has_terminal = true});
  if (!gdb) return tl::unexpected(gdb.error());
  gdb_ = std::move(*gdb);
  gdb_->on_exit([this](ChildProcess::ExitStatus) {
    take_terminal_back();
    if (!is_detached_) handle_quit();
  });
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
  const std::string folder = options_.run_folder + "/devices/" + options_.device;
  const auto flash = flash_file::FlashFile::open(folder + "/flash.bin");
  if (!flash || !is_operation(flash::read_register(flash->bytes(), flash::controller::kRegCommand)))
    return std::nullopt;
  const auto log = flash::read_op_log(folder + "/flash.ops");
  const std::size_t done = log ? log->operations.size() : 0;
  if (done + 1 < *options_.at->operation()) return std::nullopt;
  proxy_->set_traps({});
  return std::exchange(options_.at, std::nullopt)->text();
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
  if (place->operation()) proxy_->set_traps(doorbells_);
  options_.at = std::move(*place);
  return fmt::format("stops once at {}\n", text);
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
  proxy_->say(fmt::format("otasim: the scenario has {}\n", passed ? "passed" : "failed"));
  proxy_->end_run(passed ? 0 : 1);
  io.restart();
  io.run();
}

void DebugSession::close() {
  proxy_.reset();
  if (!gdb_) return;
  gdb_.reset();
  take_terminal_back();
  if (terminal_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*terminal_);
}

}  // namespace otasim::debug
