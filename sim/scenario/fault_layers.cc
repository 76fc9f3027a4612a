#include "sim/scenario/fault_layers.h"

#include <fmt/format.h>

namespace otasim::scenario {
namespace {

using nlohmann::json;
using Undo = std::function<void()>;

std::string device_of(const Stage& stage, const json& arguments) {
  return arguments.value("device", stage.device_names().front());
}

}  // namespace

Result<Undo> carry_out(Stage& stage, const std::string& fault, const json& arguments,
                       const std::function<void(const std::string&)>& /*on_flash_damage*/) {
  if (fault == "device.power_cut") {
    stage.device(device_of(stage, arguments)).cut();
    return Undo{};
  }
  if (fault == "device.reset") {
    if (auto reset = stage.device(device_of(stage, arguments)).reset(); !reset)
      return tl::unexpected(reset.error());
    return Undo{};
  }
  return fail(ExitCode::kInternal, fmt::format("nobody carries out the fault '{}'", fault));
}

}  // namespace otasim::scenario
