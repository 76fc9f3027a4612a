// What a debugger is started with: GDB's commands, and an editor's configuration.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"

namespace otasim::debug {

struct GdbSetUp {
  std::string bootloader = {};            ///< ELF
  std::string application = {};           ///< ELF; empty: no symbols of it
  std::vector<std::string> symbols = {};  ///< further ELFs
  /// From which the programs' relative source paths lead to the sources.
  std::vector<std::string> source_folders = {};
  std::string extension = {};  ///< otasim's commands and printers, a Python file
  std::string program = {};    ///< otasim itself
  std::string flash = {};      ///< the device's flash file
  bool is_live = true;         ///< a run that goes on, and not a replay of one
};

/// What stands beside the running otasim: sources, extension and itself. @returns kEnvironment
[[nodiscard]] Result<GdbSetUp> installed_set_up();
/// Symbols, printers and commands; nothing that needs a target.
[[nodiscard]] std::string set_up_script(const GdbSetUp& set_up);
/// Sets up by `set_up_path`, and takes the target.
/// @param address  HOST:PORT, or the path of a unix socket
/// @param goes_on  it runs until the simulator stops it
[[nodiscard]] std::string attach_script(const std::string& set_up_path, const std::string& address,
                                        bool goes_on);

/// Puts a configuration into FOLDER/.vscode/launch.json, in the place of one with its name.
/// @returns its path; kUsage if the file there is not plain JSON, which has no comments to lose; kEnvironment
[[nodiscard]] Result<std::string> write_launch_configuration(const std::string& folder,
                                                             const std::string& name,
                                                             const std::string& program,
                                                             const std::string& set_up_path,
                                                             const std::string& address);

}  // namespace otasim::debug
