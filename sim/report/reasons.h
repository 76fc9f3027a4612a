// Reason strings, codes and console lines in words: takes apart what somebody has copied from a log, and
// finds its parts in the table (sim/report/glossary).
//
// The agent writes four forms of a job's reason (agent/src/job_status.h): "accepted  v1.2.3",
// "rejected: CODE", "aborted: CODE" and "CODE: FURTHER CODE". In the last one the first code is a main status
// of the platform (0xe0 to 0xee) or OtaErrJobParserError; in the others it is an OtaErr_t, or a platform's
// status in one word: the main status in the top byte, and what the platform says further below it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/report/glossary/glossary.h"

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

/// One part of a text, and what it means.
struct Explained {
  std::string part;  ///< as it stands in the text, or its code: "0xe3"
  const Topic* topic = nullptr;
  const Term* term = nullptr;
};

/// What is known of a text: a name, a code, a job's reason, a line of the console, a run's failure.
/// @returns nothing if no part of it is known
[[nodiscard]] std::vector<Explained> explain(std::string_view text);

}  // namespace otasim::report
