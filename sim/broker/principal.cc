#include "sim/broker/principal.h"

#include <algorithm>
#include <nlohmann/json.hpp>  // not sim/base/json.h: CMakeLists.txt says why

namespace otasim::broker {

namespace {

std::optional<std::vector<std::string>> texts(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) return std::nullopt;
  std::vector<std::string> all;
  for (const nlohmann::json& one : *found) {
    if (!one.is_string()) return std::nullopt;
    all.push_back(one.get<std::string>());
  }
  return all;
}

}  // namespace

std::string Principal::thing_of(std::string_view client_id) const {
  const auto found = std::ranges::find(things, client_id);
  return found == things.end() ? std::string() : *found;
}

bool Principal::may_connect(const std::string& client_id) const {
  return allows(policies, "iot:Connect", client_resource(client_id), {client_id, thing_of(client_id)});
}

std::string principal_payload(const std::vector<std::string>& things,
                              const std::vector<std::string>& policies) {
  return nlohmann::json{{"things", things}, {"policies", policies}}.dump();
}

std::optional<Principal> parse_principal_payload(std::string_view payload) {
  const auto body = nlohmann::json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return std::nullopt;
  auto things = texts(body, "things");
  const auto documents = texts(body, "policies");
  if (!things || !documents) return std::nullopt;
  Principal principal{std::move(*things), {}};
  for (const std::string& document : *documents) {
    auto policy = IotPolicy::parse(document);
    if (!policy) return std::nullopt;
    principal.policies.push_back(std::move(*policy));
  }
  return principal;
}

}  // namespace otasim::broker
