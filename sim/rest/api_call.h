// One call of an operation, as its handler sees it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/json.h"
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

/// The page of a list that is whole in memory, in order of its keys.
template <typename T, typename KeyOf>
[[nodiscard]] cloud::Page<T> page_of(std::vector<T> all, const cloud::PageRequest& page,
                                     const KeyOf& key_of) {
  std::erase_if(all, [&](const T& one) { return key_of(one) <= page.next_token; });
  const cloud::PageStart start{page.max_results + 1, page.next_token};
  if (all.size() > static_cast<std::size_t>(start.limit)) {
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(start.limit), all.end());
  }
  return cloud::make_page(std::move(all), start, key_of);
}

}  // namespace otasim::rest
