#include "sim/device/qemu_command.h"

#include <fmt/format.h>

namespace otasim::device {

std::string option_value(const std::string& value) {
  std::string escaped;
  for (const char c : value) {
    escaped += c;
    if (c == ',') escaped += c;
  }
  return escaped;
}

std::vector<std::string> qemu_arguments(const Config& config, const std::string& monitor_socket,
                                        const std::string& uart_socket) {
  const std::string flash = option_value(config.flash_path);
  std::vector<std::string> arguments = {
      "-display",
      "none",
      "-nodefaults",
      "-no-user-config",
      "-object",
      fmt::format("memory-backend-file,id=flash,size={},mem-path={},share=on", kFlashWindowBytes, flash),
      "-machine",
      fmt::format("{},memory-backend=flash", config.board),
      "-kernel",
      config.bootloader_path,
      "-S",
      "-action",
      "reboot=shutdown,shutdown=pause",
      "-chardev",
      fmt::format("socket,id=monitor,path={},server=off", option_value(monitor_socket)),
      "-mon",
      "chardev=monitor,mode=control",
      "-chardev",
      fmt::format("socket,id=uart,path={},server=off", option_value(uart_socket)),
      "-serial",
      "chardev:uart",
  };
  if (!config.flash_plugin_path.empty()) {
    std::string plugin =
        fmt::format("{},window={},seed={}", option_value(config.flash_plugin_path), flash, config.seed);
    if (!config.op_log_path.empty()) plugin += ",oplog=" + option_value(config.op_log_path);
    if (!config.fault_path.empty()) plugin += ",faults=" + option_value(config.fault_path);
    if (!config.wake_path.empty()) plugin += ",wake=" + option_value(config.wake_path);
    arguments.insert(arguments.end(), {"-plugin", plugin});
  }
  arguments.insert(arguments.end(), config.more_arguments.begin(), config.more_arguments.end());
  return arguments;
}

}  // namespace otasim::device
