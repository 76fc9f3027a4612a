// A command's end of the control socket: one request to the lab that runs in a folder, and its answer.
//
//   auto result = call_lab("otasim-lab", {"device.list"});
//   auto result = call_lab(folder, {"job.watch", {{"id", id}}}, [](const nlohmann::json& part) { ... });
//
// Waits until the lab has answered.
#pragma once

#include <functional>
#include <string>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/control/protocol.h"

namespace otasim::control {

/// @param on_output  called for each part of the answer before its end
/// @returns the result; the lab's error; kEnvironment if no lab runs in the folder, or it ends meanwhile
[[nodiscard]] Result<nlohmann::json> call_lab(
    const std::string& lab_folder, const Request& request,
    const std::function<void(const nlohmann::json&)>& on_output = {});

}  // namespace otasim::control
