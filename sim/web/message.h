// What the page says to the lab: one JSON object a WebSocket message.
//
//   {"type": "hello", "log": "", "after": 0}          the first one: which events it has already
//   {"type": "watch", "device": "thing-1"}            whose flash it wants to see; "": nobody's
//   {"type": "command", "id": 7, "command": "device.cut", "arguments": {"name": "thing-1"}}
//
// Whatever else comes is no message, and ends the connection. docs/web.md has both directions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "sim/base/result.h"
#include "sim/control/protocol.h"

namespace otasim::web {

inline constexpr std::size_t kMaxMessageBytes = std::size_t{16} * 1024;

struct Hello {
  std::string log;          ///< which start of the lab the numbers are of; empty: none
  std::uint64_t after = 0;  ///< the last event it has
};

struct Watch {
  std::string device;
};

struct CommandMessage {
  std::int64_t id = 0;  ///< the answer has it, too
  control::Request request;
};

using Message = std::variant<Hello, Watch, CommandMessage>;

/// @returns kUsage for what is no message
[[nodiscard]] Result<Message> parse_message(std::string_view text);

}  // namespace otasim::web
