// OTA updates' files and targets in the form AWS's API gives them (otaUpdateFiles, targets), as the store
// keeps them.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/cloud/ota_updates.h"

namespace otasim::cloud {

[[nodiscard]] nlohmann::json files_to_json(const std::vector<OtaUpdateFile>& files);
/// @returns nothing for what files_to_json() does not write
[[nodiscard]] std::optional<std::vector<OtaUpdateFile>> files_from_json(const nlohmann::json& json);

/// An object's texts; what is no text is left out.
[[nodiscard]] std::map<std::string, std::string> texts_from_json(const nlohmann::json& json);

/// Targets as the resource part of an ARN: `thing/NAME`, `thinggroup/NAME`.
[[nodiscard]] nlohmann::json targets_to_json(const std::vector<JobTarget>& targets);
[[nodiscard]] std::optional<std::vector<JobTarget>> targets_from_json(const nlohmann::json& json);

[[nodiscard]] nlohmann::json protocols_to_json(const std::vector<Protocol>& protocols);
[[nodiscard]] std::optional<std::vector<Protocol>> protocols_from_json(const nlohmann::json& json);

}  // namespace otasim::cloud
