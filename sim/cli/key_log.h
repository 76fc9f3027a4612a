// `--keylog` of the commands that start a lab: where the TLS secrets go, and what is said about them.
#pragma once

#include <string>

namespace otasim::cli {

/// The key log in the folder of a run or a lab.
[[nodiscard]] std::string key_log_of(const std::string& folder);

/// Tells on stderr that there is a key log, what it opens, and how to read the captures with it.
void tell_key_log(const std::string& folder);

}  // namespace otasim::cli
