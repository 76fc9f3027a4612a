// A machine that is switched on once: what a boot case asks of a board, in QEMU or on the host.
//
//   machine.window()                         // while it is off: the part's bytes, to be written as a case
//   wants auto boot = machine.boot(cells, seed);   // power-on, to the application's first line, and off
//   again boot->lines, boot->operations            // what the bootloader said and did to flash
//
// A boot ends with the application's first line on the console, or when the bootloader halts. Flash is what
// the bootloader left: operations of the application are discarded, so that a boot is a function of flash,
// cells and seed alone. One object belongs to one thread; a sweep makes one for each worker.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pal_sim/flash/cell_state.h"
#include "pal_sim/flash/op_log.h"
#include "sim/base/result.h"

namespace otasim::sweep {

struct Boot {
  /// The console, as far as the application's first line, without line ends.
  std::vector<std::string> lines;
  /// Of the bootloader, refused ones too, in order.
  std::vector<flash::LoggedOperation> operations;
  bool reached_application = false;
  /// The image in memory, as it would run; empty if this machine cannot show it, or not at every boot. Good
  /// until the next one.
  std::span<const std::uint8_t> loaded = {};
  /// The boot ROM was found written: in this boot, or in one before that nobody has looked at.
  bool has_written_rom = false;
};

class BootMachine {
 public:
  BootMachine() = default;
  BootMachine(const BootMachine&) = delete;
  BootMachine& operator=(const BootMachine&) = delete;
  virtual ~BootMachine() = default;

  /// The whole part, kWindowSize bytes. To be changed between boots only, array and OTP bank only.
  [[nodiscard]] virtual std::span<std::uint8_t> window() = 0;

  /// One power-on.
  /// @param cells  of the part: marginal bits are drawn anew at this power-on; updated by what the boot did
  /// @param seed   decides, with the number of power-ons in `cells`, what marginal bits read
  /// @returns kEnvironment  the machine cannot be run
  ///          kFailed       it neither reached the application nor halted in time, or crashed
  [[nodiscard]] virtual Result<Boot> boot(flash::CellState& cells, std::uint64_t seed) = 0;

  /// Whether one of the boots that nobody has looked at has written the boot ROM. To be asked when no more
  /// come.
  /// @returns kEnvironment  the machine cannot be run
  [[nodiscard]] virtual Result<bool> has_written_rom() { return false; }
};

}  // namespace otasim::sweep
