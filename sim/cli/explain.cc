// `otasim explain`: codes, names, console lines and whole runs in words.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <set>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/json_members.h"
#include "sim/cli/command.h"
#include "sim/report/findings.h"
#include "sim/report/reasons.h"
#include "sim/scenario/fault_catalog.h"

namespace otasim::cli {
namespace {

using nlohmann::json;
using report::Explained;

constexpr std::size_t kSuggestions = 5;

struct ExplainOptions {
  std::vector<std::string> reasons;
  std::string topic;
  std::string run;
  bool json = false;
};

std::string code_of(const report::Topic& topic, const report::Term& term) {
  if (!term.code) return {};
  return topic.is_hex && *term.code >= 0 ? fmt::format("{:#04x}", *term.code) : fmt::format("{}", *term.code);
}

json json_of(const report::Topic& topic, const report::Term& term) {
  json value{{"topic", topic.name}, {"name", term.name},        {"meaning", term.meaning},
             {"cause", term.cause}, {"look_at", json::array()}, {"where", topic.where}};
  if (term.code) value["code"] = *term.code;
  std::string_view hints = term.look_at;
  while (!hints.empty()) {
    const std::size_t end = std::min(hints.find('\n'), hints.size());
    value["look_at"].push_back(hints.substr(0, end));
    hints.remove_prefix(std::min(end + 1, hints.size()));
  }
  return value;
}

json json_of(const std::vector<Explained>& words) {
  json list = json::array();
  for (const Explained& one : words) {
    list.push_back(json_of(*one.topic, *one.term));
    list.back()["part"] = one.part;
  }
  return list;
}

/// A heading and several lines, of which the later ones stand below the first.
void print_lines(std::string_view heading, std::string_view lines, const std::string& run) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    std::string line(lines.substr(0, end));
    const std::size_t place = line.ends_with(" RUN") ? line.size() - 3 : line.find(" RUN ");
    if (!run.empty() && line.starts_with("otasim ") && place != std::string::npos)
      line.replace(line.find("RUN", place), 3, run);
    fmt::print("  {:<10}{}\n", heading, line);
    heading = "";
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

void print_term(const report::Topic& topic, const report::Term& term, const std::string& run = {}) {
  const std::string code = code_of(topic, term);
  fmt::print("{}{}\n", term.name, code.empty() ? "" : fmt::format(" ({})", code));
  print_lines("means", term.meaning, run);
  print_lines("likely", term.cause, run);
  print_lines("look at", term.look_at, run);
  print_lines("topic", fmt::format("{}: {}", topic.name, topic.title), run);
}

/// A fault of the catalogue by name: they have words of their own there.
const scenario::FaultKind* find_fault(std::string_view name) {
  for (const scenario::FaultKind& kind : scenario::fault_catalog()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

/// One reason. @returns false if nothing is known of it
bool explain_one(const std::string& text, bool as_json, json& all) {
  const std::vector<Explained> words = report::explain(text);
  const scenario::FaultKind* const fault = find_fault(text);
  if (words.empty() && fault == nullptr) return false;
  if (as_json) {
    json one{{"text", text}, {"explained", json_of(words)}};
    if (fault != nullptr)
      one["explained"].push_back({{"topic", "fault"}, {"name", fault->name}, {"meaning", fault->doc}});
    all.push_back(std::move(one));
    return true;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) fmt::print("\n");
    print_term(*words[i].topic, *words[i].term);
  }
  if (fault != nullptr) {
    fmt::print("{}\n", fault->name);
    print_lines("means", fault->doc, {});
    print_lines("topic", "fault: what can be made to go wrong (docs/faults.md)", {});
  }
  return true;
}

Error unknown(const std::string& text) {
  std::string hint;
  std::set<std::string_view> names;
  for (const report::Found& one : report::nearest(text, kSuggestions)) {
    if (names.insert(one.term->name).second)
      hint += fmt::format("\n  {} ({})", one.term->name, one.topic->name);
  }
  return {ExitCode::kUsage, fmt::format("nothing is known of '{}'", text),
          hint.empty() ? "otasim explain, without more, lists the topics there are." : "Did you mean" + hint};
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// A reason may have been given without quotes, so that the shell made several words of it.
Result<void> explain_reasons(const ExplainOptions& options) {
  json all = json::array();
  const bool is_one = explain_one(joined(options.reasons), options.json, all);
  if (!is_one) {
    if (options.reasons.size() == 1) return tl::unexpected(unknown(options.reasons.front()));
    for (std::size_t i = 0; i < options.reasons.size(); ++i) {
      if (i != 0 && !options.json) fmt::print("\n");
      if (!explain_one(options.reasons[i], options.json, all))
        return tl::unexpected(unknown(options.reasons[i]));
    }
  }
  if (options.json) fmt::print("{}\n", all.dump());
  return {};
}

Result<void> list_topics(bool as_json) {
  if (as_json) {
    json all = json::array();
    for (const report::Topic& topic : report::topics())
      all.push_back({{"topic", topic.name},
                     {"title", topic.title},
                     {"where", topic.where},
                     {"terms", topic.terms.size()}});
    fmt::print("{}\n", all.dump());
    return {};
  }
  for (const report::Topic& topic : report::topics()) fmt::print("{:<18} {}\n", topic.name, topic.title);
  fmt::print("\notasim explain --topic TOPIC lists one; otasim explain WORD, CODE or LINE explains it.\n");
  return {};
}

Result<void> list_topic(const ExplainOptions& options) {
  const report::Topic& topic = *report::find_topic(options.topic);
  json all = json::array();
  if (!options.json) fmt::print("{}: {}\nmet in: {}\n\n", topic.name, topic.title, topic.where);
  for (const report::Term& term : topic.terms) {
    if (options.json) {
      all.push_back(json_of(topic, term));
      continue;
    }
    const std::string code = code_of(topic, term);
    fmt::print("{}{}\n    {}\n", term.name, code.empty() ? "" : " " + code, term.meaning);
  }
  if (options.json) fmt::print("{}\n", all.dump());
  return {};
}

// ---- runs

json json_of(const report::RunFindings& found, const std::string& folder) {
  json failures = json::array();
  for (const report::Failure& failure : found.failures)
    failures.push_back({{"text", failure.text}, {"explained", json_of(failure.words)}});
  json findings = json::array();
  for (const report::Finding& one : found.findings) {
    findings.push_back({{"t_us", one.t_us},
                        {"device", one.device},
                        {"what", one.what},
                        {"count", one.count},
                        {"explained", json_of(one.words)}});
  }
  return {
      {"run", folder},        {"name", found.name},   {"result", found.result},    {"repeat", found.repeat},
      {"failures", failures}, {"findings", findings}, {"left_out", found.left_out}};
}

/// A text, and below it what each part means; what was told before is not told again.
void print_words(const std::vector<Explained>& words, std::set<const report::Term*>& told) {
  for (const Explained& one : words) {
    if (!told.insert(one.term).second) continue;
    fmt::print("             {}: {}\n", one.term->name, one.term->meaning);
    if (!one.term->cause.empty()) fmt::print("               likely: {}\n", one.term->cause);
  }
}

/// What to look at, of all that was found, each hint once.
void print_hints(const report::RunFindings& found, const std::string& folder) {
  std::set<std::string_view> told;
  const auto print = [&](const std::vector<Explained>& words) {
    for (const Explained& one : words) {
      std::string_view hints = one.term->look_at;
      while (!hints.empty()) {
        const std::size_t end = std::min(hints.find('\n'), hints.size());
        const std::string_view hint = hints.substr(0, end);
        hints.remove_prefix(std::min(end + 1, hints.size()));
        // One's own command again, or one that the words above have answered.
        if (hint.starts_with("otasim explain ") || !told.insert(hint).second) continue;
        print_lines(told.size() == 1 ? "look at" : "", hint, folder);
      }
    }
  };
  for (const report::Failure& failure : found.failures) print(failure.words);
  for (const report::Finding& one : found.findings) print(one.words);
  print_lines(told.empty() ? "look at" : "", "otasim report open RUN", folder);
  if (!found.repeat.empty()) fmt::print("  {:<10}{}\n", "repeat", found.repeat);
}

void print(const report::RunFindings& found, const std::string& folder) {
  fmt::print("{}: {}\n", found.name.empty() ? folder : found.name,
             found.result.empty() ? "not finished" : found.result);
  std::set<const report::Term*> told;
  for (const report::Failure& failure : found.failures) {
    fmt::print("\n  {}\n", failure.text);
    print_words(failure.words, told);
  }
  if (!found.findings.empty()) fmt::print("\nWhat went otherwise than usual, in order:\n");
  for (const report::Finding& one : found.findings) {
    fmt::print("  {:8.3f} {}{}{}\n", static_cast<double>(one.t_us) / 1e6,
               one.device.empty() ? "" : one.device + ": ", one.what,
               one.count == 1 ? "" : fmt::format(" ({} times)", one.count));
    print_words(one.words, told);
  }
  if (found.left_out != 0) fmt::print("  and {} more\n", found.left_out);
  fmt::print("\n");
  print_hints(found, folder);
}

Result<json> explain_run(const std::string& folder, bool as_json) {
  const auto found = report::read_findings(folder);
  if (!found) return tl::unexpected(found.error());
  if (!as_json) print(*found, folder);
  return as_json ? json_of(*found, folder) : json();
}

/// Of a cell that did not come so far as to have a log: what its result says.
json explain_unplayed(const json& cell, bool as_json) {
  const std::string name =
      fmt::format("{}/{}/{}", text_member(cell, "scenario").value_or("?"),
                  text_member(cell, "board").value_or("?"), text_member(cell, "data").value_or("?"));
  const std::string result = text_member(cell, "result").value_or("not played");
  const std::string reason = text_member(cell, "reason").value_or("");
  if (!as_json) fmt::print("{}: {}\n\n  {}\n", name, result, reason.empty() ? "no reason is given" : reason);
  return {{"name", name}, {"result", result}, {"reason", reason}};
}

/// Where the run of a matrix's cell is: a matrix that was copied from another machine has it beside itself.
std::string run_folder_of(const json& cell, const std::string& matrix) {
  std::string run = text_member(cell, "run").value_or("");
  std::error_code ignored;
  if (run.empty() || std::filesystem::exists(run, ignored)) return run;
  return (std::filesystem::path(matrix) / std::filesystem::path(run).filename()).string();
}

/// A matrix: each of its runs that did not pass.
Result<json> explain_matrix(const std::string& folder, const json& matrix, bool as_json) {
  json runs = json::array();
  const auto cells = matrix.find("cells");
  if (cells == matrix.end() || !cells->is_array())
    return fail(ExitCode::kUsage, fmt::format("{}/matrix.json has no cells", folder),
                "Was it made by otasim matrix?");
  for (const json& cell : *cells) {
    if (!cell.is_object() || cell.value("result", json()) == "passed") continue;
    if (!runs.empty() && !as_json) fmt::print("\n");
    const std::string run = run_folder_of(cell, folder);
    if (!std::filesystem::exists(run + "/events.jsonl")) {
      runs.push_back(explain_unplayed(cell, as_json));
      continue;
    }
    auto one = explain_run(run, as_json);
    if (!one) return one;
    runs.push_back(std::move(*one));
  }
  if (runs.empty() && !as_json) fmt::print("{}: all runs have passed\n", folder);
  return runs;
}

Result<void> explain_folder(const ExplainOptions& options) {
  auto found = Result<json>(json());
  if (const auto bytes = read_file(options.run + "/matrix.json")) {
    const json matrix = json::parse(*bytes, nullptr, false);
    if (!matrix.is_object())
      return fail(ExitCode::kUsage, fmt::format("{}/matrix.json is no JSON object", options.run),
                  "Was it cut off?");
    found = explain_matrix(options.run, matrix, options.json);
  } else {
    found = explain_run(options.run, options.json);
  }
  if (!found) return tl::unexpected(found.error());
  if (options.json) fmt::print("{}\n", found->dump());
  return {};
}

Result<void> explain(const ExplainOptions& options) {
  if (!options.run.empty()) return explain_folder(options);
  if (!options.topic.empty()) return list_topic(options);
  return options.reasons.empty() ? list_topics(options.json) : explain_reasons(options);
}

std::vector<std::string> topic_names() {
  std::vector<std::string> names;
  for (const report::Topic& topic : report::topics()) names.emplace_back(topic.name);
  return names;
}

}  // namespace

void add_explain(CLI::App& app, Command& command) {
  static ExplainOptions options;
  CLI::App* explain_command =
      app.add_subcommand("explain", "Say what a reason, code, name, log line or run means");
  CLI::Option* reasons = explain_command->add_option(
      "REASON", options.reasons, "What to explain: a job's reason, a code, a name, a line of the console");
  CLI::Option* topic = explain_command->add_option("--topic", options.topic, "List all of a topic's terms")
                           ->check(CLI::IsMember(topic_names()))
                           ->excludes(reasons);
  explain_command->add_option("--run", options.run, "Explain what went wrong in a run's or matrix's folder")
      ->excludes(reasons)
      ->excludes(topic);
  explain_command->add_flag("--json", options.json, "Print JSON on stdout");
  explain_command->callback([&command] { command = [] { return explain(options); }; });
}

}  // namespace otasim::cli
