// The reference texts against what they describe: docs/scenario-format.md against the format's tables,
// docs/faults.md against the catalog of faults, docs/scenarios.md against the scenarios there are. Rows are
// made here from the tables, so a row that is missing or differs is shown as it should stand in the text.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "sim/base/file_io.h"
#include "sim/flash/back_end.h"
#include "sim/scenario/fault_catalog.h"
#include "sim/scenario/json_text.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/shape.h"

namespace otasim::scenario {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAreArray;
using testing::StartsWith;

using Lines = std::vector<std::string>;

constexpr const char* kNothing = "–";
/// From here on a range is no limit that a reader has to know.
constexpr double kUnlimited = 1e9;

// ---- a text and its tables

Lines lines_of(const std::string& file) {
  const auto bytes = read_file(std::string(OTASIM_DOCS) + '/' + file);
  EXPECT_TRUE(bytes.has_value()) << file;
  if (!bytes) return {};
  std::istringstream text(std::string(bytes->begin(), bytes->end()));
  Lines lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

/// The rows of the first table below a heading, without the table's own head.
Lines table_below(const Lines& lines, const std::string& heading) {
  auto at = std::ranges::find(lines, heading);
  EXPECT_NE(at, lines.end()) << "there is no heading '" << heading << "'";
  if (at == lines.end()) return {};
  Lines rows;
  for (++at; at != lines.end() && !at->starts_with('#'); ++at) {
    if (at->starts_with('|')) rows.push_back(*at);
    if (!rows.empty() && !at->starts_with('|')) break;
  }
  rows.erase(rows.begin(), rows.begin() + std::min<std::ptrdiff_t>(2, std::ssize(rows)));
  return rows;
}

/// A row's cells; `\|` is no border.
Lines cells_of(const std::string& row) {
  Lines cells(1);
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (row[i] == '|' && row[i - 1] != '\\') {
      cells.emplace_back();
    } else {
      cells.back() += row[i];
    }
  }
  cells.pop_back();
  for (std::string& cell : cells) {
    const std::size_t begin = std::min(cell.find_first_not_of(' '), cell.size());
    cell = cell.substr(begin, cell.find_last_not_of(' ') + 1 - begin);
  }
  return cells;
}

/// As Markdown says it literally.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("|<$*").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// ---- the format's tables

std::string code_list(const std::vector<std::string_view>& values) {
  return fmt::format("`{}`", fmt::join(values, "`, `"));
}

std::string range_of(const Member& member) {
  if (member.min <= -kUnlimited) return {};
  if (member.max >= kUnlimited) return fmt::format(", at least {}", member.min);
  return fmt::format(", {} to {}", member.min, member.max);
}

std::string link_to(const Shape& shape) {
  if (&shape == &fault_shape()) return "[fault](faults.md)";
  return fmt::format("[{0}](#{0})", shape.name);
}

/// What a member may be, for people.
std::string value_of(const Member& member) {
  switch (member.kind) {
    case Kind::kText:
      return member.values.empty() ? "text" : code_list(member.values);
    case Kind::kInteger:
      return "whole number" + range_of(member);
    case Kind::kNumber:
      return "number" + range_of(member);
    case Kind::kFlag:
      return "true or false";
    case Kind::kScalar:
    case Kind::kAny:
      return "any JSON";
    case Kind::kObject:
      return link_to(*member.shape);
    case Kind::kList:
      return "list of " + link_to(*member.shape);
    case Kind::kMap:
      return "names, for each " + link_to(*member.shape);
    case Kind::kTexts:
      return member.values.empty() ? "list of texts" : "list of " + code_list(member.values);
    case Kind::kScalars:
      return "names and values";
  }
  return {};
}

std::string row_of(const Member& member) {
  return fmt::format("| `{}` | {}{} | {} |", member.name, value_of(member),
                     member.is_required ? ", required" : "", escaped(member.doc));
}

Lines rows_of(const std::vector<Member>& members) {
  Lines rows;
  for (const Member& member : members) rows.push_back(row_of(member));
  return rows;
}

/// Every shape that can be reached; what faults take stands in another text.
void collect(const Shape& shape, std::map<std::string, const Shape*>& shapes) {
  if (&shape == &fault_shape() || !shapes.emplace(shape.name, &shape).second) return;
  for (const auto* members : {&shape.members, &shape.common}) {
    for (const Member& member : *members) {
      if (member.shape != nullptr) collect(*member.shape, shapes);
    }
  }
}

TEST(FormatDocs, EachTableOfTheFormatStandsInTheReference) {
  const Lines lines = lines_of("scenario-format.md");
  std::map<std::string, const Shape*> shapes;
  collect(scenario_shape(), shapes);
  ASSERT_GT(shapes.size(), 20U);
  for (const auto& [name, shape] : shapes) {
    Lines rows = rows_of(shape->members);
    std::ranges::copy(rows_of(shape->common), std::back_inserter(rows));
    EXPECT_THAT(table_below(lines, "### " + name), ElementsAreArray(rows))
        << name << " should have:\n"
        << fmt::format("{}", fmt::join(rows, "\n"));
    const bool says_what_it_is = std::ranges::any_of(
        lines, [&](const std::string& line) { return line.starts_with(escaped(shape->doc)); });
    EXPECT_TRUE(says_what_it_is) << name << ": " << escaped(shape->doc);
  }
}

/// The JSON blocks of a text.
std::vector<std::string> examples_of(const Lines& lines) {
  std::vector<std::string> examples;
  bool is_inside = false;
  for (const std::string& line : lines) {
    if (line == "```jsonc") {
      examples.emplace_back();
      is_inside = true;
    } else if (line.starts_with("```")) {
      is_inside = false;
    } else if (is_inside) {
      examples.back() += line + '\n';
    }
  }
  return examples;
}

void expect_loads(const std::string& scenario, const std::string& path) {
  for (const char* data : {"mqtt", "http"}) {
    const auto loaded = Scenario::from_text(scenario, path, {.data = data});
    EXPECT_TRUE(loaded.has_value()) << loaded.error().message << '\n' << scenario;
  }
}

TEST(FormatDocs, TheFirstExampleIsAScenario) {
  const auto examples = examples_of(lines_of("scenario-format.md"));
  ASSERT_FALSE(examples.empty());
  expect_loads(examples.front(), "PowerFailsInDownload.jsonc");
}

TEST(FormatDocs, TheReferenceHasNoTableThatTheFormatHasNot) {
  std::map<std::string, const Shape*> shapes;
  collect(scenario_shape(), shapes);
  for (const std::string& line : lines_of("scenario-format.md")) {
    if (!line.starts_with("### ")) continue;
    EXPECT_TRUE(shapes.contains(line.substr(4))) << line;
  }
}

// ---- faults

/// The shape that files are checked with: a fault's own members behind those of all.
const Shape& shape_of(const FaultKind& fault) {
  return *std::ranges::find(fault_shape().members, fault.name, &Member::name)->shape;
}

/// What stands before a fault's own members: those of all, then those of a strike plan.
std::vector<Member> members_before_own(const FaultKind& fault) {
  const auto& all = shape_of(fault).members;
  return {all.begin(), all.end() - std::ssize(fault.members)};
}

const FaultKind& fault_named(std::string_view name) {
  return *std::ranges::find(fault_catalog(), name, &FaultKind::name);
}

/// Members that several faults share, under the name that the text gives them together.
struct Group {
  std::string name;
  Lines members;
  Lines rows;  ///< without the group's name
};

std::vector<Group> groups_of(const Lines& lines) {
  std::vector<Group> groups;
  for (const std::string& row : table_below(lines, "## Members that several have")) {
    const Lines cells = cells_of(row);
    if (groups.empty() || groups.back().name != cells[0]) groups.push_back({cells[0], {}, {}});
    groups.back().members.push_back(cells[1].substr(1, cells[1].size() - 2));
    groups.back().rows.push_back(row.substr(row.find('|', 1)));
  }
  return groups;
}

bool has_member(const FaultKind& fault, std::string_view name) {
  return std::ranges::find(fault.members, name, &Member::name) != fault.members.end();
}

bool has_all(const FaultKind& fault, const Group& group) {
  return std::ranges::all_of(group.members, [&](const std::string& name) { return has_member(fault, name); });
}

std::string item_of(const Member& member) {
  const std::string values = member.values.empty() ? "" : fmt::format(" ({})", code_list(member.values));
  return fmt::format("`{}`{}: {}", member.name, values, escaped(member.doc));
}

std::string own_members_of(const FaultKind& fault, const std::vector<Group>& groups) {
  Lines items;
  std::set<std::string_view> covered;
  for (const Group& group : groups) {
    if (!has_all(fault, group)) continue;
    items.push_back(group.name);
    covered.insert(group.members.begin(), group.members.end());
  }
  for (const Member& member : fault.members) {
    if (!covered.contains(member.name)) items.push_back(item_of(member));
  }
  return items.empty() ? kNothing : fmt::format("{}", fmt::join(items, "; "));
}

std::vector<std::string> scenario_files() {
  std::vector<std::string> files;
  for (const auto& file : fs::directory_iterator(OTASIM_SCENARIOS)) {
    if (file.path().extension() == ".jsonc") files.push_back(file.path().string());
  }
  std::ranges::sort(files);
  return files;
}

/// Scenarios that have each fault, by its name.
std::map<std::string, Lines> uses_of_faults() {
  std::map<std::string, Lines> uses;
  for (const std::string& file : scenario_files()) {
    const auto text = JsonText::read(file);
    EXPECT_TRUE(text.has_value()) << file;
    std::set<std::string> names;
    for (const json& fault : text->value().value("faults", json::array())) names.insert(fault.begin().key());
    for (const json& step : text->value().at("steps")) {
      if (step.contains("fault")) names.insert(step.at("fault").begin().key());
    }
    for (const std::string& name : names) uses[name].push_back(fs::path(file).stem().string());
  }
  return uses;
}

/// Behind the tables of the faults themselves.
constexpr const char* kBackEnds = "## What each board's flash can express";

/// The rows of faults, by name.
std::map<std::string, Lines> fault_rows(const Lines& lines) {
  std::map<std::string, Lines> rows;
  for (const std::string& line : lines) {
    if (line == kBackEnds) break;
    if (!line.starts_with("| `")) continue;
    Lines cells = cells_of(line);
    const std::string name = cells[0].substr(1, cells[0].size() - 2);
    if (name.find('.') == std::string::npos) continue;
    EXPECT_EQ(cells.size(), 5U) << line;
    EXPECT_TRUE(rows.emplace(name, cells).second) << name << " stands there twice";
  }
  return rows;
}

TEST(FaultDocs, EachFaultHasItsRow) {
  const Lines lines = lines_of("faults.md");
  const auto groups = groups_of(lines);
  const auto uses = uses_of_faults();
  auto rows = fault_rows(lines);
  for (const FaultKind& fault : fault_catalog()) {
    const std::string name(fault.name);
    const std::string members = own_members_of(fault, groups);
    const std::string counted = fault.counted.empty() ? kNothing : std::string(fault.counted);
    const auto used = uses.find(name);
    const std::string use = used == uses.end() ? kNothing : fmt::format("{}", fmt::join(used->second, ", "));
    const std::string row =
        fmt::format("| `{}` | {} | {} | {} | {} |", name, members, counted, escaped(fault.doc), use);
    const auto found = rows.find(name);
    if (found == rows.end() || found->second.size() != 5) {
      ADD_FAILURE() << "there should be:\n" << row;
      continue;
    }
    const Lines& cells = found->second;
    EXPECT_EQ(cells[1], members) << row;
    EXPECT_EQ(cells[2], counted) << row;
    EXPECT_THAT(cells[3], StartsWith(escaped(fault.doc))) << row;
    EXPECT_EQ(cells[4], use) << row;
    rows.erase(found);
  }
  for (const auto& [name, cells] : rows) ADD_FAILURE() << "there is no fault " << name;
}

std::string verdict_of(const flash_file::Support& support) {
  const std::string verdict = support.is_possible ? "yes" : "no";
  if (support.note.empty()) return verdict;
  return verdict + (support.is_possible ? "; " : ": ") + std::string(support.note);
}

TEST(FaultDocs, WhatEachBoardsFlashCanExpressIsThere) {
  Lines rows;
  for (const auto& row : flash_file::fault_support())
    rows.push_back(
        fmt::format("| `{}` | {} | {} |", row.fault, verdict_of(row.controller), verdict_of(row.spi_nor)));
  EXPECT_THAT(table_below(lines_of("faults.md"), kBackEnds), ElementsAreArray(rows))
      << fmt::format("{}", fmt::join(rows, "\n"));
}

TEST(FaultDocs, EveryFaultThatDependsOnTheFlashIsOne) {
  for (const auto& row : flash_file::fault_support()) EXPECT_EQ(fault_named(row.fault).name, row.fault);
}

TEST(FaultDocs, TheExampleCanBeArmed) {
  const auto examples = examples_of(lines_of("faults.md"));
  ASSERT_FALSE(examples.empty());
  expect_loads(R"({"name": "example", "title": "T", "images": {"factory": {"version": "1.0.0"}},)" +
                   examples.front() + R"(, "steps": [], "expect": {}})",
               "example.jsonc");
}

TEST(FaultDocs, MembersOfEachFaultAndOfAPlanAreThere) {
  const Lines lines = lines_of("faults.md");
  const std::vector<Member> common = members_before_own(fault_named("link.blackhole"));
  const std::vector<Member> with_plan = members_before_own(fault_named("link.loss"));
  ASSERT_LT(common.size(), with_plan.size());
  const std::vector<Member> plan(with_plan.begin() + std::ssize(common), with_plan.end());
  for (const auto& [heading, members] :
       {std::pair{"## Members of every fault", common}, std::pair{"## Which operations are struck", plan}}) {
    const Lines rows = rows_of(members);
    EXPECT_THAT(table_below(lines, heading), ElementsAreArray(rows))
        << fmt::format("{}", fmt::join(rows, "\n"));
  }
  const auto when = std::ranges::find(common, "when", &Member::name);
  ASSERT_NE(when, common.end());
  EXPECT_THAT(table_below(lines, "### trigger"), ElementsAreArray(rows_of(when->shape->members)));
  for (const FaultKind& fault : fault_catalog()) {
    const std::vector<Member> expected = fault.counted.empty() ? common : with_plan;
    EXPECT_THAT(rows_of(members_before_own(fault)), ElementsAreArray(rows_of(expected))) << fault.name;
  }
}

TEST(FaultDocs, SharedMembersAreTheSameInEachFaultThatHasThem) {
  const auto groups = groups_of(lines_of("faults.md"));
  ASSERT_FALSE(groups.empty());
  for (const Group& group : groups) {
    int users = 0;
    for (const FaultKind& fault : fault_catalog()) {
      if (!has_all(fault, group)) continue;
      ++users;
      for (std::size_t i = 0; i < group.members.size(); ++i) {
        const auto member = std::ranges::find(fault.members, group.members[i], &Member::name);
        EXPECT_EQ(group.rows[i], row_of(*member)) << fault.name;
      }
    }
    EXPECT_GT(users, 1) << group.name;
  }
}

// ---- scenarios

std::string reason_of(const json& job) {
  if (!job.contains("reason")) return {};
  const json& reason = job.at("reason");
  const std::string text = reason.is_string()           ? reason.get<std::string>()
                           : reason.contains("matches") ? reason.at("matches").get<std::string>()
                                                        : reason.dump();
  std::string in_table;
  for (const char c : text) in_table += c == '|' ? std::string("\\|") : std::string(1, c);
  return " `" + in_table + '`';
}

/// How its jobs end: one's status and reason, or each with its name.
std::string expected_of(const json& expect) {
  const json jobs = expect.value("jobs", json::array());
  Lines items;
  for (const json& job : jobs) {
    std::string who = job.at("job").get<std::string>();
    constexpr std::string_view kPrefix = "AFR_OTA-";
    if (who.starts_with(kPrefix)) who.erase(0, kPrefix.size());
    if (job.contains("device")) who = job.at("device").get<std::string>();
    items.push_back((jobs.size() > 1 ? who + ' ' : "") + job.at("status").get<std::string>() +
                    reason_of(job));
  }
  return items.empty() ? kNothing : fmt::format("{}", fmt::join(items, "; "));
}

std::string refused_by(const json& expect) {
  if (!expect.contains("refused_by")) return "not asked";
  const auto names = expect.at("refused_by").get<Lines>();
  return names.empty() ? "nobody" : fmt::format("{}", fmt::join(names, ", "));
}

std::string runs_over(const json& scenario) {
  const auto data = scenario.value("data", Lines{"mqtt", "http"});
  std::string text = fmt::format("{}", fmt::join(data, ", "));
  if (scenario.contains("needs"))
    text += fmt::format("; needs {}", fmt::join(scenario.at("needs").get<Lines>(), ", "));
  if (scenario.contains("boards"))
    text += fmt::format("; {} only", fmt::join(scenario.at("boards").get<Lines>(), ", "));
  if (scenario.value("slow", false)) text += "; slow";
  return text;
}

TEST(ScenarioDocs, EachScenarioHasItsRowInTheTableOfItsClass) {
  const Lines lines = lines_of("scenarios.md");
  std::map<std::string, std::set<std::string>> rows;
  for (const auto& [kind, heading] :
       {std::pair{"aws", "## The fourteen of AWS"}, std::pair{"aws-retired", "## Those that AWS retired"},
        std::pair{"own", "## Our own"}}) {
    const Lines table = table_below(lines, heading);
    rows[kind].insert(table.begin(), table.end());
    EXPECT_EQ(rows[kind].size(), table.size()) << "a row stands there twice";
  }
  for (const std::string& file : scenario_files()) {
    const auto text = JsonText::read(file);
    ASSERT_TRUE(text.has_value()) << file;
    const json& scenario = text->value();
    const json& expect = scenario.at("expect");
    const std::string row = fmt::format("| {} | {} | {} | {} | {} |", scenario.at("name").get<std::string>(),
                                        escaped(scenario.at("title").get<std::string>()), runs_over(scenario),
                                        expected_of(expect), refused_by(expect));
    const std::string kind = scenario.value("class", "own");
    EXPECT_EQ(rows[kind].erase(row), 1U) << "the table of " << kind << " should have:\n" << row;
  }
  for (const auto& [kind, left] : rows) {
    for (const std::string& row : left) ADD_FAILURE() << "this is no scenario as it is:\n" << row;
  }
}

}  // namespace
}  // namespace otasim::scenario
