// How a subcommand is hung into the command line: its parser is added, and its callback picks what to run.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <string>

#include "sim/base/result.h"

namespace otasim::cli {

/// The chosen command; set by the subcommand's callback.
using Command = std::function<Result<void>()>;

/// Options that every command for a running lab has.
struct LabOptions {
  std::string lab;  ///< empty: not given
  bool json = false;

  /// The folder given, else $OTASIM_LAB, else `otasim-lab`. (CLI11's own variables would go to the options of
  /// commands that were not called, which share their place with those of the one that was.)
  [[nodiscard]] std::string folder() const {
    if (!lab.empty()) return lab;
    const char* const variable = std::getenv("OTASIM_LAB");
    return variable == nullptr || *variable == '\0' ? "otasim-lab" : variable;
  }
};

inline void add_lab_options(CLI::App* command, LabOptions& options) {
  command->add_option("--lab", options.lab, "The lab's folder (default: $OTASIM_LAB, else otasim-lab)");
  command->add_flag("--json", options.json, "Print JSON on stdout");
}

inline constexpr const char* kExamplesHeading = "Examples:\n";

/// Puts examples below a command's help, whole command lines without comments. To be called after the
/// command's own subcommands are added: those take over the text below the help.
inline void examples(CLI::App* command, std::initializer_list<const char*> lines) {
  std::string text = kExamplesHeading;
  for (const char* line : lines) text += std::string("  ") + line + '\n';
  const std::string other = command->get_footer();
  command->footer(text + (other.empty() ? "" : '\n' + other));
}

/// A file that was written, on stdout: its path alone, or {"path": ...}.
void print_written(const std::string& path, bool as_json);

void add_explain(CLI::App& app, Command& command);
void add_completion(CLI::App& app, Command& command);
void add_man(CLI::App& app, Command& command);
/// @param program  otasim itself, for those that start it again
void add_doctor(CLI::App& app, Command& command, const std::string& program);
void add_boards(CLI::App& app, Command& command);
void add_boot(CLI::App& app, Command& command);
void add_up(CLI::App& app, Command& command, const std::string& program);
void add_status(CLI::App& app, Command& command);
void add_down(CLI::App& app, Command& command);
void add_web(CLI::App& app, Command& command);
void add_debug(CLI::App& app, Command& command);
void add_device(CLI::App& app, Command& command);
void add_group(CLI::App& app, Command& command);
void add_job(CLI::App& app, Command& command);
void add_run(CLI::App& app, Command& command, const std::string& program);
/// @param program  otasim itself, for those that start it again
void add_record(CLI::App& app, Command& command, const std::string& program);
void add_scenario(CLI::App& app, Command& command);
void add_matrix(CLI::App& app, Command& command, const std::string& program);
void add_flash(CLI::App& app, Command& command);
void add_report(CLI::App& app, Command& command);
void add_events(CLI::App& app, Command& command);
void add_replay(CLI::App& app, Command& command);
void add_sweep(CLI::App& app, Command& command, const std::string& program);

}  // namespace otasim::cli
