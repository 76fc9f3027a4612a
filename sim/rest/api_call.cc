#include "sim/rest/api_call.h"

#include "sim/cloud/arn.h"
#include "sim/cloud/base64.h"

namespace otasim::rest {

namespace {

constexpr std::size_t kMaxToken = 1024;

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

tl::unexpected<ApiError> ApiCall::refused(const cloud::ServiceError& error, std::string_view kind,
                                          const std::string& name) const {
  ApiError answer = api_error(error, style);
  if (error.code == cloud::ErrorCode::kResourceAlreadyExists) {
    answer.resource_id = name;
    answer.resource_arn = cloud::iot_arn(kind, name);
  }
  return tl::unexpected(std::move(answer));
}

cloud::PageRequest ApiCall::page(const char* size, const char* token) const {
  cloud::PageRequest request;
  if (const auto given = uri.integer(size, 1, cloud::kMaxPageSize)) {
    request.max_results = static_cast<int>(*given);
  }
  if (const auto given = uri.text(token, {.max = kMaxToken}); given && !given->empty()) {
    const auto bytes = cloud::base64_decode(*given);
    if (!bytes || bytes->empty()) {
      uri.fail_constraint(token, *given, "Member must be a token that this operation has given");
    } else {
      request.next_token = std::string(bytes->begin(), bytes->end());
    }
  }
  return request;
}

std::string opaque_token(const std::string& token) {
  return cloud::base64_encode(bytes_of(token));
}

void add_next_token(Json& answer, const std::string& token, const char* name) {
  if (!token.empty()) answer[name] = opaque_token(token);
}

}  // namespace otasim::rest
