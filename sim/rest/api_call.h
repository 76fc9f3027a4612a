// One call of an operation, as its handler sees it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/page.h"
#include "sim/cloud/service_error.h"
#include "sim/rest/api_error.h"
#include "sim/rest/http_message.h"
#include "sim/rest/member_reader.h"
#include "sim/rest/operation.h"

namespace otasim::rest {

using Json = nlohmann::ordered_json;

/// Reads `call.uri` and `call.body`, then looks at failed() once, then calls its service.
struct ApiCall {
  const HttpRequestHead& head;
  MemberReader uri;   ///< the path's and the query's members
  MemberReader body;  ///< the body's; none for an empty body
  ApiStyle style;

  /// What was wrong with a member that was read; nothing if nothing was.
  [[nodiscard]] bool failed() const { return uri.failed(); }
  [[nodiscard]] tl::unexpected<ApiError> error() const { return tl::unexpected(error_.value()); }
  const std::optional<ApiError>& error_;

  /// A service's refusal as the answer.
  [[nodiscard]] tl::unexpected<ApiError> refused(const cloud::ServiceError& error) const {
    return tl::unexpected(api_error(error, style));
  }
  /// The same, which names the resource if it exists already.
  [[nodiscard]] tl::unexpected<ApiError> refused(const cloud::ServiceError& error, std::string_view kind,
                                                 const std::string& name) const;

  /// maxResults and nextToken; or pageSize and marker, as older operations call them.
  [[nodiscard]] cloud::PageRequest page(const char* size = "maxResults",
                                        const char* token = "nextToken") const;
};

/// Tokens are opaque: base64, as AWS's model asks of some.
[[nodiscard]] std::string opaque_token(const std::string& token);

/// Puts a page's token into an answer, if there is a next page.
void add_next_token(Json& answer, const std::string& token, const char* name = "nextToken");

/// The page of a list that is whole in memory. @param page  whose token is a number
template <typename T>
[[nodiscard]] cloud::Page<T> page_of(std::vector<T> all, const cloud::PageRequest& page) {
  const auto start = static_cast<std::size_t>(cloud::PageStart{0, page.next_token}.after_number());
  cloud::Page<T> result{};
  for (std::size_t i = start; i < all.size(); ++i) {
    if (result.items.size() == static_cast<std::size_t>(page.max_results)) {
      result.next_token = std::to_string(i);
      break;
    }
    result.items.push_back(std::move(all[i]));
  }
  return result;
}

}  // namespace otasim::rest
