// Who is connected, and as which thing.
//
// Identity is the client certificate: its fingerprint names a principal, and the mirror tells what the
// principal may do (principal.h). A connection is known by Mosquitto's handle and gets a number of its own,
// so that a client id that is taken over does not receive what its predecessor asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sim/broker/principal.h"
#include "sim/broker/rate_limit.h"

namespace otasim::broker {

/// Mosquitto's handle of a connection; never followed.
using ClientHandle = const void*;

/// Why a connection ended, in AWS's words: what the plugin did itself, or what Mosquitto's log says
/// (disconnect_log.h).
enum class EndReason {
  kUnknown,
  kClientInitiatedDisconnect,
  kConnectionLost,
  kKeepAliveTimeout,
  kClientError,
  kDuplicateClientId,
  kForbiddenAccess,
  kServerInitiatedDisconnect,
};
[[nodiscard]] const char* to_string(EndReason reason);

struct Connection {
  std::uint64_t number = 0;
  std::string client_id;
  std::string thing;  ///< whose name the client id is and which the certificate is attached to; else empty
  std::string fingerprint;
  EndReason end_reason = EndReason::kUnknown;
  std::set<std::string> subscriptions = {};
  TokenBucket messages{kMessagesPerSecond};
  TokenBucket bytes{kBytesPerSecond};
};

class ClientTable {
 public:
  /// @param first_number  of the first connection; the others follow
  explicit ClientTable(std::uint64_t first_number = 1) : next_number_(first_number) {}

  /// Sets what a principal may do; nothing: it is not known, or no longer.
  /// @returns the client ids connected by it that may be so no longer, or are another thing now: they must be
  ///          disconnected
  std::vector<std::string> set_principal(const std::string& fingerprint, std::optional<Principal> principal);
  /// Null if it is not known.
  [[nodiscard]] const Principal* principal(const std::string& fingerprint) const;
  /// Whether a connection's policies allow it an action.
  [[nodiscard]] bool allows(const Connection& connection, std::string_view action,
                            std::string_view resource) const;

  /// Notes a new connection and that it takes over an older one with its client id.
  Connection& add(ClientHandle handle, const std::string& client_id, const std::string& thing,
                  const std::string& fingerprint);
  /// Notes why a connection is about to end.
  void set_end_reason(ClientHandle handle, EndReason reason);
  void set_end_reason(const std::string& client_id, EndReason reason);
  /// Forgets a connection. @returns what was known of it
  std::optional<Connection> remove(ClientHandle handle);

  [[nodiscard]] Connection* find(ClientHandle handle);
  /// Remembers a connection that has ended but whose session goes on: messages are kept for it.
  void remember_session(Connection connection);
  /// What is known of a client that is away, or null.
  [[nodiscard]] Connection* find_session(const std::string& client_id);
  /// The connection that is alive under a client id, or null.
  [[nodiscard]] Connection* find_alive(const std::string& client_id);

 private:
  std::unordered_map<std::string, Principal> principals_;  ///< by fingerprint
  std::unordered_map<ClientHandle, Connection> connections_;
  std::unordered_map<std::string, ClientHandle> alive_;   ///< by client id
  std::unordered_map<std::string, Connection> sessions_;  ///< by client id: of those who are away
  std::uint64_t next_number_;
};

}  // namespace otasim::broker
