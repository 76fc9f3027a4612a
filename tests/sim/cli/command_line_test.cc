// The command line as a tree: every command explains itself, every example parses, and what is made from the
// tree (manual page, docs/commands.md, completion) is whole. Command lines in the documentation parse, too.
#include "sim/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "program.h"
#include "sim/base/temp_dir.h"
#include "sim/cli/completion.h"
#include "sim/cli/manual.h"
#include "sim/report/glossary/glossary.h"

namespace otasim::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// Its options' values are the commands' own and outlive it: what parses anything does so in a process apart
/// (parse_apart()).
class Tree {
 public:
  Tree() { build_command_line(app_, chosen_, "otasim"); }

  /// @returns why it does not parse; empty: it does, or asks for help
  std::string parse(std::vector<std::string> words) {
    std::ranges::reverse(words);  // as CLI11 wants them
    try {
      app_.parse(words);
    } catch (const CLI::Success&) {
      return {};
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return chosen_ ? "" : "no command was chosen";
  }
  [[nodiscard]] const CLI::App& app() const { return app_; }

 private:
  CLI::App app_;
  Command chosen_;
};

/// As the program would, in a process of its own. @returns why it does not parse
std::string parse_apart(const std::vector<std::string>& words) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    Tree tree;
    const std::string problem = tree.parse(words);
    const auto written = write(pipe_ends[1], problem.data(), problem.size());
    _exit(written == static_cast<ssize_t>(problem.size()) ? 0 : 1);
  }
  close(pipe_ends[1]);
  std::string problem;
  char buffer[512];
  for (ssize_t got = 0; (got = read(pipe_ends[0], buffer, sizeof buffer)) > 0;)
    problem.append(buffer, static_cast<std::size_t>(got));
  close(pipe_ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) return "the parser has died";
  return problem;
}

std::vector<ManualCommand> manual() {
  const Tree tree;
  return read_manual(tree.app());
}

/// The words of a line, as a shell makes them, up to the first that belongs to the shell itself; a comment is
/// none.
std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool has_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      has_word = true;
    } else if (c == ' ') {
      if (has_word) words.push_back(word);
      word.clear();
      has_word = false;
    } else if (!has_word && (c == '|' || c == '>' || c == '#' || c == '&' || c == ';' || c == '<')) {
      return words;
    } else if (c == '2' && !has_word && line.substr(i, 2) == "2>") {
      return words;
    } else if (c == ';' || c == ')') {
      break;
    } else {
      word += c;
      has_word = true;
    }
  }
  if (has_word) words.push_back(word);
  return words;
}

/// A folder with what examples name: some options ask for folders that exist.
class ExampleFolder {
 public:
  ExampleFolder() : folder_(*TempDir::create()), before_(fs::current_path()) {
    for (const char* name :
         {"RUN", "FOLDER", "r", "otasim-lab", "otasim-runs/RUN", "sweep/recordings/OTAE2EImageCrashed"})
      fs::create_directories(folder_.path() / name);
    fs::current_path(folder_.path());
  }
  ~ExampleFolder() { fs::current_path(before_); }
  ExampleFolder(const ExampleFolder&) = delete;
  ExampleFolder& operator=(const ExampleFolder&) = delete;

 private:
  TempDir folder_;
  fs::path before_;
};

bool is_runnable(const ManualCommand& command) {
  return !command.has_commands;
}

TEST(CommandLine, EveryCommandAndOptionIsExplained) {
  const auto commands = manual();
  EXPECT_GT(commands.size(), 40U);
  for (const ManualCommand& command : commands) {
    EXPECT_FALSE(command.text.empty()) << command.path;
    for (const auto* options : {&command.positionals, &command.options}) {
      for (const ManualOption& option : *options) {
        EXPECT_FALSE(option.text.empty()) << command.path << ' ' << option.value;
      }
    }
  }
}

TEST(CommandLine, EveryCommandHasExamplesThatParse) {
  const ExampleFolder folder;
  for (const ManualCommand& command : manual()) {
    if (!is_runnable(command)) continue;
    EXPECT_FALSE(command.examples.empty()) << command.path;
    for (const std::string& example : command.examples) {
      EXPECT_THAT(example, StartsWith(command.path)) << "an example of another command";
      auto words = shell_words(example);
      ASSERT_FALSE(words.empty());
      words.erase(words.begin());
      EXPECT_EQ(parse_apart(words), "") << example;
    }
  }
}

TEST(CommandLine, HelpShowsTheExamples) {
  const Tree tree;
  const std::string help = tree.app().get_subcommand("run")->help();
  EXPECT_THAT(help, HasSubstr("Examples:\n  otasim run "));
  EXPECT_THAT(help, HasSubstr("Exit codes:"));
}

/// What prints a script, a page or a schema already prints data; a debugger speaks with people.
TEST(CommandLine, EveryCommandSpeaksJson) {
  const std::set<std::string> own_format{"otasim completion", "otasim debug", "otasim man",
                                         "otasim scenario schema"};
  for (const ManualCommand& command : manual()) {
    if (!is_runnable(command) || own_format.contains(command.path)) continue;
    const bool has_json = std::ranges::any_of(
        command.options, [](const ManualOption& option) { return option.names.back() == "--json"; });
    EXPECT_TRUE(has_json) << command.path;
  }
}

TEST(CommandLine, MistakesAreUsageErrors) {
  const auto code = [](const std::vector<std::string>& arguments) {
    const auto folder = TempDir::create();
    return test::run(arguments, {}, folder->path().string()).code;
  };
  EXPECT_EQ(code({"no-such-command"}), 2);
  EXPECT_EQ(code({}), 2);
  for (const ManualCommand& command : manual()) {
    if (command.path == "otasim") continue;
    auto words = shell_words(command.path);
    words.erase(words.begin());
    words.emplace_back("--no-such-option");
    EXPECT_NE(parse_apart(words), "") << command.path;
  }
  EXPECT_EQ(code({"explain", "--run", "/no/such/folder"}), 2);
  EXPECT_EQ(code({"explain", "qqqqqqqq"}), 2);
}

// ---- the manual

std::string read_text(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

const fs::path& source() {
  static const fs::path folder(OTASIM_SOURCE);
  return folder;
}

TEST(Manual, DocsCommandsIsUpToDate) {
  EXPECT_EQ(manual_markdown(manual()), read_text(source() / "docs/commands.md"))
      << "write it anew: scripts/otasim man --markdown > docs/commands.md";
}

TEST(Manual, PageNamesEveryCommandAndOption) {
  const std::string page = manual_page(manual(), "0.0.0", "2026-01-31");
  for (const ManualCommand& command : manual()) {
    if (command.path == "otasim") continue;
    std::string name = command.path.substr(command.path.find(' ') + 1);
    name = std::regex_replace(name, std::regex("-"), "\\-");
    EXPECT_THAT(page, HasSubstr(".SS " + name + "\n"));
    for (const ManualOption& option : command.options) {
      EXPECT_THAT(page, HasSubstr(std::regex_replace(option.names.back(), std::regex("-"), "\\-")));
    }
  }
}

/// Runs a shell's command; what it prints on both streams.
std::string output_of(const std::string& command, int* code = nullptr) {
  std::FILE* const pipe = popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  std::string text;
  char buffer[4096];
  for (std::size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, got);
  const int status = pclose(pipe);
  if (code != nullptr) *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return text;
}

TEST(Manual, PageHasNoWarnings) {
  const auto folder = TempDir::create();
  const std::string page = folder->file("otasim.1");
  std::ofstream(page) << manual_page(manual(), "0.0.0", "2026-01-31");
  EXPECT_EQ(output_of("mandoc -Tlint -W warning " + page), "");
  EXPECT_EQ(output_of("groff -ww -man -Tutf8 -Kutf8 " + page + " >" + folder->file("out")), "");
  EXPECT_THAT(read_text(folder->file("out")), HasSubstr("all that was judged has passed"));
}

// ---- completion

std::vector<std::string> words_of(const Candidates& found) {
  std::vector<std::string> words;
  for (const Candidate& one : found.words) words.push_back(one.word);
  return words;
}

std::vector<std::string> completed(const std::vector<std::string>& words, const std::string& current) {
  const Tree tree;
  return words_of(complete(tree.app(), words, current));
}

TEST(Completion, KnowsCommandsOptionsAndTheirValues) {
  EXPECT_THAT(completed({}, "exp"), ElementsAre("explain"));
  EXPECT_THAT(completed({"flash"}, ""), ElementsAre("show", "diff", "dump", "corrupt", "at"));
  EXPECT_THAT(completed({"run"}, "--bo"), ElementsAre("--board"));
  EXPECT_THAT(completed({"run", "--board"}, "mps2-an50"), ElementsAre("mps2-an500", "mps2-an505"));
  EXPECT_THAT(completed({"run", "--board"}, "emcraft-sf2,mps2-an521"), ElementsAre("emcraft-sf2,mps2-an521"));
  EXPECT_THAT(completed({"run"}, "--data=h"), ElementsAre("--data=http"));
  EXPECT_THAT(completed({"run", "--data", "="}, "h"), ElementsAre("http")) << "as bash splits it";
  EXPECT_THAT(completed({"explain", "--topic"}, "image-v"), ElementsAre("image-verdict"));
  EXPECT_THAT(completed({"explain"}, "OtaErrSame"), ElementsAre("OtaErrSameFirmwareVersion"));
  EXPECT_THAT(completed({"run", "--fault"}, "link.lo"), ElementsAre("link.loss"));
  EXPECT_THAT(completed({"run", "--seed"}, ""), IsEmpty());
  EXPECT_THAT(completed({"no-such"}, "--no-such-"), IsEmpty());
  EXPECT_THAT(completed({}, "__"), IsEmpty()) << "hidden";
}

TEST(Completion, OffersRunsTheNewestFirst) {
  const ExampleFolder folder;
  fs::create_directories("otasim-runs/20260101T000000Z-demo");
  fs::create_directories("otasim-runs/20260102T000000Z-demo");
  EXPECT_THAT(completed({"report", "open"}, "otasim-runs/2026"),
              ElementsAre("otasim-runs/20260102T000000Z-demo", "otasim-runs/20260101T000000Z-demo"));
}

TEST(Completion, AsksForFilesWhereAFileIsWanted) {
  const Tree tree;
  const std::vector<std::string> words{"image", "sign", "--elf"};
  EXPECT_TRUE(complete(tree.app(), words, "").files);
  EXPECT_FALSE(complete(tree.app(), std::vector<std::string>{"run", "--seed"}, "").files);
  EXPECT_TRUE(complete(tree.app(), std::vector<std::string>{"explain", "--run"}, "").folders);
}

/// Scripts and program in one folder, first in PATH.
class Shells : public ::testing::Test {
 protected:
  Shells() : folder_(*TempDir::create()) {
    fs::create_symlink(OTASIM_PROGRAM, folder_.path() / "otasim");
    for (const char* shell : {"bash", "zsh", "fish"}) {
      std::ofstream(folder_.file(shell)) << test::run({"completion", shell}).out;
    }
    std::ofstream(folder_.file("image.elf"));
  }
  /// What a shell prints that runs this script in the folder.
  std::string run(const std::string& shell, const std::string& script) {
    std::ofstream(folder_.file("script")) << script;
    return output_of("cd " + folder_.path().string() +
                     " && PATH=$PWD:$PATH HOME=$PWD XDG_DATA_HOME=$PWD TERM=dumb " + shell +
                     " script </dev/null");
  }
  /// COMPREPLY of bash for these words, the last to be completed.
  std::string bash(const std::string& words, int last) {
    return run("bash", "set -u\nsource ./bash\nCOMP_WORDS=(" + words + ")\nCOMP_CWORD=" +
                           std::to_string(last) + "\n_otasim\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
  }

  TempDir folder_;
};

TEST_F(Shells, BashCompletes) {
  EXPECT_EQ(bash("otasim run --bo", 2), "--board\n");
  EXPECT_EQ(bash("otasim run --board mps2-an50", 3), "mps2-an500\nmps2-an505\n");
  EXPECT_EQ(bash("otasim flash ''", 2), "show\ndiff\ndump\ncorrupt\nat\n");
  EXPECT_EQ(bash("otasim image sign --elf im", 4), "image.elf\n");
  EXPECT_EQ(run("bash", "source ./bash; complete -p otasim"), "complete -F _otasim otasim\n");
}

TEST_F(Shells, FishCompletes) {
  EXPECT_EQ(run("fish", "source ./fish\ncomplete -C 'otasim run --board mps2-an50'"),
            "mps2-an500\nmps2-an505\n");
  EXPECT_THAT(run("fish", "source ./fish\ncomplete -C 'otasim exp'"), StartsWith("explain\tSay what"));
  EXPECT_THAT(run("fish", "source ./fish\ncomplete -C 'otasim image sign --elf im'"), HasSubstr("image.elf"));
}

/// zsh completes in its line editor only; what the function hands to it is caught.
TEST_F(Shells, ZshCompletes) {
  const std::string caught =
      "compdef() { }\n_describe() { print -l -- ${${(P)3}%%:*} }\n_files() { print FILES $@ }\n";
  const auto zsh = [&](const std::string& words, int current) {
    return run("zsh -f", caught + "source ./zsh\nwords=(" + words + ")\nCURRENT=" + std::to_string(current) +
                             "\n_otasim\n");
  };
  EXPECT_EQ(zsh("otasim run --bo", 3), "--board\n");
  EXPECT_EQ(zsh("otasim run --board mps2-an50", 4), "mps2-an500\nmps2-an505\n");
  EXPECT_EQ(zsh("otasim image sign --elf im", 5), "FILES\n");
  EXPECT_EQ(run("zsh -fn", "source ./zsh"), "");
}

// ---- documentation

std::vector<fs::path> documents() {
  std::vector<fs::path> found;
  const std::set<std::string> skipped{"build", ".deps", ".git", "otasim-runs"};
  for (fs::recursive_directory_iterator at(source()), end; at != end; ++at) {
    if (at->is_directory() && skipped.contains(at->path().filename().string()))
      at.disable_recursion_pending();
    if (at->path().extension() == ".md") found.push_back(at->path());
  }
  return found;
}

/// A heading's place in its page, as web views make it.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
        static_cast<unsigned char>(c) >= 0x80) {
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (c == ' ' || c == '-') {
      anchor += '-';
    }
  }
  return anchor;
}

std::set<std::string> anchors_in(const std::string& text) {
  std::set<std::string> anchors;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t hashes = line.find_first_not_of('#');
    if (hashes != std::string::npos && hashes > 0 && line[hashes] == ' ')
      anchors.insert(anchor_of(line.substr(hashes + 1)));
  }
  return anchors;
}

TEST(Docs, LinksLeadSomewhere) {
  const std::regex link(R"(\]\(([^)\s]+)\))");
  std::size_t count = 0;
  for (const fs::path& path : documents()) {
    const std::string text = read_text(path);
    for (std::sregex_iterator at(text.begin(), text.end(), link); at != std::sregex_iterator(); ++at) {
      const std::string target = (*at)[1];
      if (target.find("://") != std::string::npos || target.starts_with("mailto:")) continue;
      const std::size_t hash = target.find('#');
      const fs::path file = hash == 0 ? path : path.parent_path() / target.substr(0, hash);
      ++count;
      EXPECT_TRUE(fs::exists(file)) << path << ": " << target;
      if (hash == std::string::npos || file.extension() != ".md" || !fs::exists(file)) continue;
      EXPECT_THAT(anchors_in(read_text(file)), Contains(target.substr(hash + 1))) << path << ": " << target;
    }
  }
  EXPECT_GT(count, 100U);
}

/// Lines of the documentation that a reader may paste: in a block, and beginning with the program. Names in
/// capitals stand for something else; a line with "..." is not whole.
TEST(Docs, CommandLinesParse) {
  const ExampleFolder folder;
  std::size_t count = 0;
  for (const fs::path& path : documents()) {
    std::istringstream lines(read_text(path));
    bool in_block = false;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("```")) in_block = !in_block;
      const std::size_t begin = line.find_first_not_of(" $");
      if (!in_block || begin == std::string::npos) continue;
      std::string text = line.substr(begin);
      if (text.starts_with("- run: ")) text.erase(0, 7);
      if (!text.starts_with("scripts/otasim ") && !text.starts_with("otasim ")) continue;
      if (text.find("...") != std::string::npos || text.ends_with("\\")) continue;
      if (text.starts_with("otasim OTA update") || text.find(" | ") != std::string::npos) continue;
      text = std::regex_replace(text, std::regex("otasim-runs/[^ ]+"), "RUN");
      auto words = shell_words(text);
      words.erase(words.begin());
      if (words.empty() || words[0].ends_with(":")) continue;  // what otasim says
      EXPECT_EQ(parse_apart(words), "") << path << ": " << text;
      ++count;
    }
  }
  EXPECT_GT(count, 40U);
}

}  // namespace
}  // namespace otasim::cli
