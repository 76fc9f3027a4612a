#include "sim/device/device_fault.h"

#include <array>

namespace otasim::device {

std::string_view name_of(const DeviceFault& fault) {
  constexpr std::array<std::string_view, std::variant_size_v<DeviceFault>> kNames{
      "device.power_cut",
      "device.reset",
      "device.watchdog",
      "device.hang",
      "device.reset_at_instruction",
      "device.skip_instruction"};
  return kNames[fault.index()];
}

}  // namespace otasim::device
