// The command line of QEMU for one board.
#pragma once

#include <string>
#include <vector>

#include "sim/device/device.h"

namespace otasim::device {

/// The program that emulates all boards.
inline constexpr const char* kQemuProgram = "qemu-system-arm";

/// Arguments of kQemuProgram. The machine is stopped until `cont`; a reset of the guest stops it instead of
/// being carried out; QEMU connects its monitor and its first UART to sockets that must be listening.
[[nodiscard]] std::vector<std::string> qemu_arguments(const Config& config, const std::string& monitor_socket,
                                                      const std::string& uart_socket);

/// `value` as a value in one of QEMU's option lists, where a comma separates options.
[[nodiscard]] std::string option_value(const std::string& value);

}  // namespace otasim::device
