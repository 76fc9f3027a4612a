// What AWS's own tools need to find the lab: `env.sh`, to be read by a shell.
//
//   . otasim-lab/env.sh
//   aws iot list-things
//
// It holds the lab's access key (mode 0600), and a shell function `aws` that names the lab's endpoint:
// versions of the command line before 2.13 do not know AWS_ENDPOINT_URL.
#pragma once

#include <cstdint>
#include <string>

#include "sim/base/result.h"
#include "sim/lab/lab.h"

namespace otasim::lab {

/// The lab's host as people on this machine are told of it: not every resolver knows names below `localhost`.
[[nodiscard]] std::string shown_host(const std::string& host);

/// @param host  where other machines find the lab; the endpoint's own name for this machine only
/// @returns `https://localhost:8443` and the like: a name that every resolver on the machine knows
[[nodiscard]] std::string aws_endpoint(const std::string& host, std::uint16_t https_port);

/// Writes `env.sh` into the lab's folder. @returns its path; kEnvironment if it cannot be written
[[nodiscard]] Result<std::string> write_aws_environment(const Lab& lab, const std::string& endpoint);

}  // namespace otasim::lab
