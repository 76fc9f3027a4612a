#include "sim/scenario/pal_test_run.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "sim/base/file_io.h"
#include "sim/base/signals.h"
#include "sim/base/temp_dir.h"
#include "sim/crypto/certificate.h"
#include "sim/device/device.h"
#include "sim/flash/flash_file.h"
#include "sim/lab/board_flash.h"
#include "sim/lab/boards.h"
#include "sim/lab/factory.h"
#include "sim/lab/lab.h"
#include "sim/report/event_log.h"

namespace otasim::scenario {
namespace {

constexpr const char* kThing = "pal-test";
/// Provisioning has a port; nobody listens there, and the program does not connect.
constexpr std::uint16_t kUnusedPort = 8883;

/// Gives the scratch lab a code signer of its own making. It signs nothing, so nobody need trust it, and the
/// code-signing root's private key may be missing.
Result<void> give_code_signer(const TempDir& folder) {
  const auto key = crypto::P256Key::generate();
  if (!key) return tl::unexpected(key.error());
  const auto certificate = crypto::Certificate::self_signed(
      {.common_name = "unused", .purpose = crypto::Purpose::kCodeSigner, .dns_names = {}, .ip_addresses = {}},
      *key);
  if (!certificate) return tl::unexpected(certificate.error());
  constexpr mode_t kPrivate = 0600;
  if (auto w = write_file_atomic(folder.file("code-signer.key.pem"), key->private_pem(), kPrivate); !w)
    return w;
  return write_file_atomic(folder.file("code-signer.cert.pem"), certificate->pem());
}

/// Members are in order of construction; destruction takes the device's power first.
class PalTestRun {
 public:
  PalTestRun(const PalTestPlan& plan, TempDir folder)
      : plan_(plan),
        folder_(std::move(folder)),
        signals_(io_,
                 [this](int) {
                   stop({ExitCode::kInterrupted, "interrupted", {}});
                 }),
        limit_(io_) {}

  Result<PalTestOutcome> run() {
    if (auto equipped = equip(); !equipped) return tl::unexpected(equipped.error());
    if (auto created = create_device(); !created) return tl::unexpected(created.error());
    const auto start = std::chrono::steady_clock::now();
    if (auto on = device_->power_on(); !on) return tl::unexpected(on.error());
    limit_.expires_after(std::chrono::seconds(plan_.limit_seconds));
    limit_.async_wait([this](boost::system::error_code error) {
      if (!error) give_up(fmt::format("no end within {} s", plan_.limit_seconds));
    });
    io_.run();
    const auto wall = std::chrono::steady_clock::now() - start;
    device_->power_off();
    if (error_) return tl::unexpected(*error_);
    outcome_.wall_ms = std::chrono::duration_cast<std::chrono::milliseconds>(wall).count();
    return std::move(outcome_);
  }

 private:
  /// The factory's part: a blank flash gets provisioning and the test program.
  Result<void> equip() {
    if (auto given = give_code_signer(folder_); !given) return given;
    const auto identities = lab::Lab::create(folder_.path().string());
    if (!identities) return tl::unexpected(identities.error());
    const auto identity = identities->issue_device(kThing);
    if (!identity) return tl::unexpected(identity.error());
    lab::DeviceSettings settings;
    settings.thing_name = kThing;
    settings.mqtt_port = kUnusedPort;
    settings.more_code_signers = {{lab::kPalTestSignerName, plan_.signer}};
    const auto device_key = lab::load_device_key(plan_.products.device_key);
    if (!device_key) return tl::unexpected(device_key.error());
    const auto provisioning = lab::provisioning_blob(*identities, *identity, settings, *device_key);
    if (!provisioning) return tl::unexpected(provisioning.error());
    auto flash = flash_file::FlashFile::create(folder_.file("flash.bin"), flash_file::part_of(board_.flash));
    if (!flash) return tl::unexpected(flash.error());
    flash_ = std::move(*flash);
    return lab::equip(flash_->bytes(), *provisioning, {.application = plan_.image});
  }

  Result<void> create_device() {
    board_flash_.emplace(board_, flash_file::FlashPartFiles{.window_path = flash_->path()},
                         lab::BoardFlash::Surroundings{.socket_folder = folder_.path().string(),
                                                       .plugin_path = plan_.products.flash_plugin,
                                                       .events = log_.get(),
                                                       .io = &io_});
    if (auto on = board_flash_->power_on(); !on) return on;
    auto device = device::Device::create(io_, {.board = plan_.board,
                                               .bootloader_path = plan_.products.bootloader_elf,
                                               .flash = board_flash_->attachment(),
                                               .watchdog = lab::watchdog_of(board_),
                                               .more_arguments = {},
                                               .uart_log_path = folder_.file("uart.log"),
                                               .run_folder = folder_.path().string(),
                                               .on_machine_reset =
                                                   [this] {
                                                     flash_->clear_volatile_state();
                                                     return Result<void>{};
                                                   },
                                               .events = log_.get()});
    if (!device) return tl::unexpected(device.error());
    device_ = std::move(*device);
    device_->on_console_line([this](std::string_view line) { handle_line(line); });
    device_->on_reset([this](device::ResetCause cause) {
      give_up(fmt::format("the device was reset ({})", device::to_string(cause)));
    });
    device_->on_exit([this](const device::Exit& exit) { stop(exit.error); });
    return {};
  }

  void handle_line(std::string_view line) {
    if (is_over_) return;
    outcome_.console.emplace_back(line);
    const bool is_result = outcome_.report.add_line(line);
    if (plan_.on_line) plan_.on_line(line, is_result);
    if (outcome_.report.is_complete()) return finish();
    if (line.starts_with("boot: halted") || line.starts_with("app: cannot start")) {
      give_up("the device stopped before the tests");
    }
  }

  void give_up(std::string problem) {
    if (is_over_) return;
    outcome_.problem = std::move(problem);
    finish();
  }

  void stop(Error error) {
    if (is_over_) return;
    error_ = std::move(error);
    finish();
  }

  void finish() {
    is_over_ = true;
    io_.stop();
  }

  const PalTestPlan& plan_;
  const lab::Board& board_ = *lab::find_board(plan_.board);
  TempDir folder_;
  std::unique_ptr<report::EventLog> log_ = report::EventLog::in_memory();
  boost::asio::io_context io_;
  TerminationSignals signals_;
  boost::asio::steady_timer limit_;
  PalTestOutcome outcome_;
  std::optional<Error> error_;
  bool is_over_ = false;
  std::optional<flash_file::FlashFile> flash_;
  std::optional<lab::BoardFlash> board_flash_;
  std::unique_ptr<device::Device> device_;
};

}  // namespace

Result<PalTestOutcome> run_pal_test(const PalTestPlan& plan) {
  auto folder = TempDir::create();
  if (!folder) return tl::unexpected(folder.error());
  return PalTestRun(plan, std::move(*folder)).run();
}

}  // namespace otasim::scenario
