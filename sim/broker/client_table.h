// Who is connected, and as which thing.
//
// Identity is the client certificate: its fingerprint names a principal, and the mirror tells which thing the
// principal is attached to. A connection is known by Mosquitto's handle and gets a number of its own, so that
// a client id that is taken over does not receive what its predecessor asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace otasim::broker {

/// Mosquitto's handle of a connection; never followed.
using ClientHandle = const void*;

/// Why a connection ended, in AWS's words. Mosquitto 2.0.11 does not tell its plugins whether a client said
/// goodbye, fell silent or was cut off; what the plugin did itself it knows.
enum class EndReason { kUnknown, kDuplicateClientId, kForbiddenAccess, kServerInitiatedDisconnect };
[[nodiscard]] const char* to_string(EndReason reason);

struct Connection {
  std::uint64_t number = 0;
  std::string client_id;
  std::string thing;
  std::string fingerprint;
  EndReason end_reason = EndReason::kUnknown;
};

class ClientTable {
 public:
  /// @param first_number  of the first connection; the others follow
  explicit ClientTable(std::uint64_t first_number = 1) : next_number_(first_number) {}

  /// Attaches a principal to a thing, or detaches it (empty thing).
  /// @returns the client ids connected under the principal's former thing, which must be disconnected
  std::vector<std::string> set_principal(const std::string& fingerprint, const std::string& thing);
  [[nodiscard]] std::optional<std::string> thing_of(const std::string& fingerprint) const;

  /// Notes a new connection and that it takes over an older one with its client id.
  const Connection& add(ClientHandle handle, const std::string& client_id, const std::string& thing,
                        const std::string& fingerprint);
  /// Notes why a connection is about to end.
  void set_end_reason(ClientHandle handle, EndReason reason);
  void set_end_reason(const std::string& client_id, EndReason reason);
  /// Forgets a connection. @returns what was known of it
  std::optional<Connection> remove(ClientHandle handle);

  [[nodiscard]] const Connection* find(ClientHandle handle) const;
  /// The connection that is alive under a client id, or null.
  [[nodiscard]] const Connection* find_alive(const std::string& client_id) const;

 private:
  std::unordered_map<std::string, std::string> things_;  ///< by fingerprint
  std::unordered_map<ClientHandle, Connection> connections_;
  std::unordered_map<std::string, ClientHandle> alive_;  ///< by client id
  std::uint64_t next_number_;
};

}  // namespace otasim::broker
