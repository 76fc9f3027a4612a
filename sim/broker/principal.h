// What the mirror tells the plugin of a certificate (`otasim/principal/<fingerprint>`): the things it is
// attached to and the policies that it has. A certificate that is not told of, or with an empty payload, gets
// nobody in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/broker/iot_policy.h"

namespace otasim::broker {

struct Principal {
  std::vector<std::string> things = {};
  std::vector<IotPolicy> policies = {};

  /// The thing that a client with this id is; empty if it is none of the principal's.
  [[nodiscard]] std::string thing_of(std::string_view client_id) const;
  /// Whether it may connect with this id.
  [[nodiscard]] bool may_connect(const std::string& client_id) const;
};

/// @param policies  documents
[[nodiscard]] std::string principal_payload(const std::vector<std::string>& things,
                                            const std::vector<std::string>& policies);
/// @returns nothing for an empty payload, and for what principal_payload() does not write
[[nodiscard]] std::optional<Principal> parse_principal_payload(std::string_view payload);

}  // namespace otasim::broker
