#include "sim/flash/qemu_arguments.h"

#include <fmt/format.h>

#include "pal_sim/flash/controller_registers.h"

namespace otasim::flash_file {
namespace {

// QEMU separates options by commas; a comma inside a value is written twice.
std::string escape(const std::string& value) {
  std::string escaped;
  for (const char c : value) escaped.append(c == ',' ? 2 : 1, c);
  return escaped;
}

std::string plugin_argument(const QemuFlash& flash) {
  std::string argument =
      fmt::format("{},window={},seed={}", escape(flash.plugin_path), escape(flash.window_path), flash.seed);
  argument += fmt::format(",address={}", flash.window_address);
  if (!flash.op_log_path.empty()) argument += ",oplog=" + escape(flash.op_log_path);
  if (!flash.fault_path.empty()) argument += ",faults=" + escape(flash.fault_path);
  if (!flash.wake_path.empty()) argument += ",wake=" + escape(flash.wake_path);
  return argument;
}

// QEMU's generic loader stores its data at every reset of the machine, before any CPU runs again. Eight zero
// bytes over OTP_LOCKED and LOCK_COUNT are therefore the controller's reset line: software cannot pull it
// without resetting itself, and no boot can run with the locks of the boot before.
std::string reset_line_argument(const QemuFlash& flash) {
  static_assert(flash::controller::kRegLockCount == flash::controller::kRegOtpLocked + 4);
  return fmt::format("loader,addr={:#x},data=0,data-len=8",
                     flash.window_address + flash::kRegistersOffset + flash::controller::kRegOtpLocked);
}

}  // namespace

std::vector<std::string> qemu_arguments(const QemuFlash& flash) {
  return {"-object",
          fmt::format("memory-backend-file,id={},size=16M,mem-path={},share=on", kMemoryBackendId,
                      escape(flash.window_path)),
          "-plugin",
          plugin_argument(flash),
          "-device",
          reset_line_argument(flash)};
}

}  // namespace otasim::flash_file
