// The command line of QEMU for one board.
#pragma once

#include <string>
#include <vector>

#include "sim/device/device.h"

namespace otasim::device {

/// The program that emulates all boards.
inline constexpr const char* kQemuProgram = "qemu-system-arm";

/// Sockets that QEMU connects to; they must be listening.
struct QemuSockets {
  std::string monitor;
  std::string console;   ///< the first UART
  std::string watchdog;  ///< the second UART; used if the board has a SerialWatchdog
};

/// Arguments of kQemuProgram. The machine is stopped until `cont`; a reset of the guest stops it instead of
/// being carried out.
[[nodiscard]] std::vector<std::string> qemu_arguments(const Config& config, const QemuSockets& sockets);

/// `value` as a value in one of QEMU's option lists, where a comma separates options.
[[nodiscard]] std::string option_value(const std::string& value);

}  // namespace otasim::device
