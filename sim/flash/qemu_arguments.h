// The part of QEMU's command line that gives a board its flash: the mapped window, the controller, and the
// reset line.
//
// Add qemu_arguments() to the command line and `memory-backend=` + kMemoryBackendId to `-machine`. The flash
// file must exist (flash_file.h). QEMU refuses to start, with the plugin's reason on stderr, if the plugin
// cannot use the file or the op log.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace otasim::flash_file {

inline constexpr const char* kMemoryBackendId = "mem";

struct QemuFlash {
  std::string window_path;
  std::uint32_t window_address = 0x2100'0000;  ///< where the board maps the window
  std::string plugin_path;                     ///< libotasim_flash_plugin.so
  std::string op_log_path{};                   ///< empty: no op log
  std::string fault_path{};                    ///< a prepared fault file (fault_file.h); empty: none
  std::string wake_path{};                     ///< the pipe through which strikes are told
  std::uint64_t seed = 1;                      ///< of the part's entropy source
};

[[nodiscard]] std::vector<std::string> qemu_arguments(const QemuFlash& flash);

}  // namespace otasim::flash_file
