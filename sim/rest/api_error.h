// What AWS's JSON services answer instead of a result: a status, a name that clients act upon, a sentence.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "sim/cloud/service_error.h"
#include "sim/rest/http_message.h"
#include "sim/rest/request_signature.h"

namespace otasim::rest {

struct ApiError {
  int status = 500;
  std::string name = "InternalFailureException";
  std::string message = {};
  /// With ResourceAlreadyExistsException.
  std::string resource_id = {};
  std::string resource_arn = {};
};

template <typename T>
using ApiResult = tl::expected<T, ApiError>;

/// The JSON services name some errors differently.
enum class ApiStyle {
  kIot,       ///< the control plane
  kJobsData,  ///< the jobs data plane
  kSigner,    ///< only what concerns all its operations: the others are signer_api.cc's
};

[[nodiscard]] ApiError api_error(const cloud::ServiceError& error, ApiStyle style);
[[nodiscard]] ApiError api_error(const SignatureError& error);
[[nodiscard]] inline ApiError invalid_request(std::string message) {
  return {400, "InvalidRequestException", std::move(message), {}, {}};
}

/// The answer's status, headers (x-amzn-errortype) and body.
[[nodiscard]] HttpResponse render(const ApiError& error);

}  // namespace otasim::rest
