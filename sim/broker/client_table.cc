#include "sim/broker/client_table.h"

namespace otasim::broker {

const char* to_string(EndReason reason) {
  switch (reason) {
    case EndReason::kUnknown:
      break;
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
                                                    const std::string& thing) {
  if (thing.empty()) {
    things_.erase(fingerprint);
  } else {
    things_[fingerprint] = thing;
  }
  std::vector<std::string> stale;
  for (const auto& [client_id, handle] : alive_) {
    const Connection& connection = connections_.at(handle);
    if (connection.fingerprint == fingerprint && connection.thing != thing) stale.push_back(client_id);
  }
  return stale;
}

std::optional<std::string> ClientTable::thing_of(const std::string& fingerprint) const {
  const auto found = things_.find(fingerprint);
  if (found == things_.end()) return std::nullopt;
  return found->second;
}

const Connection& ClientTable::add(ClientHandle handle, const std::string& client_id,
                                   const std::string& thing, const std::string& fingerprint) {
  remove(handle);  // a handle is an address: it may be one whose connection never came to life
  set_end_reason(client_id, EndReason::kDuplicateClientId);
  alive_[client_id] = handle;
  return connections_[handle] =
             Connection{next_number_++, client_id, thing, fingerprint, EndReason::kUnknown};
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

const Connection* ClientTable::find(ClientHandle handle) const {
  const auto found = connections_.find(handle);
  return found == connections_.end() ? nullptr : &found->second;
}

const Connection* ClientTable::find_alive(const std::string& client_id) const {
  const auto found = alive_.find(client_id);
  return found == alive_.end() ? nullptr : find(found->second);
}

}  // namespace otasim::broker
