#include "sim/device/device.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "sim/device/machine.h"

namespace otasim::device {
namespace {

/// A QEMU that was asked to end takes some milliseconds; one that takes this long hangs.
constexpr std::chrono::seconds kShutDownLimit{5};

Result<void> check_file(std::string_view what, const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) return {};
  return fail(ExitCode::kEnvironment, fmt::format("the {} is missing: {}", what, path),
              "It is made by the build: run scripts/setup, then cmake --build --preset default.");
}

Result<void> check_window(const FlashWindow& window) {
  if (!window.plugin_path.empty()) {
    if (auto found = check_file("flash controller", window.plugin_path); !found) return found;
  }
  const std::string& path = window.path;
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot use the flash file {}: {}", path, error.message()));
  }
  if (size == kFlashWindowBytes) return {};
  return fail(ExitCode::kEnvironment,
              fmt::format("the flash file {} has {} bytes; the board needs exactly {}", path, size,
                          kFlashWindowBytes));
}

}  // namespace

std::string_view to_string(ResetCause cause) {
  switch (cause) {
    case ResetCause::kSoftware:
      return "software";
    case ResetCause::kWatchdog:
      return "watchdog";
    case ResetCause::kExternal:
      return "external";
  }
  return "unknown";
}

Result<std::unique_ptr<Device>> Device::create(boost::asio::io_context& io, Config config) {
  if (config.events == nullptr) return fail(ExitCode::kInternal, "the device was given no event log");
  if (auto found = check_file("bootloader", config.bootloader_path); !found)
    return tl::unexpected(found.error());
  if (const auto* window = std::get_if<FlashWindow>(&config.flash)) {
    if (auto checked = check_window(*window); !checked) return tl::unexpected(checked.error());
  }
  return std::unique_ptr<Device>(new Device(io, std::move(config)));
}

Device::Device(boost::asio::io_context& io, Config config)
    : io_(io), config_(std::move(config)), shut_down_limit_(io) {}

Device::~Device() {
  on_console_line_ = nullptr;
  on_shut_down_.clear();
  power_off();
}

void Device::on_console_line(std::function<void(std::string_view)> handler) {
  on_console_line_ = std::move(handler);
}

void Device::on_reset(std::function<void(ResetCause)> handler) {
  on_reset_ = std::move(handler);
}

void Device::on_exit(std::function<void(const Exit&)> handler) {
  on_exit_ = std::move(handler);
}

Result<void> Device::power_on() {
  if (machine_) return fail(ExitCode::kInternal, "the device is on already");
  if (auto cleared = config_.on_machine_reset(); !cleared) return cleared;
  if (auto started = start_machine("power_on"); !started) return started;
  for (const auto& [id, point] : skips_) give_skip(id, point);
  emit("device", "power_on", {{"board", config_.board}, {"pid", machine_->pid()}});
  return {};
}

Result<void> Device::start_machine(std::string_view began_by) {
  RecordingArguments recording;
  if (config_.recorder != nullptr) {
    auto begun = config_.recorder->begin(began_by);
    if (!begun) return tl::unexpected(begun.error());
    recording = std::move(*begun);
  }
  auto machine = Machine::start(
      io_, config_, recording,
      {.on_line = [this](std::string_view line) { handle_line(line); },
       .on_reset = [this](ResetCause cause) { handle_reset(cause); },
       .on_exit = [this](const Exit& exit) { handle_exit(exit); },
       .on_reboot = [this](ResetCause cause) { handle_reboot(cause); },
       .on_watchdog_ignored = [this](std::string_view line,
                                     std::uint64_t count) { handle_watchdog_ignored(line, count); }});
  if (!machine) return tl::unexpected(machine.error());
  machine_ = std::move(*machine);
  return {};
}

void Device::power_off(Cut where) {
  if (!machine_) return;
  const auto machine = std::exchange(machine_, nullptr);
  machine->stop(where);
  if (config_.recorder != nullptr)
    config_.recorder->end(where == Cut::kInFlash ? BootEnd::kPowerCutInFlash : BootEnd::kPowerCut);
  handle_off();
}

/// A reset of a device that is recorded: its process has ended, and the next one has its memory.
void Device::handle_reboot(ResetCause cause) {
  machine_.reset();
  config_.recorder->end(BootEnd::kReset);
  if (!on_shut_down_.empty()) return handle_off();
  auto started = config_.on_machine_reset();
  if (started) handle_reset(cause);
  if (started) started = start_machine(to_string(cause));
  if (!started) report_exit({{false, 0}, started.error()});
}

void Device::shut_down(std::function<void()> done) {
  if (!machine_) return done();
  on_shut_down_.push_back(std::move(done));
  if (on_shut_down_.size() > 1) return;
  shut_down_limit_.expires_after(kShutDownLimit);
  shut_down_limit_.async_wait(
      [this, machine = std::weak_ptr(machine_)](const boost::system::error_code& error) {
        if (!error && !machine.expired()) power_off();
      });
  machine_->quit();
}

/// The device is off because it was told to be.
void Device::handle_off() {
  emit("device", "power_off");
  shut_down_limit_.cancel();
  for (const auto& done : std::exchange(on_shut_down_, {})) done();
}

void Device::reset() {
  if (machine_) machine_->reset();
}

void Device::expire_watchdog() {
  if (machine_) machine_->expire_watchdog();
}

void Device::hang() {
  if (machine_) machine_->hang();
}

void Device::resume() {
  if (machine_) machine_->resume();
}

void Device::skip(std::uint32_t id, SkipPoint point) {
  stop_skipping(id);
  skips_.emplace(id, point);
  if (machine_) give_skip(id, point);
}

void Device::give_skip(std::uint32_t id, const SkipPoint& point) {
  machine_->debug([id, point](Debugger& debugger) { debugger.skip(id, point); });
}

void Device::stop_skipping(std::uint32_t id) {
  if (skips_.erase(id) == 0 || !machine_) return;
  machine_->debug([id](Debugger& debugger) { debugger.stop_skipping(id); });
}

void Device::catch_up() {
  const auto machine = machine_;
  if (machine) machine->catch_up();
}

pid_t Device::pid() const {
  return machine_ ? machine_->pid() : -1;
}

void Device::handle_line(std::string_view line) {
  emit("uart", "line", {{"text", line}});
  if (on_console_line_) on_console_line_(line);
}

void Device::handle_reset(ResetCause cause) {
  emit("device", "reset", {{"cause", to_string(cause)}});
  if (on_reset_) on_reset_(cause);
}

/// A device that has gone wild must not fill the event log.
void Device::handle_watchdog_ignored(std::string_view line, std::uint64_t count) {
  constexpr std::uint64_t kMaxTold = 100;
  if (count > kMaxTold) return;
  emit("device", "watchdog_line_ignored", {{"text", escape_text(line)}, {"count", count}});
}

void Device::handle_exit(const Exit& exit) {
  machine_.reset();
  const bool is_wanted = !on_shut_down_.empty();
  if (config_.recorder != nullptr) config_.recorder->end(is_wanted ? BootEnd::kShutDown : BootEnd::kExit);
  if (is_wanted) return handle_off();
  report_exit(exit);
}

void Device::report_exit(const Exit& exit) {
  emit("device", "exit",
       {{"signaled", exit.status.signaled}, {"code", exit.status.code}, {"message", exit.error.message}});
  if (on_exit_) on_exit_(exit);
}

void Device::emit(std::string_view source, std::string_view event, nlohmann::json fields) {
  if (!config_.name.empty()) fields["device"] = config_.name;
  config_.events->emit(source, event, std::move(fields));
}

}  // namespace otasim::device
