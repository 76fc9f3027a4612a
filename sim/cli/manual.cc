#include "sim/cli/manual.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <regex>

#include "sim/cli/command.h"

namespace otasim::cli {
namespace {

/// "TEXT:{mqtt,http}" and "UINT:UINT in [1 - 86400]" hold what the checks of an option allow.
void read_checks(const std::string& type, ManualOption& out) {
  static const std::regex kChoices("\\{([^}]*)\\}");
  static const std::regex kRange("in \\[([^ ]+) - ([^\\]]+)\\]");
  std::smatch match;
  if (std::regex_search(type, match, kChoices)) {
    const std::string list = match[1];
    for (std::size_t at = 0; at <= list.size();) {
      const std::size_t end = std::min(list.find(',', at), list.size());
      out.choices.push_back(list.substr(at, end - at));
      at = end + 1;
    }
  }
  if (std::regex_search(type, match, kRange))
    out.range = fmt::format("{} to {}", match[1].str(), match[2].str());
}

std::string upper(std::string text) {
  for (char& c : text) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// What stands for an option's value: numbers are N, texts have the option's own name.
std::string value_name(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  if (type.starts_with("UINT") || type.starts_with("INT")) return "N";
  if (type.starts_with("FLOAT")) return "NUMBER";
  return option.get_lnames().empty() ? "VALUE" : upper(option.get_lnames().front());
}

ManualOption read_option(const CLI::Option& option) {
  ManualOption out;
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  const bool has_value = option.get_items_expected_max() > 0;
  if (option.get_positional() && out.names.empty()) {
    out.value = option.get_name(true, false);
  } else if (has_value) {
    out.value = value_name(option);
  }
  out.text = option.get_description();
  out.standard = option.get_default_str();
  out.is_required = option.get_required();
  out.delimiter = option.get_delimiter();
  out.is_repeatable = option.get_items_expected_max() > 1;
  if (has_value) read_checks(option.get_type_name(), out);
  // Names of a flag's variable, of an empty list: nothing that a reader needs.
  if (out.standard == "\"\"" || out.standard == "[]" || out.standard == "{}") out.standard.clear();
  return out;
}

void read_footer(const std::string& footer, ManualCommand& out) {
  std::string_view text = footer;
  if (text.starts_with(kExamplesHeading)) {
    text.remove_prefix(std::string_view(kExamplesHeading).size());
    while (text.starts_with("  ")) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      out.examples.emplace_back(text.substr(2, end - 2));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (text.starts_with('\n')) text.remove_prefix(1);
  }
  out.notes = text;
}

void read_all(const CLI::App& app, const std::string& path, std::vector<ManualCommand>& out) {
  out.push_back(read_command(app, path));
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_group().empty() && !sub->get_name().empty())
      read_all(*sub, path + ' ' + sub->get_name(), out);
  }
}

std::string synopsis(const ManualCommand& command) {
  std::string text = command.path;
  if (command.has_commands) return text + " COMMAND";
  for (const ManualOption& option : command.options) {
    if (option.is_required) text += fmt::format(" {} {}", option.names.back(), option.value);
  }
  for (const ManualOption& one : command.positionals) {
    const std::string name = one.value + (one.is_repeatable ? "..." : "");
    text += ' ' + (one.is_required ? name : '[' + name + ']');
  }
  return text + (command.options.empty() ? "" : " [OPTION...]");
}

std::string details(const ManualOption& option) {
  std::string text = option.text;
  const bool tells_default = text.find("(default") != std::string::npos;
  if (!option.range.empty()) text += fmt::format("; {}", option.range);
  if (!option.standard.empty() && !tells_default) text += fmt::format("; default: {}", option.standard);
  if (option.is_required) text += "; required";
  return text;
}

/// Without otasim's own exit codes, which every command repeats.
std::string own_notes(const ManualCommand& command, const std::string& common) {
  return command.notes == common ? "" : command.notes;
}

// ---- man(7)

/// A text in which no character means something to roff, also at a line's start.
std::string roff(std::string_view text) {
  std::string out;
  bool begins = true;
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    begins = c == '\n';
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '`':
        out += "\\(ga";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      default:
        out += c;
    }
  }
  return out;
}

void page_option(const ManualOption& option, std::string& out) {
  out += ".TP\n";
  std::string names;
  for (const std::string& name : option.names)
    names += (names.empty() ? "\\fB" : ", \\fB") + roff(name) + "\\fR";
  if (!option.value.empty()) names += (names.empty() ? "\\fI" : " \\fI") + roff(option.value) + "\\fR";
  std::string text = roff(details(option));
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 5)
    text.replace(at, 1, "\n.br\n");
  out += names + '\n' + text + (option.choices.empty() ? "\n" : ".\n");
  if (!option.choices.empty())
    out += fmt::format("One of: {}.\n", roff(fmt::format("{}", fmt::join(option.choices, ", "))));
}

void page_command(const ManualCommand& command, const std::string& common, std::string& out) {
  out += fmt::format(".SS {}\n", roff(command.path.substr(command.path.find(' ') + 1)));
  out += fmt::format("\\fB{}\\fR\n.PP\n{}.\n", roff(synopsis(command)), roff(command.text));
  for (const ManualOption& option : command.positionals) page_option(option, out);
  for (const ManualOption& option : command.options) page_option(option, out);
  const std::string notes = own_notes(command, common);
  if (!notes.empty()) out += fmt::format(".PP\n{}\n", roff(notes));
  if (command.examples.empty()) return;
  out += ".PP\nExamples:\n.PP\n.nf\n.RS 4\n";
  for (const std::string& example : command.examples) out += roff(example) + '\n';
  out += ".RE\n.fi\n";
}

constexpr const char* kPageEnd = R"(.SH EXIT STATUS
.TP
0
it was done, and all that was judged has passed
.TP
1
the update, scenario, test or sweep failed: the device's or the cloud's doing
.TP
2
the command line or an input file is wrong
.TP
3
something on this machine is missing or broke; see
.B otasim doctor
.TP
4
a bug in otasim
.TP
130
interrupted
.SH ENVIRONMENT
.TP
OTASIM_LAB
the lab\(aqs folder, if
.B \-\-lab
is not given
.TP
NO_COLOR
if set, output has no colours
.TP
TMPDIR
where temporary folders are made, instead of
.I /tmp
.SH FILES
.TP
.I otasim\-runs/
the folders that runs, matrices and sweeps leave
.TP
.I otasim\-lab/
the folder of a lab that stays up
.SH SEE ALSO
.BR qemu\-system\-arm (1),
.BR mosquitto (8),
.BR gdb (1)
.PP
The user guide is in the folder
.I docs
of otasim\(aqs sources.
)";

// ---- Markdown

std::string md(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_') out += '\\';
    if (c == '\n') {
      out += "<br>";
    } else {
      out += c;
    }
  }
  return out;
}

void markdown_option(const ManualOption& option, std::string& out) {
  std::string names;
  for (const std::string& name : option.names) names += (names.empty() ? "" : ", ") + name;
  if (!option.value.empty()) names += (names.empty() ? "" : " ") + option.value;
  std::string text = md(details(option));
  if (!option.choices.empty()) text += ". One of: " + md(fmt::format("{}", fmt::join(option.choices, ", ")));
  out += fmt::format("| `{}` | {} |\n", names, text);
}

void markdown_command(const ManualCommand& command, const std::string& common, std::string& out) {
  const bool is_nested = std::ranges::count(command.path, ' ') > 1;
  out += fmt::format("\n{} {}\n{}.\n\n    {}\n", is_nested ? "###" : "##", command.path, command.text,
                     synopsis(command));
  if (!command.positionals.empty() || !command.options.empty()) {
    out += "\n| | |\n|---|---|\n";
    for (const ManualOption& option : command.positionals) markdown_option(option, out);
    for (const ManualOption& option : command.options) markdown_option(option, out);
  }
  const std::string notes = own_notes(command, common);
  if (!notes.empty()) out += '\n' + md(notes) + '\n';
  if (command.examples.empty()) return;
  out += "\n```sh\n";
  for (const std::string& example : command.examples) out += example + '\n';
  out += "```\n";
}

/// "otasim run", but neither "otasim" nor "otasim job create".
bool is_top_level(const ManualCommand& command) {
  return std::ranges::count(command.path, ' ') == 1;
}

std::string link_to(const ManualCommand& command) {
  std::string anchor = command.path;
  std::ranges::replace(anchor, ' ', '-');
  return fmt::format("[{}](#{})", command.path, anchor);
}

}  // namespace

ManualCommand read_command(const CLI::App& app, const std::string& path) {
  ManualCommand command{.path = path,
                        .text = app.get_description(),
                        .positionals = {},
                        .options = {},
                        .examples = {},
                        .notes = {},
                        .has_commands = app.get_require_subcommand_min() > 0};
  for (const CLI::Option* option : app.get_options({})) {
    if (option->get_group().empty() || option == app.get_help_ptr()) continue;
    const bool is_positional = option->get_positional() && !option->nonpositional();
    (is_positional ? command.positionals : command.options).push_back(read_option(*option));
  }
  read_footer(app.get_footer(), command);
  return command;
}

std::vector<ManualCommand> read_manual(const CLI::App& app) {
  std::vector<ManualCommand> manual;
  read_all(app, app.get_name(), manual);
  return manual;
}

std::string manual_page(const std::vector<ManualCommand>& manual, const std::string& version,
                        const std::string& date) {
  const ManualCommand& whole = manual.front();
  std::string out = fmt::format(".TH OTASIM 1 \"{}\" \"otasim {}\" \"User Commands\"\n", date, version);
  out += ".SH NAME\notasim \\- prove that a firmware update survives, on a laptop, offline\n";
  out += ".SH SYNOPSIS\n.B otasim\n.I COMMAND\n[\\fIOPTION\\fR...]\n";
  out +=
      ".SH DESCRIPTION\nAn OTA agent and its bootloader run unmodified in QEMU\\(aqs emulated Cortex\\-M "
      "boards, while\n"
      "otasim plays AWS IoT over a local Mosquitto broker, owns the emulated flash, the network link and "
      "the\n"
      "power switch, and breaks each of them on purpose.\n.PP\n"
      "Results go to standard output, everything said meanwhile to standard error.\n"
      ".B \\-\\-help\nof each command shows it with examples.\n.SH COMMANDS\n";
  for (auto command = manual.begin() + 1; command != manual.end(); ++command)
    page_command(*command, whole.notes, out);
  return out + kPageEnd;
}

std::string manual_markdown(const std::vector<ManualCommand>& manual) {
  std::string out =
      "# Commands\n\nWritten by `otasim man --markdown` from the command line itself; a test fails when the "
      "two differ.\n"
      "Results go to stdout, everything said meanwhile to stderr. Exit codes: 0 ok; 1 the update or a test "
      "failed;\n"
      "2 wrong command line or input file; 3 something on this machine is missing or broke; 4 a bug in "
      "otasim;\n"
      "130 interrupted.\n\n";
  for (const ManualCommand& command : manual) {
    if (is_top_level(command)) out += fmt::format("- {}: {}\n", link_to(command), command.text);
  }
  for (auto command = manual.begin() + 1; command != manual.end(); ++command)
    markdown_command(*command, manual.front().notes, out);
  return out;
}

}  // namespace otasim::cli
