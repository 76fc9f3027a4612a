// The lab's control protocol: how `otasim` tells a running lab what to do.
//
// One request for each connection to the lab's unix socket, JSON objects, one a line:
//
//   -> {"command": "device.list", "arguments": {...}}
//   <- {"output": {...}}                                     none or more, for commands that go on
//   <- {"result": {...}}                                     or
//   <- {"error": {"code": "usage", "message": "...", "hint": "..."}}
//
// A client keeps the connection open, in both directions, until it has the last line; to give up it closes
// it. `docs/lab.md` lists the commands.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/base/result.h"

namespace otasim::control {

/// Of a request's line; the answers' lines are not bounded.
inline constexpr std::size_t kMaxRequestBytes = std::size_t{64} * 1024;

struct Request {
  std::string command;
  nlohmann::json arguments = nlohmann::json::object();
};

/// @returns kUsage for a line that is no request
[[nodiscard]] Result<Request> parse_request(std::string_view line);

/// A line with its end. Bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string to_line(const nlohmann::json& message);
[[nodiscard]] nlohmann::json error_message(const Error& error);

/// The error in an answer's `error` member, whatever that is.
[[nodiscard]] Error parse_error(const nlohmann::json& error);

}  // namespace otasim::control
