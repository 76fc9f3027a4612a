// JSON bodies of requests: every getter on every field a request can have, against what the JSON library
// itself says stands there; and the limits of statusDetails against their definition.
//
// Input: a payload.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sim/base/json.h"
#include "sim/cloud/json_body.h"
#include "sim/cloud/status_details.h"
#include "tests/fuzzing/claim.h"

namespace {

using namespace otasim::cloud;
using otasim::testing::claim;
using Json = nlohmann::json;

/// The code points of valid UTF-8.
std::vector<std::uint32_t> code_points(const std::string& text) {
  std::vector<std::uint32_t> points;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x80) {
      points.push_back(byte);
    } else if (byte >= 0xC0) {
      points.push_back(byte & (byte < 0xE0 ? 0x1FU : byte < 0xF0 ? 0x0FU : 0x07U));
    } else if (!points.empty()) {
      points.back() = points.back() << 6 | (byte & 0x3FU);
    }
  }
  return points;
}

bool key_is_allowed(const std::string& key) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-";
  return !key.empty() && key.size() <= 128 && key.find_first_not_of(kAllowed) == std::string::npos;
}

bool value_is_allowed(const std::string& value) {
  const auto points = code_points(value);
  return !points.empty() && points.size() <= 1024 && std::ranges::none_of(points, [](std::uint32_t point) {
    return point < 0x20 || (point >= 0x7F && point < 0xA0);
  });
}

void check_details_limits(const StatusDetails& details) {
  const bool allowed = details.size() <= 10 && std::ranges::all_of(details, [](const auto& pair) {
                         return key_is_allowed(pair.first) && value_is_allowed(pair.second);
                       });
  const auto checked = check_details(details);
  claim(checked.has_value() == allowed, "statusDetails are taken if they keep AWS's limits, and only then");
  claim(checked || checked.error().code == ErrorCode::kInvalidRequest, "and else are an invalid request");
}

template <typename T>
void check_kind(const ServiceResult<std::optional<T>>& read, bool absent, bool right_type) {
  claim(read.has_value() == (absent || right_type), "a field is read if it is of its type");
  claim(!read || read->has_value() == !absent, "a field that is absent or null is nothing");
  claim(read || read.error().code == ErrorCode::kInvalidRequest, "a field of another type is invalid");
}

bool is_int64(const Json& value) {
  return value.is_number_integer() &&
         (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
}

void check_field(const JsonBody& body, const Json& json, const char* key) {
  const Json value = json.value(key, Json());
  const bool absent = value.is_null();

  const auto text = body.text(key);
  check_kind(text, absent, value.is_string());
  claim(!text || !*text || value == **text, "a text is what stands there");

  const auto boolean = body.boolean(key);
  check_kind(boolean, absent, value.is_boolean());
  claim(!boolean || !*boolean || value == **boolean, "a boolean is what stands there");

  const auto integer = body.integer(key);
  check_kind(integer, absent, is_int64(value));
  claim(!integer || !*integer || value == **integer, "an integer is what stands there");
  const auto quoted = body.integer(key, /*quoted=*/true);
  claim(!integer || (quoted && *quoted == *integer), "quotes are allowed, not demanded");
  claim(!quoted || integer || value.is_string(), "nothing but quotes is allowed in addition");

  const bool texts =
      value.is_object() && std::ranges::all_of(value, [](const Json& v) { return v.is_string(); });
  const auto details = body.details(key);
  check_kind(details, absent, texts);
  if (!details || !*details) return;
  claim(Json(**details) == value, "details are what stands there");
  check_details_limits(**details);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view payload(reinterpret_cast<const char*>(data), size);
  const Json json = payload.empty() ? Json::object() : Json::parse(payload, nullptr, false);
  const auto body = JsonBody::parse(payload);
  claim(body.has_value() == json.is_object(), "a body is a JSON object");
  if (!body) {
    const ErrorCode expected = json.is_discarded() ? ErrorCode::kInvalidJson : ErrorCode::kInvalidRequest;
    claim(body.error().code == expected, "what is no JSON is told apart from what is no object");
    return 0;
  }
  for (const char* key :
       {"status", "statusDetails", "expectedVersion", "executionNumber", "includeJobDocument",
        "includeJobExecutionState", "stepTimeoutInMinutes", "clientToken"}) {
    check_field(*body, json, key);
  }
  const auto token = body->client_token();
  claim(!token || !*token || (*token)->size() <= kMaxClientToken, "a token has at most 64 bytes");
  const std::string text = to_text(nlohmann::ordered_json(json));
  claim(Json::parse(text, nullptr, false) == json, "what is written is what was read");
  return 0;
}
