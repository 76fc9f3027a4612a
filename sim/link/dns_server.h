// The lab's name server: it knows the lab's own names and nothing else.
//
// It gets the UDP payload of a query and returns that of the answer. A known name has the host's address (A);
// asked for anything else (AAAA), it exists but has no such record. Other names do not exist. Names are
// compared without regard to case. A query is one question without compression; one that is malformed after
// a readable header is answered FORMERR, and without such a header not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/link/ethernet.h"

namespace otasim::link {

inline constexpr std::uint32_t kDnsTimeToLiveSeconds = 60;

struct DnsReply {
  std::vector<std::uint8_t> payload{};
  std::string name{};              ///< what was asked for, lower case, printable; empty if malformed
  bool answered = false;           ///< an address was given
  bool asked_for_address = false;  ///< the question is well-formed and for an A record
};

/// What a forger answers instead.
struct DnsForgery {
  std::optional<Ipv4Address> address{};  ///< of every name; empty: no name exists
  std::uint32_t ttl_s = 0;               ///< how long the client may keep the address
};

class DnsServer {
 public:
  explicit DnsServer(const std::vector<std::string>& host_names);

  [[nodiscard]] std::optional<DnsReply> answer(Bytes query,
                                               const std::optional<DnsForgery>& forgery = {}) const;

 private:
  std::set<std::string> host_names_;
};

}  // namespace otasim::link
