#include "sim/broker/disconnect_log.h"

#include <array>
#include <fstream>

namespace otasim::broker {

namespace {

struct Sentence {
  std::string_view before;  ///< the client id
  std::string_view after;
  EndReason reason;
};

constexpr std::array kSentences{
    Sentence{"Client ", " disconnected.", EndReason::kClientInitiatedDisconnect},
    Sentence{"Client ", " has exceeded timeout, disconnecting.", EndReason::kKeepAliveTimeout},
    Sentence{"Client ", " closed its connection.", EndReason::kConnectionLost},
    Sentence{"Client ", " disconnected due to malformed packet.", EndReason::kClientError},
    Sentence{"Client ", " disconnected due to protocol error.", EndReason::kClientError},
    Sentence{"Client ", " disconnected due to oversize packet.", EndReason::kClientError},
    Sentence{"Client ", " disconnected, not authorised.", EndReason::kForbiddenAccess},
    Sentence{"Bad socket read/write on client ", "", EndReason::kConnectionLost},
};

/// `1700000000: text`
std::string_view without_time(std::string_view line) {
  const std::size_t digits = line.find_first_not_of("0123456789");
  if (digits == std::string_view::npos || !line.substr(digits).starts_with(": ")) return line;
  return line.substr(digits + 2);
}

}  // namespace

EndReason end_reason_in(std::string_view line, std::string_view client_id) {
  for (const Sentence& sentence : kSentences) {
    std::string_view rest = line;
    if (!rest.starts_with(sentence.before)) continue;
    rest.remove_prefix(sentence.before.size());
    if (!rest.starts_with(client_id)) continue;
    rest.remove_prefix(client_id.size());
    if (sentence.after.empty() ? rest.starts_with(": ") : rest == sentence.after) return sentence.reason;
  }
  return EndReason::kUnknown;
}

EndReason DisconnectLog::read_reason(std::string_view client_id) {
  EndReason reason = EndReason::kUnknown;
  if (path_.empty()) return reason;
  std::ifstream log(path_, std::ios::binary);
  log.seekg(offset_);
  for (std::string line; std::getline(log, line);) {
    if (log.eof()) break;  // not yet whole
    offset_ += static_cast<std::int64_t>(line.size()) + 1;
    const EndReason told = end_reason_in(without_time(line), client_id);
    if (told != EndReason::kUnknown) reason = told;
  }
  return reason;
}

}  // namespace otasim::broker
