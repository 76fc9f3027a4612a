// `otasim man`: the manual page, or the same as Markdown.
#include <fmt/format.h>

#include <cstdio>

#include "sim/cli/command_line.h"
#include "sim/cli/manual.h"

namespace otasim::cli {
namespace {

Result<void> print_manual(bool as_markdown) {
  CLI::App app;
  Command unused;
  build_command_line(app, unused, "otasim");
  const std::vector<ManualCommand> manual = read_manual(app);
  fmt::print("{}",
             as_markdown ? manual_markdown(manual) : manual_page(manual, OTASIM_VERSION, OTASIM_MANUAL_DATE));
  return {};
}

}  // namespace

void add_man(CLI::App& app, Command& command) {
  static bool as_markdown = false;
  CLI::App* man = app.add_subcommand("man", "Print otasim's manual page");
  man->add_flag("--markdown", as_markdown, "As Markdown: docs/commands.md");
  man->callback([&command] { command = [] { return print_manual(as_markdown); }; });
}

}  // namespace otasim::cli
