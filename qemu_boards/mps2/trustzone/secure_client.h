// The application's side of the gateway: a call and its operands.
#pragma once

#include <cstdint>
#include <span>

#include "qemu_boards/mps2/trustzone/services.h"

namespace mps2 {

struct Answer {
  std::uint32_t result;
  std::uint32_t size;  ///< of what is in `out`
};

inline Answer ask(Service service, std::uint32_t value = 0, std::span<const std::uint8_t> in = {},
                  std::span<std::uint8_t> out = {}) {
  Call call{.value = value,
            .in = in.data(),
            .in_size = static_cast<std::uint32_t>(in.size()),
            .out = out.data(),
            .out_size = static_cast<std::uint32_t>(out.size())};
  const std::uint32_t result = secure_call(service, &call);
  return {result, call.out_size};
}

}  // namespace mps2
