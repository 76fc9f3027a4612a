#include "sim/broker/client_table.h"

namespace otasim::broker {

namespace {

/// Client ids are clients' own choice; when there are more, those away lose what would be sent to them.
constexpr std::size_t kMaxSessions = 100'000;

}  // namespace

const char* to_string(EndReason reason) {
  switch (reason) {
    case EndReason::kUnknown:
      break;
    case EndReason::kClientInitiatedDisconnect:
      return "CLIENT_INITIATED_DISCONNECT";
    case EndReason::kConnectionLost:
      return "CONNECTION_LOST";
    case EndReason::kKeepAliveTimeout:
      return "MQTT_KEEP_ALIVE_TIMEOUT";
    case EndReason::kClientError:
      return "CLIENT_ERROR";
    case EndReason::kDuplicateClientId:
      return "DUPLICATE_CLIENTID";
    case EndReason::kForbiddenAccess:
      return "FORBIDDEN_ACCESS";
    case EndReason::kServerInitiatedDisconnect:
      return "SERVER_INITIATED_DISCONNECT";
  }
  return "UNKNOWN";
}

std::vector<std::string> ClientTable::set_principal(const std::string& fingerprint,
                                                    std::optional<Principal> principal) {
  std::vector<std::string> stale;
  for (const auto& [client_id, handle] : alive_) {
    const Connection& connection = connections_.at(handle);
    if (connection.fingerprint != fingerprint) continue;
    const bool goes_on =
        principal && principal->may_connect(client_id) && principal->thing_of(client_id) == connection.thing;
    if (!goes_on) stale.push_back(client_id);
  }
  if (principal) {
    principals_[fingerprint] = std::move(*principal);
  } else {
    principals_.erase(fingerprint);
  }
  return stale;
}

const Principal* ClientTable::principal(const std::string& fingerprint) const {
  const auto found = principals_.find(fingerprint);
  return found == principals_.end() ? nullptr : &found->second;
}

bool ClientTable::allows(const Connection& connection, std::string_view action,
                         std::string_view resource) const {
  const Principal* const known = principal(connection.fingerprint);
  return known != nullptr &&
         broker::allows(known->policies, action, resource, {connection.client_id, connection.thing});
}

Connection& ClientTable::add(ClientHandle handle, const std::string& client_id, const std::string& thing,
                             const std::string& fingerprint) {
  remove(handle);  // a handle is an address: it may be one whose connection never came to life
  set_end_reason(client_id, EndReason::kDuplicateClientId);
  alive_[client_id] = handle;
  sessions_.erase(client_id);
  return connections_.insert_or_assign(handle, Connection{next_number_++, client_id, thing, fingerprint})
      .first->second;
}

void ClientTable::set_end_reason(ClientHandle handle, EndReason reason) {
  const auto found = connections_.find(handle);
  if (found != connections_.end()) found->second.end_reason = reason;
}

void ClientTable::set_end_reason(const std::string& client_id, EndReason reason) {
  const auto found = alive_.find(client_id);
  if (found != alive_.end()) set_end_reason(found->second, reason);
}

std::optional<Connection> ClientTable::remove(ClientHandle handle) {
  const auto found = connections_.find(handle);
  if (found == connections_.end()) return std::nullopt;
  Connection connection = std::move(found->second);
  connections_.erase(found);
  const auto alive = alive_.find(connection.client_id);
  if (alive != alive_.end() && alive->second == handle) alive_.erase(alive);
  return connection;
}

Connection* ClientTable::find(ClientHandle handle) {
  const auto found = connections_.find(handle);
  return found == connections_.end() ? nullptr : &found->second;
}

void ClientTable::remember_session(Connection connection) {
  if (alive_.contains(connection.client_id)) return;  // it was taken over
  if (sessions_.size() >= kMaxSessions) sessions_.clear();
  std::string client_id = connection.client_id;
  sessions_.insert_or_assign(std::move(client_id), std::move(connection));
}

Connection* ClientTable::find_session(const std::string& client_id) {
  const auto found = sessions_.find(client_id);
  return found == sessions_.end() ? nullptr : &found->second;
}

Connection* ClientTable::find_alive(const std::string& client_id) {
  const auto found = alive_.find(client_id);
  return found == alive_.end() ? nullptr : find(found->second);
}

}  // namespace otasim::broker
