#include "sim/scenario/recordable.h"

#include "sim/replay/coverage.h"
#include "sim/scenario/scenario_run.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

/// Its one member is its name.
Result<void> check_fault_object(const json& fault) {
  for (const auto& [name, arguments] : fault.items()) {
    if (auto possible = replay::check_fault(name); !possible) return possible;
  }
  return {};
}

}  // namespace

Result<void> check_recordable(const Scenario& scenario, const Cell& cell, const std::vector<json>& faults) {
  if (auto covered = replay::check_board(cell.board); !covered) return covered;
  if (kills_simulator(scenario)) {
    return fail(ExitCode::kUsage, "a run that kills the simulator cannot be recorded",
                "Its devices end with it, and QEMU then leaves no whole recording. Use `otasim run` without "
                "--record.");
  }
  for (const auto* list : {&scenario.faults, &faults}) {
    for (const json& fault : *list) {
      if (auto possible = check_fault_object(fault); !possible) return possible;
    }
  }
  for (const Step& step : scenario.steps) {
    if (step.name != "fault") continue;
    if (auto possible = check_fault_object(step.arguments); !possible) return possible;
  }
  return {};
}

}  // namespace otasim::scenario
