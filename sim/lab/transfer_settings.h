// How a device's agent transfers, as people and files write it; pal_sim/provisioning has it as the device
// reads it.
//
//   {"protocol": "http", "block_size": 1024, "blocks_in_flight": 32, "blocks_per_request": 16,
//    "stream_format": "json", "start_next": true, "max_request_momentum": 32, "status_frequency": 64}
//
// Every member may be missing: then nothing is provisioned, and the device's own default holds. `protocol` is
// the one the device prefers for a job that offers both; the other one stays enabled.
#pragma once

#include "pal_sim/provisioning/provisioning.h"
#include "sim/base/json.h"
#include "sim/base/result.h"

namespace otasim::lab {

using provisioning::TransferSettings;

[[nodiscard]] nlohmann::json to_json(const TransferSettings& settings);

/// @param object  members it does not know are passed over
/// @returns kUsage, naming the member and what it may be, if one has another type or is out of its range
[[nodiscard]] Result<TransferSettings> transfer_settings_from(const nlohmann::json& object);

}  // namespace otasim::lab
