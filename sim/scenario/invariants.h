// What must hold after every run, whatever was done to the device (the design's invariants):
//
//   S1  within three clean boots the device starts an approved image, or is in its documented fail-safe mode
//   S2  no image starts whose bytes in raw flash the host cannot verify
//   S3  no application starts whose security counter is below the highest committed before
//   S4  a job SUCCEEDED only if its image was approved, and no job FAILED whose image is running
//   S5  nothing is programmed onto cells that are not erased, nothing is written outside boot control,
//       calendar, slots and OTP, and the erases are bounded; the op log accounts for every byte of flash
//   S6  provisioning, recovery slot and OTP change in no other way than by a burn, which only clears bits
//   L2  repeated boots converge
#pragma once

#include <set>
#include <string>
#include <vector>

#include "sim/scenario/evidence.h"

namespace otasim::scenario {

/// @param waived  names of invariants that are not judged
/// @returns what does not hold, each beginning with the invariant's name
[[nodiscard]] std::vector<std::string> broken_invariants(const Evidence& evidence,
                                                         const std::set<std::string>& waived);

}  // namespace otasim::scenario
