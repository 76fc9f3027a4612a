// One event as one line for people: what it says beside its time, source and device.
//
// Text in it came from devices and networks. Control characters are written as \x1b, so that a terminal shows
// a line and does not act on it.
#pragma once

#include <string>
#include <string_view>

#include "sim/base/json.h"

namespace otasim::report {

/// Text that a terminal does not act on: without C0 and C1 control characters.
[[nodiscard]] std::string printable_text(std::string_view text);

/// "program 256 bytes in slot-b at 0x200000, agent: ok". Members that no sentence was made for follow the
/// event's name: "dhcp_ack address=10.0.2.15".
[[nodiscard]] std::string event_text(const nlohmann::json& event);

}  // namespace otasim::report
