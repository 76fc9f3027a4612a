#include "sim/cloud/service_error.h"

#include <fmt/format.h>

namespace otasim::cloud {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidTopic:
      return "InvalidTopic";
    case ErrorCode::kInvalidJson:
      return "InvalidJson";
    case ErrorCode::kInvalidCbor:
      return "InvalidCbor";
    case ErrorCode::kInvalidRequest:
      return "InvalidRequest";
    case ErrorCode::kInvalidStateTransition:
      return "InvalidStateTransition";
    case ErrorCode::kResourceNotFound:
      return "ResourceNotFound";
    case ErrorCode::kResourceAlreadyExists:
      return "ResourceAlreadyExists";
    case ErrorCode::kVersionMismatch:
      return "VersionMismatch";
    case ErrorCode::kTerminalStateReached:
      return "TerminalStateReached";
    case ErrorCode::kBlockSizeOutOfBounds:
      return "BlockSizeOutOfBounds";
    case ErrorCode::kOffsetOutOfBounds:
      return "OffsetOutOfBounds";
    case ErrorCode::kBlockCountLimitExceeded:
      return "BlockCountLimitExceeded";
    case ErrorCode::kBlockBitmapLimitExceeded:
      return "BlockBitmapLimitExceeded";
    case ErrorCode::kETagMismatch:
      return "ETagMismatch";
    case ErrorCode::kDeleteConflict:
      return "DeleteConflict";
    case ErrorCode::kMalformedPolicy:
      return "MalformedPolicy";
    case ErrorCode::kConflict:
      return "Conflict";
    case ErrorCode::kLimitExceeded:
      return "LimitExceeded";
    case ErrorCode::kRequestThrottled:
      return "RequestThrottled";
    case ErrorCode::kInternalError:
      return "InternalError";
  }
  return "InternalError";
}

std::optional<ErrorCode> error_of_name(std::string_view name) {
  constexpr auto kLast = static_cast<int>(ErrorCode::kInternalError);
  for (int value = 0; value <= kLast; ++value) {
    const auto code = static_cast<ErrorCode>(value);
    if (to_string(code) == name) return code;
  }
  return std::nullopt;
}

Error ServiceError::to_error(std::string_view what_failed) const {
  const ExitCode exit = code == ErrorCode::kInternalError ? ExitCode::kEnvironment : ExitCode::kUsage;
  return Error{exit, fmt::format("{}: {} ({})", what_failed, message, to_string(code)), {}};
}

}  // namespace otasim::cloud
