#include "sim/scenario/board_needs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/flash/back_end.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

/// @param fault  an object with one member, its name
std::optional<std::string> why_not(const json& fault, const lab::Board& board) {
  const std::string& name = fault.begin().key();
  flash_file::Support support = flash_file::support_of(board.flash, name);
  const std::string kind = fault.begin().value().value("kind", "");
  for (const auto known : {flash::OpKind::kLock, flash::OpKind::kOtpLock}) {
    if (support.is_possible && name.starts_with("flash.") && kind == flash_file::to_string(known))
      support = flash_file::support_of(board.flash, known);
  }
  if (support.is_possible) return std::nullopt;
  return fmt::format("{}{} is not possible there: {}", name,
                     kind.empty() ? "" : fmt::format(" of the kind '{}'", kind), support.note);
}

}  // namespace

std::optional<std::string> why_not(const Scenario& scenario, const lab::Board& board) {
  for (const std::string& need : scenario.needs) {
    if (std::ranges::find(board.capabilities, need) == board.capabilities.end())
      return fmt::format("it needs the capability '{}'", need);
  }
  for (const json& fault : scenario.faults) {
    if (auto reason = why_not(fault, board)) return reason;
  }
  for (const Step& step : scenario.steps) {
    if (step.name != "fault") continue;
    if (auto reason = why_not(step.arguments, board)) return reason;
  }
  return std::nullopt;
}

}  // namespace otasim::scenario
