// How a subcommand is hung into the command line: its parser is added, and its callback picks what to run.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "sim/base/result.h"

namespace otasim::cli {

/// The chosen command; set by the subcommand's callback.
using Command = std::function<Result<void>()>;

/// Options that every command for a running lab has.
struct LabOptions {
  std::string lab = "otasim-lab";
  bool json = false;
};

inline void add_lab_options(CLI::App* command, LabOptions& options) {
  command->add_option("--lab", options.lab, "The lab's folder")->envname("OTASIM_LAB")->capture_default_str();
  command->add_flag("--json", options.json, "Print JSON on stdout");
}

void add_up(CLI::App& app, Command& command, const std::string& program);
void add_device(CLI::App& app, Command& command);
void add_group(CLI::App& app, Command& command);
void add_job(CLI::App& app, Command& command);

}  // namespace otasim::cli
