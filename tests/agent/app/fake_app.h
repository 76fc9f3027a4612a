// What the application's parts ask of the world around them: the board's console and clock, and the agent's
// ear.
//
// Linked into tests instead of a board and of the agent: what is logged and signalled can be read here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/include/ota.h"

namespace app::test {

struct World {
  std::string console;
  std::vector<OtaEventMsg_t> events;
  bool queue_is_full = false;  ///< events are refused
  std::uint32_t now_ms = 0;
};

/// Of the running test; reset() makes it new.
[[nodiscard]] World& world();
void reset_world();

}  // namespace app::test
