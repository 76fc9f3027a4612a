#include "sim/device/qemu_command.h"

#include <fmt/format.h>

#include <iterator>

namespace otasim::device {

std::string option_value(const std::string& value) {
  std::string escaped;
  for (const char c : value) {
    escaped += c;
    if (c == ',') escaped += c;
  }
  return escaped;
}

namespace {

using Arguments = std::vector<std::string>;

void append(Arguments& arguments, Arguments more) {
  arguments.insert(arguments.end(), std::make_move_iterator(more.begin()),
                   std::make_move_iterator(more.end()));
}

std::string plugin_argument(const FlashWindow& window) {
  std::string plugin = fmt::format("{},window={},seed={}", option_value(window.plugin_path),
                                   option_value(window.path), window.seed);
  if (window.address != 0) plugin += fmt::format(",address={}", window.address);
  if (!window.op_log_path.empty()) plugin += ",oplog=" + option_value(window.op_log_path);
  if (!window.fault_path.empty()) plugin += ",faults=" + option_value(window.fault_path);
  if (!window.wake_path.empty()) plugin += ",wake=" + option_value(window.wake_path);
  plugin += window.more_options;
  return plugin;
}

Arguments machine_arguments(const Config& config, const FlashWindow& window) {
  Arguments arguments = {"-object",
                         fmt::format("memory-backend-file,id=flash,size={},mem-path={},share=on",
                                     kFlashWindowBytes, option_value(window.path)),
                         "-machine", fmt::format("{},memory-backend=flash", config.board)};
  if (!window.plugin_path.empty()) append(arguments, {"-plugin", plugin_argument(window)});
  return arguments;
}

Arguments machine_arguments(const Config& config, const SpiDrive& drive) {
  return {"-machine", config.board, "-drive",
          fmt::format("if=mtd,format=raw,file.driver=nbd,file.server.type=unix,file.server.path={}",
                      option_value(drive.socket_path))};
}

Arguments serial_arguments(const char* id, const std::string& socket) {
  return {"-chardev", fmt::format("socket,id={},path={},server=off", id, option_value(socket)), "-serial",
          fmt::format("chardev:{}", id)};
}

}  // namespace

std::vector<std::string> qemu_arguments(const Config& config, const QemuSockets& sockets) {
  Arguments arguments = {"-display", "none", "-nodefaults", "-no-user-config"};
  append(arguments,
         std::visit([&config](const auto& flash) { return machine_arguments(config, flash); }, config.flash));
  append(arguments,
         {"-kernel", config.bootloader_path, "-S", "-action", "reboot=shutdown,shutdown=pause", "-chardev",
          fmt::format("socket,id=monitor,path={},server=off", option_value(sockets.monitor)), "-mon",
          "chardev=monitor,mode=control"});
  append(arguments, serial_arguments("uart", sockets.console));
  if (std::holds_alternative<SerialWatchdog>(config.watchdog))
    append(arguments, serial_arguments("watchdog", sockets.watchdog));
  append(arguments, config.more_arguments);
  return arguments;
}

}  // namespace otasim::device
