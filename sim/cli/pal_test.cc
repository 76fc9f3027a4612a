#include "sim/cli/pal_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/cli/run_folder.h"
#include "sim/crypto/certificate.h"
#include "sim/lab/firmware.h"
#include "sim/report/junit.h"
#include "sim/scenario/pal_test_run.h"

namespace otasim::cli {
namespace {

using report::JunitCase;
using report::UnityCase;

/// What the test program is signed as; nothing else knows it.
constexpr const char* kVersion = "0.9.1";
constexpr std::size_t kLastLines = 10;

Result<std::vector<std::uint8_t>> read_signer(const std::string& file, const std::string& default_der) {
  if (file.empty()) return read_file(default_der);
  const auto pem = lab::read_input(file);
  if (!pem) return tl::unexpected(pem.error());
  const auto certificate = crypto::Certificate::from_pem(std::string(pem->begin(), pem->end()));
  if (!certificate) {
    return fail(certificate.error().code, fmt::format("'{}' is {}", file, certificate.error().message));
  }
  return certificate->der();
}

Result<scenario::PalTestPlan> make_plan(const PalTestOptions& options) {
  scenario::PalTestPlan plan;
  plan.board = options.board;
  plan.limit_seconds = options.timeout_seconds;
  auto products = lab::BuildProducts::find(options.board);
  if (!products) return tl::unexpected(products.error());
  plan.products = std::move(*products);
  const auto test = lab::find_pal_test(options.board);
  if (!test) return tl::unexpected(test.error());
  auto image = lab::make_firmware({.elf = options.elf.empty() ? test->elf : options.elf, .version = kVersion},
                                  *lab::find_board(options.board), plan.products);
  if (!image) return tl::unexpected(image.error());
  plan.image = std::move(*image);
  auto signer = read_signer(options.signer, test->signer);
  if (!signer) return tl::unexpected(signer.error());
  plan.signer = std::move(*signer);
  plan.on_line = [&options](std::string_view line, bool is_result) {
    std::FILE* const out = is_result && !options.json ? stdout : stderr;
    fmt::print(out, "{}\n", line);
    std::fflush(out);
  };
  return plan;
}

/// What is wrong with the run, empty if nothing is.
std::string problem_of(const scenario::PalTestOutcome& outcome) {
  return outcome.problem.empty() ? outcome.report.problem() : outcome.problem;
}

JunitCase::Result junit_result(UnityCase::Result result) {
  switch (result) {
    case UnityCase::Result::kPassed:
      return JunitCase::Result::kPassed;
    case UnityCase::Result::kIgnored:
      return JunitCase::Result::kSkipped;
    case UnityCase::Result::kFailed:
      break;
  }
  return JunitCase::Result::kFailed;
}

std::string junit_of(const PalTestOptions& options, const scenario::PalTestOutcome& outcome) {
  report::JunitSuite suite{.name = fmt::format("otasim.pal-test.{}", options.board),
                           .wall_ms = outcome.wall_ms};
  for (const UnityCase& one : outcome.report.cases()) {
    suite.cases.push_back({one.group, one.name, junit_result(one.result), one.message});
  }
  // A group that did not come to its end must not look like a shorter one that passed.
  const std::string problem = problem_of(outcome);
  if (!problem.empty() && outcome.report.count(UnityCase::Result::kFailed) == 0) {
    suite.cases.push_back({"otasim", "pal-test", JunitCase::Result::kError, problem});
  }
  for (const std::string& line : outcome.console) suite.output += line + '\n';
  return junit_xml(suite);
}

nlohmann::json json_of(const PalTestOptions& options, const scenario::PalTestOutcome& outcome) {
  nlohmann::json cases = nlohmann::json::array();
  for (const UnityCase& one : outcome.report.cases()) {
    cases.push_back({{"group", one.group},
                     {"name", one.name},
                     {"passed", one.result == UnityCase::Result::kPassed},
                     {"message", one.message}});
  }
  const std::string problem = problem_of(outcome);
  return {{"board", options.board},
          {"passed", problem.empty()},
          {"problem", problem},
          {"wall_ms", outcome.wall_ms},
          {"cases", cases}};
}

Result<void> verdict(const scenario::PalTestOutcome& outcome) {
  const std::string problem = problem_of(outcome);
  if (problem.empty()) return {};
  if (outcome.report.is_complete()) return fail(ExitCode::kFailed, "the PAL does not qualify: " + problem);
  std::string hint = "The device's last lines:";
  const std::size_t skip = outcome.console.size() - std::min(outcome.console.size(), kLastLines);
  for (std::size_t i = skip; i < outcome.console.size(); ++i) hint += "\n  " + outcome.console[i];
  if (outcome.console.empty()) hint = "The device printed nothing.";
  return fail(ExitCode::kFailed, "the PAL's tests did not end: " + problem, hint);
}

}  // namespace

Result<void> pal_test(const PalTestOptions& options) {
  if (auto good = check_result_file("--junit", options.junit); !good) return good;
  const auto plan = make_plan(options);
  if (!plan) return tl::unexpected(plan.error());
  const auto outcome = scenario::run_pal_test(*plan);
  if (!outcome) return tl::unexpected(outcome.error());
  if (!options.junit.empty()) {
    if (auto written = write_file_atomic(options.junit, junit_of(options, *outcome)); !written)
      return written;
  }
  if (options.json) fmt::print("{}\n", json_of(options, *outcome).dump());
  std::fflush(stdout);
  return verdict(*outcome);
}

}  // namespace otasim::cli
