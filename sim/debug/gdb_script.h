// What a debugger is started with: GDB's commands, and an editor's configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace otasim::debug {

struct GdbSetUp {
  std::string bootloader;   ///< ELF
  std::string application;  ///< ELF
  std::vector<std::string>
      source_folders;     ///< from which the programs' relative source paths lead to the sources
  std::string extension;  ///< otasim's commands and printers, a Python file
  std::string program;    ///< otasim itself
  std::string run_folder;
  std::string device;
};

/// Symbols, printers and commands; nothing that needs a target.
[[nodiscard]] std::string set_up_script(const GdbSetUp& set_up);
/// Sets up by `set_up_path`, and takes the target. @param goes_on  it runs until the simulator stops it
[[nodiscard]] std::string attach_script(const std::string& set_up_path, std::uint16_t port, bool goes_on);

/// Puts a configuration into FOLDER/.vscode/launch.json, in the place of one with its name.
/// @returns its path; kUsage if the file there is not plain JSON, which has no comments to lose; kEnvironment
[[nodiscard]] Result<std::string> write_launch_configuration(const std::string& folder,
                                                             const std::string& name,
                                                             const std::string& program,
                                                             const std::string& set_up_path,
                                                             std::uint16_t port);

}  // namespace otasim::debug
