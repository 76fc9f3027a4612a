#include "sim/cli/sweep_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "pal_sim/flash/flash_map.h"
#include "sim/flash/flash_fault.h"
#include "sim/report/junit.h"
#include "sim/scenario/library.h"

namespace otasim::cli {
namespace {

using nlohmann::json;
using sweep::CutKind;

constexpr const char* kGranularities[] = {"op", "torn", "byte"};

std::string_view place_of(const flash::LoggedOperation& operation) {
  if (operation.kind == flash::OpKind::kOtpProgram || operation.kind == flash::OpKind::kOtpLock) return "otp";
  for (const flash::Partition& partition : flash::kPartitions) {
    if (partition.contains(operation.offset, 1)) return partition.name;
  }
  return "none";
}

double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

json counts_of(const sweep::SweepCounts& counts, double seconds) {
  return {{"cases", counts.cases},
          {"boots", counts.boots},
          {"distinct_states", counts.distinct_states},
          {"failures", counts.failures},
          {"seconds", seconds},
          {"cases_per_s", per_second(counts.cases, seconds)},
          {"boots_per_s", per_second(counts.boots, seconds)}};
}

json failures_of(const SweptRecording& swept) {
  json failures = json::array();
  for (const sweep::CaseFailure& failure : swept.result.failures) {
    failures.push_back({{"recording", swept.name},
                        {"case", to_string(failure.path)},
                        {"violations", failure.violations},
                        {"consoles", failure.consoles},
                        {"repeat", swept.repeat_command(failure.path)}});
  }
  return failures;
}

json recording_of(const SweptRecording& swept) {
  json value = counts_of(swept.result.counts, swept.result.seconds);
  value.update({{"recording", swept.name},
                {"run", swept.folder},
                {"board", swept.board},
                {"operations", swept.operations.size()},
                {"cuts", swept.plan.cuts},
                {"granularity", kGranularities[static_cast<std::size_t>(swept.plan.granularity)]},
                {"seed", swept.plan.seed},
                {"complete", !swept.result.was_interrupted}});
  return value;
}

json operations_of(const SweptRecording& swept) {
  json operations = json::array();
  for (std::size_t i = 0; i < swept.operations.size(); ++i) {
    const flash::LoggedOperation& operation = swept.operations[i];
    const sweep::OperationResult& result = swept.result.operations[i];
    json cases = json::object();
    json failures = json::object();
    for (std::size_t kind = 0; kind < sweep::kCutKinds; ++kind) {
      const std::string name(to_string(static_cast<CutKind>(kind)));
      if (result.cases[kind] != 0) cases[name] = result.cases[kind];
      if (result.failures[kind] != 0) failures[name] = result.failures[kind];
    }
    if (result.later_cases != 0) cases["later"] = result.later_cases;
    if (result.later_failures != 0) failures["later"] = result.later_failures;
    operations.push_back({{"operation", i},
                          {"sequence", operation.sequence},
                          {"kind", flash_file::to_string(operation.kind)},
                          {"source", flash_file::to_string(operation.source)},
                          {"partition", place_of(operation)},
                          {"offset", operation.offset},
                          {"length", operation.length},
                          {"cases", std::move(cases)},
                          {"failures", std::move(failures)}});
  }
  return operations;
}

report::JunitCase junit_case(const SweptRecording& swept, const std::string& name,
                             const std::vector<std::size_t>& operations) {
  std::uint32_t cases = 0;
  std::uint32_t failures = 0;
  for (const std::size_t i : operations) {
    const sweep::OperationResult& result = swept.result.operations[i];
    for (const std::uint32_t count : result.cases) cases += count;
    for (const std::uint32_t count : result.failures) failures += count;
    cases += result.later_cases;
    failures += result.later_failures;
  }
  report::JunitCase one{
      .class_name = fmt::format("{}.{}.power-cut", swept.board, swept.name),
      .name = name,
      .properties = {{"operations", std::to_string(operations.size())}, {"cases", std::to_string(cases)}}};
  if (failures == 0) return one;
  one.result = report::JunitCase::Result::kFailed;
  one.message = fmt::format("{} of {} cases failed", failures, cases);
  for (const sweep::CaseFailure& failure : swept.result.failures) {
    if (std::ranges::find(operations, failure.path.front().operation) == operations.end()) continue;
    one.output += fmt::format("{}: {}\n  repeat: {}\n", to_string(failure.path),
                              fmt::join(failure.violations, "; "), swept.repeat_command(failure.path));
  }
  return one;
}

report::JunitCase junit_case(const std::string& recording, const CompletedCase& result) {
  report::JunitCase one{
      .class_name = fmt::format("{}.power-cut-completed", recording),
      .name = fmt::format("{}{}", result.wanted.name(), result.wanted.is_delivered ? "" : " undelivered"),
      .properties = {{"repeat", result.repeat}}};
  if (result.failures.empty()) return one;
  one.result = report::JunitCase::Result::kFailed;
  one.message = fmt::format("{}", fmt::join(result.failures, "\n"));
  return one;
}

}  // namespace

std::string SweptRecording::repeat_command(const sweep::CutPath& path) const {
  return fmt::format("otasim sweep power-cut --recording {} --board {} --granularity {} --seed {} --case {}",
                     scenario::shell_word(folder), board,
                     kGranularities[static_cast<std::size_t>(plan.granularity)], plan.seed, to_string(path));
}

json summary_of(const std::vector<SweptRecording>& swept) {
  sweep::SweepCounts all;
  double seconds = 0;
  json recordings = json::array();
  json failures = json::array();
  bool is_complete = true;
  for (const SweptRecording& one : swept) {
    all.cases += one.result.counts.cases;
    all.boots += one.result.counts.boots;
    all.distinct_states += one.result.counts.distinct_states;
    all.failures += one.result.counts.failures;
    seconds += one.result.seconds;
    is_complete = is_complete && !one.result.was_interrupted;
    recordings.push_back(recording_of(one));
    for (json& failure : failures_of(one)) failures.push_back(std::move(failure));
  }
  json value = counts_of(all, seconds);
  value["complete"] = is_complete;
  value["recordings"] = std::move(recordings);
  value["failed_cases"] = std::move(failures);
  return value;
}

json data_of(const std::vector<SweptRecording>& swept) {
  json value = summary_of(swept);
  for (std::size_t i = 0; i < swept.size(); ++i) value["recordings"][i]["results"] = operations_of(swept[i]);
  return value;
}

std::string junit_of(const std::vector<SweptRecording>& swept, const std::vector<Completions>& completions) {
  report::JunitSuite suite{.name = "otasim.sweep"};
  for (const SweptRecording& one : swept) {
    suite.wall_ms += static_cast<std::int64_t>(one.result.seconds * 1000);
    std::map<std::string, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < one.operations.size(); ++i) {
      const flash::LoggedOperation& operation = one.operations[i];
      if (sweep::cell_bytes(operation) == 0) continue;
      groups[fmt::format("{} {} {}", flash_file::to_string(operation.source),
                         flash_file::to_string(operation.kind), place_of(operation))]
          .push_back(i);
    }
    for (const auto& [name, operations] : groups) suite.cases.push_back(junit_case(one, name, operations));
  }
  for (const Completions& one : completions) {
    suite.wall_ms += static_cast<std::int64_t>(one.seconds * 1000);
    for (const CompletedCase& result : one.cases) suite.cases.push_back(junit_case(one.recording, result));
  }
  return junit_xml(suite);
}

}  // namespace otasim::cli
