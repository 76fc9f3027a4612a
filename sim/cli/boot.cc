// `otasim boot`: one device with programs of the user's own, its console on stdout, and a lab around it to
// connect to.
#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/signals.h"
#include "sim/base/temp_dir.h"
#include "sim/cli/command.h"
#include "sim/lab/board_fit.h"
#include "sim/lab/boards.h"
#include "sim/lab/firmware.h"
#include "sim/lab/lab_device.h"
#include "sim/lab/running_lab.h"
#include "sim/report/event_log.h"

namespace otasim::cli {
namespace {

constexpr const char* kThing = "thing-1";

struct BootOptions {
  std::string board = std::string(lab::boards().front().name);
  std::string bootloader;  ///< ELF; empty: otasim's
  lab::FirmwareSource application{.version = "1.0.0"};
  bool no_recovery = false;
  std::uint64_t seed = 1;
  std::string until;           ///< empty: until Ctrl-C
  unsigned limit_seconds = 0;  ///< 0: none
  bool json = false;
};

/// What is on the device, read and checked before anything is started.
struct Programs {
  lab::BuildProducts products;
  std::vector<std::uint8_t> application;
  std::vector<std::uint8_t> recovery;
};

Result<Programs> read_programs(const BootOptions& options) {
  const lab::Board& board = *lab::find_board(options.board);
  auto products = lab::BuildProducts::find(options.board);
  if (!products) return tl::unexpected(products.error());
  Programs programs{std::move(*products), {}, {}};
  if (!options.bootloader.empty()) {
    const auto elf = lab::read_input(options.bootloader);
    if (!elf) return tl::unexpected(elf.error());
    if (auto fits = lab::check_bootloader(*elf, board); !fits) {
      fits.error().message = fmt::format("--bootloader '{}': {}", options.bootloader, fits.error().message);
      return tl::unexpected(fits.error());
    }
    programs.products.bootloader_elf = options.bootloader;
  }
  auto application = lab::make_firmware(options.application, board, programs.products);
  if (!application) return tl::unexpected(application.error());
  programs.application = std::move(*application);
  if (options.no_recovery) return programs;
  auto recovery = lab::make_recovery_image(board, programs.products);
  if (!recovery) return tl::unexpected(recovery.error());
  programs.recovery = std::move(*recovery);
  return programs;
}

/// Members are in order of construction; destruction takes the device's power first.
class BootRun {
 public:
  BootRun(const BootOptions& options, Programs programs, TempDir folder)
      : options_(options),
        programs_(std::move(programs)),
        folder_(std::move(folder)),
        signals_(io_, [this](int) { handle_signal(); }),
        limit_(io_) {}

  Result<void> run() {
    if (auto ready = prepare(); !ready) return ready;
    lab_->on_exit([this](const Error& error) { end(error); });
    lab_->when_ready([this] { power_on(); });
    io_.run();
    device_->cut();
    if (error_) return tl::unexpected(*error_);
    return {};
  }

 private:
  Result<void> prepare() {
    const std::string folder = folder_.path().string();
    auto identities = lab::Lab::create(folder);
    if (!identities) return tl::unexpected(identities.error());
    auto lab = lab::RunningLab::start(
        io_, std::move(*identities),
        {.socket_folder = folder, .broker_plugin = programs_.products.broker_plugin}, *log_);
    if (!lab) return tl::unexpected(lab.error());
    lab_ = std::move(*lab);
    const lab::DeviceSpec spec{.name = kThing,
                               .board = lab::find_board(options_.board),
                               .mac = {0x02, 0, 0, 0, 0, 1},
                               .seed = options_.seed,
                               .folder = folder,
                               .socket_folder = folder};
    const auto identity = lab::register_device(*lab_, kThing);
    if (!identity) return tl::unexpected(identity.error());
    const lab::FactoryImages images{.application = programs_.application, .recovery = programs_.recovery};
    if (auto equipped = lab::equip_device(*lab_, spec, *identity, images, programs_.products); !equipped)
      return equipped;
    auto device = lab::LabDevice::open(*lab_, spec, programs_.products);
    if (!device) return tl::unexpected(device.error());
    device_ = std::move(*device);
    device_->on_exit([this](const Error& error) {
      end({ExitCode::kFailed, fmt::format("the device went off by itself: {}", error.message), error.hint});
    });
    listening_ = device_->listen_console(
        {.on_line = [this](std::string_view line) { handle_line(line); }, .on_end = {}});
    return {};
  }

  void power_on() {
    if (options_.limit_seconds != 0) {
      limit_.expires_after(std::chrono::seconds(options_.limit_seconds));
      limit_.async_wait([this](boost::system::error_code error) {
        if (!error) handle_limit();
      });
    }
    if (auto started = device_->start(); !started) end(started.error());
  }

  void handle_line(std::string_view line) {
    if (is_over_) return;
    if (options_.json) {
      fmt::print("{}\n", nlohmann::json{{"line", line}}.dump());
    } else {
      fmt::print("{}\n", line);
    }
    std::fflush(stdout);
    if (!options_.until.empty() && line.find(options_.until) != std::string_view::npos) finish();
  }

  void handle_limit() {
    if (options_.until.empty()) return finish();
    end({ExitCode::kFailed,
         fmt::format("the device did not say '{}' within {} s", options_.until, options_.limit_seconds),
         {}});
  }

  /// Without --until it is the way to end it.
  void handle_signal() {
    if (options_.until.empty()) return finish();
    end({ExitCode::kInterrupted, "interrupted", {}});
  }

  void end(Error error) {
    if (!is_over_) error_ = std::move(error);
    finish();
  }

  void finish() {
    is_over_ = true;
    io_.stop();
  }

  const BootOptions& options_;
  const Programs programs_;
  TempDir folder_;
  std::unique_ptr<report::EventLog> log_ = report::EventLog::in_memory();
  boost::asio::io_context io_;
  TerminationSignals signals_;
  boost::asio::steady_timer limit_;
  std::unique_ptr<lab::RunningLab> lab_;
  std::unique_ptr<lab::LabDevice> device_;
  cloud::Subscription listening_;
  std::optional<Error> error_;
  bool is_over_ = false;
};

Result<void> boot(const BootOptions& options) {
  auto programs = read_programs(options);
  if (!programs) return tl::unexpected(programs.error());
  auto folder = TempDir::create();
  if (!folder) return tl::unexpected(folder.error());
  return BootRun(options, std::move(*programs), std::move(*folder)).run();
}

}  // namespace

void add_boot(CLI::App& app, Command& command) {
  static BootOptions options;
  CLI::App* const boot_command = app.add_subcommand(
      "boot", "Boot a device with your own bootloader or application, and show its console");
  boot_command->add_option("--board", options.board, "Board to boot")
      ->check(CLI::IsMember(lab::board_names()))
      ->capture_default_str();
  boot_command->add_option("--bootloader", options.bootloader,
                           "Bootloader as linked, ELF (default: otasim's)");
  CLI::Option* const elf = boot_command->add_option(
      "--app", options.application.elf,
      "Application as linked, ELF; it is signed and put into slot A (default: otasim's demo)");
  boot_command->add_option("--image", options.application.image, "A signed image for slot A instead")
      ->excludes(elf);
  boot_command->add_option("--version", options.application.version, "Version to sign the application as")
      ->capture_default_str();
  boot_command->add_flag("--no-recovery", options.no_recovery, "Leave the recovery slot empty");
  boot_command->add_option("--seed", options.seed, "Seed of the device's entropy")->capture_default_str();
  boot_command->add_option("--until", options.until,
                           "End well when a console line contains this (default: Ctrl-C ends it)");
  boot_command
      ->add_option("--limit", options.limit_seconds,
                   "End after this many seconds; with --until that is a failure")
      ->check(CLI::Range(1U, 86400U));
  boot_command->add_flag("--json", options.json, "Each console line as a JSON object");
  boot_command->callback([&command] { command = [] { return boot(options); }; });
}

}  // namespace otasim::cli
