// Reason strings of jobs in words: what the code in "rejected: 0x10" or "0xe3000000: 0x0" is called, what it
// means and where to look.
//
// The agent writes four forms (agent/src/job_status.h): "accepted  v1.2.3", "rejected: CODE", "aborted: CODE"
// and "CODE: FURTHER CODE". A code below 0x80 is an OtaErr_t; above, its top byte is a main status of the PAL
// and the rest the port's own. The names are those of agent/include; a test compares them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace otasim::report {

struct CodeWords {
  std::string_view name;     ///< "OtaErrSameFirmwareVersion"
  std::string_view meaning;  ///< one sentence
  std::string_view look_at;  ///< what to look at; may be empty
};

/// @returns nothing (an empty name) for a code that nobody has given a name
[[nodiscard]] CodeWords explain_code(std::uint32_t code);

/// The whole reason in words. @returns an empty text if no part of it is known: it may be anybody's
[[nodiscard]] std::string explain_reason(std::string_view reason);

}  // namespace otasim::report
