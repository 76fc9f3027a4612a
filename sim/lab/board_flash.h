// A board's flash, as its device has it: how QEMU gets at the flash file, and what must run beside QEMU.
//
//   BoardFlash flash(board, {.window_path = ..., .fault_path = ...}, {.socket_folder = ..., ...});
//   device::Config{.flash = flash.attachment(), .watchdog = watchdog_of(board), ...}
//   flash.power_on();        // before each Device::power_on()
//   flash.power_off();       // after the device has gone off, whatever took it down
//
// A window with its controller needs nothing beside QEMU. A SPI chip's drive is served from power-on to
// power-off; power_off() takes what QEMU had sent by its end, so what the flash file holds is final only
// then.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "sim/base/result.h"
#include "sim/device/device.h"
#include "sim/flash/flash_part.h"
#include "sim/flash/nbd_server.h"
#include "sim/lab/boards.h"
#include "sim/report/event_log.h"

namespace otasim::lab {

/// What Device is told of a board's watchdog.
[[nodiscard]] std::variant<device::CmsdkWatchdog, device::SerialWatchdog> watchdog_of(const Board& board);

class BoardFlash {
 public:
  struct Surroundings {
    std::string device = {};       ///< in events, if a lab has several
    std::string socket_folder;     ///< this device's own, its path short
    std::string plugin_path = {};  ///< the flash controller, for boards that have one
    report::EventLog* events;      ///< outlives the object
    boost::asio::io_context* io;   ///< on its thread events are emitted; outlives the object
  };

  /// @param board  outlives the object
  BoardFlash(const Board& board, flash_file::FlashPartFiles files, Surroundings surroundings);

  [[nodiscard]] std::variant<device::FlashWindow, device::SpiDrive> attachment() const;

  /// @returns kEnvironment if a file or a socket cannot be used
  [[nodiscard]] Result<void> power_on();
  /// A line of the device's console: on a part that cannot see who writes to it, what the bootloader says of
  /// its own progress tells. As good as that is: a line takes longer than a write, so the first operations of
  /// a program may be logged as those of the one before it.
  void take_console_line(std::string_view line);

  /// Does nothing if it is off.
  void power_off() { server_.reset(); }

 private:
  [[nodiscard]] std::string socket_path() const { return surroundings_.socket_folder + "/nbd.sock"; }
  void emit_later(std::string event, nlohmann::json fields);

  const Board& board_;
  flash_file::FlashPartFiles files_;
  Surroundings surroundings_;
  std::shared_ptr<const int> alive_ = std::make_shared<int>(0);
  std::unique_ptr<flash_file::NbdServer> server_;  // last: its thread ends first
};

}  // namespace otasim::lab
