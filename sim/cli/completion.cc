#include "sim/cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "sim/cli/command_line.h"
#include "sim/cli/manual.h"
#include "sim/report/glossary/glossary.h"
#include "sim/scenario/fault_catalog.h"
#include "sim/scenario/library.h"

namespace otasim::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxRuns = 100;

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_name().empty() && sub->get_name() == name) return sub;
  }
  return nullptr;
}

const ManualOption* find_option(const ManualCommand& command, const std::string& name) {
  for (const ManualOption& option : command.options) {
    if (std::ranges::count(option.names, name) != 0) return &option;
  }
  return nullptr;
}

/// Where the words lead: the command, the option whose value comes next, and how many positionals were given.
struct Place {
  const CLI::App* app = nullptr;
  ManualCommand command;
  const ManualOption* awaited = nullptr;
  std::size_t positionals = 0;
};

void follow(Place& place, std::span<const std::string> words) {
  bool only_positionals = false;
  for (const std::string& word : words) {
    // bash takes "--board=x" apart at '='.
    if (word == "=") continue;
    if (place.awaited != nullptr) {
      place.awaited = nullptr;
    } else if (!only_positionals && word == "--") {
      only_positionals = true;
    } else if (!only_positionals && word.starts_with("-")) {
      const ManualOption* const option = find_option(place.command, word);
      if (option != nullptr && !option->value.empty()) place.awaited = option;
    } else if (const CLI::App* const sub = find_command(*place.app, word)) {
      place.app = sub;
      place.command = read_command(*sub, word);
      place.positionals = 0;
    } else {
      ++place.positionals;
    }
  }
}

void add_runs(Candidates& out) {
  std::error_code error;
  std::vector<std::string> runs;
  for (fs::directory_iterator at("otasim-runs", error), end; !error && at != end; at.increment(error)) {
    if (at->is_directory(error)) runs.push_back(at->path().string());
  }
  // Their names begin with the time: the newest first.
  std::ranges::sort(runs, std::ranges::greater());
  for (const std::string& run : runs) {
    if (out.words.size() == kMaxRuns) break;
    out.words.push_back({run, {}});
  }
}

void add_scenarios(Candidates& out) {
  const auto entries = scenario::library();
  if (!entries) return;
  for (const scenario::Entry& entry : *entries) out.words.push_back({entry.name, entry.title});
}

void add_reasons(Candidates& out) {
  for (const report::Topic& topic : report::topics()) {
    for (const report::Term& term : topic.terms) {
      if (term.name.find(' ') == std::string_view::npos)
        out.words.push_back({std::string(term.name), std::string(term.meaning)});
    }
  }
}

/// What an option's or positional's value may be.
void add_values(const ManualOption& option, Candidates& out) {
  for (const std::string& choice : option.choices) out.words.push_back({choice, {}});
  if (!option.choices.empty()) return;
  const std::string& name = option.names.empty() ? option.value : option.names.back();
  if (name == "SCENARIO" || name == "NAME-OR-FILE" || name == "WHAT" || name == "--scenario") {
    if (name == "WHAT") out.words.push_back({"demo", "What otasim demo plays"});
    add_scenarios(out);
    out.files = true;
  } else if (name == "RUN" || name == "--run") {
    add_runs(out);
    out.folders = true;
  } else if (name == "REASON") {
    add_reasons(out);
  } else if (name == "--fault") {
    for (const scenario::FaultKind& kind : scenario::fault_catalog())
      out.words.push_back({std::string(kind.name), std::string(kind.doc)});
  } else if (name == "--lab") {
    out.folders = true;
  } else if (option.value != "N" && option.value != "NUMBER" && !name.ends_with("version")) {
    out.files = true;
  }
}

void add_options(const Place& place, Candidates& out) {
  for (const ManualOption& option : place.command.options) {
    // One name is enough to complete, and two that begin alike would be in each other's way.
    const auto name =
        std::ranges::find_if(option.names, [](const auto& one) { return one.starts_with("--"); });
    if (name != option.names.end()) out.words.push_back({*name, option.text});
  }
  out.words.push_back({"--help", "Print this help message and exit"});
}

void add_commands(const CLI::App& app, Candidates& out) {
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_group().empty() && !sub->get_name().empty())
      out.words.push_back({sub->get_name(), sub->get_description()});
  }
}

/// Only what goes on from what was typed.
void keep(Candidates& out, const std::string& typed) {
  std::erase_if(out.words, [&](const Candidate& one) { return !one.word.starts_with(typed); });
}

/// The value of an option, of which some may be given at once: "mqtt,ht".
Candidates values(const ManualOption& option, const std::string& typed, const std::string& before) {
  Candidates out;
  add_values(option, out);
  const std::size_t comma = option.delimiter == '\0' ? std::string::npos : typed.rfind(option.delimiter);
  const std::string given = comma == std::string::npos ? "" : typed.substr(0, comma + 1);
  keep(out, typed.substr(given.size()));
  for (Candidate& one : out.words) one.word = before + given + one.word;
  return out;
}

}  // namespace

Candidates complete(const CLI::App& app, std::span<const std::string> words, const std::string& current) {
  Place place{.app = &app, .command = read_command(app, "otasim"), .awaited = nullptr, .positionals = 0};
  follow(place, words);
  const std::string typed = current == "=" ? "" : current;
  if (place.awaited != nullptr) return values(*place.awaited, typed, {});
  if (const std::size_t equals = typed.find('='); typed.starts_with("--") && equals != std::string::npos) {
    const ManualOption* const option = find_option(place.command, typed.substr(0, equals));
    if (option == nullptr || option->value.empty()) return {};
    return values(*option, typed.substr(equals + 1), typed.substr(0, equals + 1));
  }
  Candidates out;
  if (typed.starts_with("-")) {
    add_options(place, out);
  } else {
    add_commands(*place.app, out);
    const auto& positionals = place.command.positionals;
    if (!positionals.empty()) {
      const std::size_t at = std::min(place.positionals, positionals.size() - 1);
      if (at == place.positionals || positionals[at].is_repeatable) add_values(positionals[at], out);
    }
  }
  keep(out, typed);
  return out;
}

int complete_words(const std::vector<std::string>& words, const std::string& program) {
  CLI::App app;
  Command unused;
  build_command_line(app, unused, program);
  const std::string current = words.empty() ? "" : words.back();
  const auto before = std::span(words).first(words.empty() ? 0 : words.size() - 1);
  const Candidates found = complete(app, before, current);
  if (found.files) fmt::print(":files\n");
  if (found.folders && !found.files) fmt::print(":folders\n");
  for (const Candidate& one : found.words)
    fmt::print("{}\t{}\n", one.word, one.text.substr(0, one.text.find('\n')));
  return 0;
}

// ---- otasim completion

namespace {

constexpr const char* kBash =
    R"(# bash completion of otasim: source it, or install it as share/bash-completion/completions/otasim.
_otasim() {
  local line kind= words=() before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
  while IFS= read -r line; do
    case $line in
      :*) kind=$line ;;
      *) words+=("${line%%$'\t'*}") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete "${before[@]}" "${COMP_WORDS[COMP_CWORD]}" 2>/dev/null)
  local current=${COMP_WORDS[COMP_CWORD]}
  [ "$current" = = ] && current=
  COMPREPLY=("${words[@]}")
  case $kind in
    :files) compopt -o filenames 2>/dev/null; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$current") ;;
    :folders) compopt -o filenames 2>/dev/null; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$current") ;;
  esac
}
complete -F _otasim otasim
)";

constexpr const char* kZsh = R"(#compdef otasim
# zsh completion of otasim: install it as _otasim in a folder of $fpath.
_otasim() {
  local line kind= word
  local -a found
  while IFS= read -r line; do
    case $line in
      :*) kind=$line ;;
      *) word=${line%%$'\t'*}; found+=("${word//:/\\:}:${line#*$'\t'}") ;;
    esac
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT-1]}" "${words[CURRENT]}" 2>/dev/null)
  (( ${#found} )) && _describe -V otasim found
  case $kind in
    :files) _files ;;
    :folders) _files -/ ;;
  esac
}
if [ "$funcstack[1]" = _otasim ]; then _otasim "$@"; else compdef _otasim otasim; fi
)";

constexpr const char* kFish =
    R"(# fish completion of otasim: install it as otasim.fish in a folder of $fish_complete_path.
function __otasim_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete $words[2..] "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case :folders
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end
complete -c otasim -f -a '(__otasim_complete)'
)";

Result<void> print_script(const std::string& shell) {
  fmt::print("{}", shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish);
  return {};
}

}  // namespace

void add_completion(CLI::App& app, Command& command) {
  static std::string shell;
  CLI::App* completion = app.add_subcommand("completion", "Print a shell's completion script");
  completion->add_option("SHELL", shell, "Shell to complete in")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&command] { command = [] { return print_script(shell); }; });
}

}  // namespace otasim::cli
