// The words of the fault plan: one object with one member, the fault's name.
//
//   {"link.loss": {"device": "thing-1", "probability": 0.03}}
#pragma once

#include "sim/scenario/shape.h"

namespace otasim::scenario {

/// The table of all faults.
[[nodiscard]] const Shape& fault_shape();

}  // namespace otasim::scenario
