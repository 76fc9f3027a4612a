// Compares what a scenario expects with what its run left behind.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/scenario/evidence.h"
#include "sim/scenario/scenario.h"

namespace otasim::scenario {

/// Who refused an update, by the evidence of events: "pal", "agent", "bootloader", "tls", "cloud".
///
///   pal         a job FAILED with a status of the PAL as its reason (0x000000e0 to 0x000000ff)
///   agent       a job FAILED or REJECTED with another reason
///   bootloader  its report says that an image does not verify, that a staged one is rejected, or that what
///   was
///               verified reads differently when it is to start
///   tls         the device's application says that the server's certificate was refused
///   cloud       an update could not be created, or a device's request was rejected
[[nodiscard]] std::vector<std::string> who_refused(std::span<const nlohmann::json> events);

/// @returns what does not hold, each for people
[[nodiscard]] std::vector<std::string> judge(const Scenario& scenario, const Evidence& evidence);

}  // namespace otasim::scenario
