#include "sim/sweep/fresh_qemu_machine.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "sim/device/device.h"
#include "sim/device/qemu_messages.h"
#include "sim/lab/board_flash.h"
#include "sim/report/event_log.h"
#include "sim/sweep/boot_transcript.h"

namespace otasim::sweep {
namespace {

using Clock = std::chrono::steady_clock;

/// As for a machine that stays (qemu_process.cc, qemu_machine.cc).
constexpr std::chrono::seconds kLimit{60};
constexpr unsigned kMaxResets = 8;

/// One power cycle.
class PowerCycle {
 public:
  PowerCycle(const lab::Board& board, const lab::BuildProducts& products, const std::string& folder,
             MachineFlash& flash, std::uint64_t seed)
      : flash_(flash),
        board_flash_(board, flash.files(seed),
                     {.socket_folder = folder,
                      .plugin_path = products.flash_plugin,
                      .events = events_.get(),
                      .io = &io_}),
        config_{.board = std::string(board.name),
                .bootloader_path = products.bootloader_elf,
                .flash = board_flash_.attachment(),
                .watchdog = lab::watchdog_of(board),
                .more_arguments = {},
                .uart_log_path = "/dev/null",
                .run_folder = folder,
                .on_machine_reset =
                    [this] {
                      flash_.file().clear_volatile_state();
                      flash_.set_handed_over(false);
                      return Result<void>{};
                    },
                .events = events_.get(),
                .dies_with_thread = true} {}

  [[nodiscard]] Result<BootTranscript> run() {
    if (auto on = board_flash_.power_on(); !on) return tl::unexpected(on.error());
    auto device = device::Device::create(io_, config_);
    if (!device) return tl::unexpected(device.error());
    (*device)->on_console_line([this](std::string_view line) { take(line); });
    (*device)->on_exit([this](const device::Exit& exit) {
      problem_ = exit.error;
      problem_->code = device::has_crashed(exit.status) ? ExitCode::kFailed : ExitCode::kEnvironment;
    });
    if (auto on = (*device)->power_on(); !on) return tl::unexpected(on.error());
    auto ended = wait();
    (*device)->power_off();
    board_flash_.power_off();
    if (!ended) return tl::unexpected(ended.error());
    return std::move(transcript_);
  }

 private:
  void take(std::string_view line) {
    board_flash_.take_console_line(line);
    transcript_.take(line);
    if (transcript_.has_handed_over()) flash_.set_handed_over(true);
  }

  [[nodiscard]] Result<void> wait() {
    const auto end = Clock::now() + kLimit;
    while (!transcript_.is_over()) {
      if (problem_) return failure(problem_->message, problem_->hint, problem_->code);
      if (transcript_.resets() > kMaxResets) return failure("the device goes on resetting.");
      if (Clock::now() >= end)
        return failure(fmt::format("the application's first line did not come in {} s", kLimit.count()));
      io_.restart();
      io_.run_one_until(end);
    }
    return {};
  }

  [[nodiscard]] tl::unexpected<Error> failure(std::string message, const std::string& more = {},
                                              ExitCode code = ExitCode::kFailed) const {
    return fail(code, std::move(message), transcript_.text() + (more.empty() ? "" : "\n" + more));
  }

  MachineFlash& flash_;
  boost::asio::io_context io_;
  std::unique_ptr<report::EventLog> events_ = report::EventLog::in_memory();
  lab::BoardFlash board_flash_;
  device::Config config_;
  BootTranscript transcript_;
  std::optional<Error> problem_;
};

}  // namespace

Result<std::unique_ptr<FreshQemuMachine>> FreshQemuMachine::create(const lab::Board& board,
                                                                   const lab::BuildProducts& products,
                                                                   const std::string& folder) {
  const bool is_spi = board.flash == flash_file::BackEnd::kSpiNor;
  auto flash = MachineFlash::create(is_spi ? flash::kSpiNorPart : flash::kControllerPart, folder);
  if (!flash) return tl::unexpected(flash.error());
  return std::unique_ptr<FreshQemuMachine>(new FreshQemuMachine(board, products, folder, std::move(*flash)));
}

Result<Boot> FreshQemuMachine::boot(flash::CellState& cells, std::uint64_t seed) {
  if (auto prepared = flash_.prepare(cells); !prepared) return tl::unexpected(prepared.error());
  PowerCycle cycle(board_, products_, folder_, flash_, seed);
  auto transcript = cycle.run();
  if (!transcript) return tl::unexpected(transcript.error());
  auto operations = flash_.take(cells);
  if (!operations) return tl::unexpected(operations.error());
  return Boot{.lines = transcript->take_lines(),
              .operations = std::move(*operations),
              .reached_application = transcript->reached_application()};
}

}  // namespace otasim::sweep
