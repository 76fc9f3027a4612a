// Faults of the device: its power, its reset line, its processor, its flash.
#include <fmt/format.h>

#include "sim/scenario/fault_catalog.h"

namespace otasim::scenario {

std::vector<FaultKind> device_faults() {
  return {
      {.name = "device.power_cut",
       .doc = "The power is cut now; the step 'power' switches it on again.",
       .counted = "",
       .members = {},
       .begin = [](Stage& stage, const FaultArguments& arguments) -> Result<Undo> {
         stage.device(arguments.device()).cut();
         return Undo{};
       }},
      {.name = "device.reset",
       .doc = "The reset line is pulled.",
       .counted = "",
       .members = {},
       .begin = [](Stage& stage, const FaultArguments& arguments) -> Result<Undo> {
         if (auto reset = stage.device(arguments.device()).reset(); !reset)
           return tl::unexpected(reset.error());
         return Undo{};
       }},
  };
}

}  // namespace otasim::scenario
