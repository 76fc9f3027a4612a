// From a fault's name and members to the layer that carries it out.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/base/result.h"
#include "sim/scenario/stage.h"

namespace otasim::scenario {

/// Begins a fault. @returns what ends it, which may be empty: nothing is left to end
///          kUsage   a member has no meaning here
///          kFailed  it cannot be done now, as things stand
[[nodiscard]] Result<std::function<void()>> carry_out(
    Stage& stage, const std::string& fault, const nlohmann::json& arguments,
    const std::function<void(const std::string& device)>& on_flash_damage);

}  // namespace otasim::scenario
