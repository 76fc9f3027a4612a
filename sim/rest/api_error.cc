#include "sim/rest/api_error.h"
#include "sim/base/json.h"

#include "sim/cloud/json_body.h"

namespace otasim::rest {

namespace {

using cloud::ErrorCode;

struct Name {
  int status;
  const char* name;
};

Name name_of(ErrorCode code, ApiStyle style) {
  const bool data = style == ApiStyle::kJobsData;
  switch (code) {
    case ErrorCode::kInvalidStateTransition:
      return {409, "InvalidStateTransitionException"};
    case ErrorCode::kResourceNotFound:
      return {404, "ResourceNotFoundException"};
    case ErrorCode::kResourceAlreadyExists:
      return {409, "ResourceAlreadyExistsException"};
    case ErrorCode::kVersionMismatch:
      return {409, "VersionConflictException"};
    case ErrorCode::kTerminalStateReached:
      return {410, "TerminalStateException"};
    case ErrorCode::kDeleteConflict:
      return {409, "DeleteConflictException"};
    case ErrorCode::kMalformedPolicy:
      return {400, "MalformedPolicyException"};
    case ErrorCode::kConflict:
      return {409, "ConflictException"};
    case ErrorCode::kLimitExceeded:
      return {410, "LimitExceededException"};
    case ErrorCode::kRequestThrottled:
      if (style == ApiStyle::kSigner) return {429, "TooManyRequestsException"};
      return {data ? 429 : 400, "ThrottlingException"};
    case ErrorCode::kInternalError:
      return data ? Name{503, "ServiceUnavailableException"} : Name{500, "InternalFailureException"};
    case ErrorCode::kInvalidTopic:
    case ErrorCode::kInvalidJson:
    case ErrorCode::kInvalidCbor:
    case ErrorCode::kInvalidRequest:
    case ErrorCode::kBlockSizeOutOfBounds:
    case ErrorCode::kOffsetOutOfBounds:
    case ErrorCode::kBlockCountLimitExceeded:
    case ErrorCode::kBlockBitmapLimitExceeded:
    case ErrorCode::kETagMismatch:
      break;
  }
  return {400, "InvalidRequestException"};
}

const char* name_of(SignatureProblem problem) {
  switch (problem) {
    case SignatureProblem::kMissing:
      return "MissingAuthenticationTokenException";
    case SignatureProblem::kIncomplete:
    case SignatureProblem::kMalformedTarget:
    case SignatureProblem::kWrongAlgorithm:
      return "IncompleteSignatureException";
    case SignatureProblem::kUnknownKey:
      return "UnrecognizedClientException";
    case SignatureProblem::kUnsignedHeaders:
    case SignatureProblem::kWrongScope:
    case SignatureProblem::kWrongService:
    case SignatureProblem::kExpired:
    case SignatureProblem::kNotYetValid:
    case SignatureProblem::kPayloadMismatch:
    case SignatureProblem::kMismatch:
      break;
  }
  return "InvalidSignatureException";
}

}  // namespace

ApiError api_error(const cloud::ServiceError& error, ApiStyle style) {
  const Name name = name_of(error.code, style);
  return {name.status, name.name, error.message, {}, {}};
}

ApiError api_error(const SignatureError& error) {
  const bool no_path = error.problem == SignatureProblem::kMalformedTarget;
  return {no_path ? 400 : 403, name_of(error.problem), error.detail, {}, {}};
}

HttpResponse render(const ApiError& error) {
  nlohmann::ordered_json body{{"message", error.message}};
  if (!error.resource_id.empty()) body["resourceId"] = error.resource_id;
  if (!error.resource_arn.empty()) body["resourceArn"] = error.resource_arn;
  HttpResponse response;
  response.status = error.status;
  response.headers = {{"Content-Type", "application/json"}, {"x-amzn-ErrorType", error.name}};
  response.body = cloud::to_text(body);
  return response;
}

}  // namespace otasim::rest
