// JSON bodies of MQTT requests: read without trust, and written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

inline constexpr std::size_t kMaxClientToken = 64;

/// A request's JSON object. Each getter returns nothing for a field that is absent.
class JsonBody {
 public:
  /// An empty payload is an object without fields.
  /// @returns kInvalidJson, or kInvalidRequest for JSON that is no object
  [[nodiscard]] static ServiceResult<JsonBody> parse(std::string_view payload);

  /// @returns kInvalidRequest if it is no text of at most 64 bytes
  [[nodiscard]] ServiceResult<std::optional<std::string>> client_token() const;
  [[nodiscard]] ServiceResult<std::optional<std::string>> text(const char* key) const;
  [[nodiscard]] ServiceResult<std::optional<bool>> boolean(const char* key) const;
  /// @param quoted  digits in quotes are taken as well
  [[nodiscard]] ServiceResult<std::optional<std::int64_t>> integer(const char* key,
                                                                   bool quoted = false) const;
  /// @returns kInvalidRequest if it is no object of texts
  [[nodiscard]] ServiceResult<std::optional<StatusDetails>> details(const char* key) const;

 private:
  explicit JsonBody(nlohmann::json json) : json_(std::move(json)) {}
  [[nodiscard]] const nlohmann::json* find(const char* key) const;

  nlohmann::json json_;
};

/// Bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string to_text(const nlohmann::ordered_json& json);

}  // namespace otasim::cloud
