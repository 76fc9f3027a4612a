// Why a client's connection ended, read from Mosquitto's own log.
//
// Mosquitto 2.0 does not tell its plugins whether a client said goodbye, fell silent or was cut off; it
// writes a sentence to its log just before it calls them. The plugin reads what was written since it last
// looked, on the same thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/broker/client_table.h"

namespace otasim::broker {

/// What a line of the log says of a client's end; kUnknown if it says nothing of it. @param line  without its
/// time
[[nodiscard]] EndReason end_reason_in(std::string_view line, std::string_view client_id);

class DisconnectLog {
 public:
  /// @param path  Mosquitto's log; empty: there is none, and every reason is unknown
  explicit DisconnectLog(std::string path) : path_(std::move(path)) {}

  /// The reason that the newest lines give for a client's end.
  [[nodiscard]] EndReason read_reason(std::string_view client_id);

 private:
  std::string path_;
  std::int64_t offset_ = 0;
};

}  // namespace otasim::broker
