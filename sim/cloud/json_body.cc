#include "sim/cloud/json_body.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace otasim::cloud {

namespace {

tl::unexpected<ServiceError> bad_field(const char* key, const char* expected) {
  return refuse(ErrorCode::kInvalidRequest, fmt::format("{} must be {}.", key, expected));
}

std::optional<std::int64_t> number_in(const std::string& digits) {
  std::int64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace

ServiceResult<JsonBody> JsonBody::parse(std::string_view payload) {
  if (payload.empty()) return JsonBody(nlohmann::json::object());
  auto json = nlohmann::json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return refuse(ErrorCode::kInvalidJson, "The body is not JSON.");
  if (!json.is_object()) return refuse(ErrorCode::kInvalidRequest, "The body is not a JSON object.");
  return JsonBody(std::move(json));
}

const nlohmann::json* JsonBody::find(const char* key) const {
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

ServiceResult<std::optional<std::string>> JsonBody::text(const char* key) const {
  const auto* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return bad_field(key, "text");
  return value->get<std::string>();
}

ServiceResult<std::optional<std::string>> JsonBody::client_token() const {
  auto token = text("clientToken");
  if (token && *token && (*token)->size() > kMaxClientToken) {
    return bad_field("clientToken", "at most 64 bytes long");
  }
  return token;
}

ServiceResult<std::optional<bool>> JsonBody::boolean(const char* key) const {
  const auto* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) return bad_field(key, "true or false");
  return value->get<bool>();
}

ServiceResult<std::optional<std::int64_t>> JsonBody::integer(const char* key, bool quoted) const {
  const auto* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (quoted && value->is_string()) {
    if (const auto number = number_in(value->get_ref<const std::string&>())) return number;
  }
  const bool too_large =
      value->is_number_unsigned() && value->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max();
  if (!value->is_number_integer() || too_large) return bad_field(key, "an integer");
  return value->get<std::int64_t>();
}

ServiceResult<std::optional<StatusDetails>> JsonBody::details(const char* key) const {
  const auto* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) return bad_field(key, "an object");
  StatusDetails details;
  for (const auto& [name, entry] : value->items()) {
    if (!entry.is_string()) return bad_field(key, "an object of texts");
    details.emplace(name, entry.get<std::string>());
  }
  return details;
}

std::string to_text(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace otasim::cloud
