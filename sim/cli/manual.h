// The manual of the command line, read from its tree: for `otasim man`, docs/commands.md and the completion.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace otasim::cli {

struct ManualOption {
  std::vector<std::string> names;  ///< "--board", "-h"; of a positional none
  std::string value;               ///< "BOARD"; empty for a flag
  std::string text;                ///< what it does
  std::vector<std::string> choices;
  std::string standard;  ///< its value unless it is given; may be empty
  std::string range;     ///< "1 to 86400"; may be empty
  bool is_required = false;
  bool is_repeatable = false;
  char delimiter = '\0';  ///< between several values in one
};

struct ManualCommand {
  std::string path;  ///< "otasim flash show"
  std::string text;
  std::vector<ManualOption> positionals;
  std::vector<ManualOption> options;  ///< without --help
  std::vector<std::string> examples;  ///< whole command lines
  std::string notes;                  ///< what else stands below the help; may be empty
  bool has_commands = false;          ///< others below it, one of which must be given
};

/// A command and all below it, the command first. Hidden ones are left out.
[[nodiscard]] std::vector<ManualCommand> read_manual(const CLI::App& app);

/// The command alone.
[[nodiscard]] ManualCommand read_command(const CLI::App& app, const std::string& path);

/// The page otasim(1) in man(7)'s macros. @param date  YYYY-MM-DD, of the page
[[nodiscard]] std::string manual_page(const std::vector<ManualCommand>& manual, const std::string& version,
                                      const std::string& date);
/// docs/commands.md.
[[nodiscard]] std::string manual_markdown(const std::vector<ManualCommand>& manual);

}  // namespace otasim::cli
