// Why a service refuses a call: one of AWS's error names, and a sentence.
//
// A failure of the store (disk full, file damaged) is kInternalError to the caller, whoever it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "sim/base/result.h"
#include "sim/cloud/job_execution.h"

namespace otasim::cloud {

enum class ErrorCode {
  kInvalidTopic,              ///< the topic is no API of the service
  kInvalidJson,               ///< the body is not JSON
  kInvalidCbor,               ///< the body is not CBOR
  kInvalidRequest,            ///< a field is missing, malformed or out of range
  kInvalidStateTransition,    ///< the execution's status forbids it
  kResourceNotFound,          ///< no such thing, job, execution, stream, file or object
  kResourceAlreadyExists,     ///< the name is taken
  kVersionMismatch,           ///< not the version the caller expects
  kTerminalStateReached,      ///< the execution is over
  kBlockSizeOutOfBounds,      ///< a stream's block size
  kOffsetOutOfBounds,         ///< a stream's first block
  kBlockCountLimitExceeded,   ///< a stream's number of blocks
  kBlockBitmapLimitExceeded,  ///< a stream's bitmap
  kETagMismatch,              ///< a stream's object is not the one it was made with
  kDeleteConflict,            ///< something else still needs it
  kMalformedPolicy,           ///< a policy document that is none, or not understood
  kConflict,                  ///< a template's name is taken
  kLimitExceeded,             ///< as many as there may be
  kRequestThrottled,          ///< too many requests; only as a fault
  kInternalError,             ///< the service's own fault
};

/// The name devices see (`code` of a rejected reply).
[[nodiscard]] std::string_view to_string(ErrorCode code);
[[nodiscard]] std::optional<ErrorCode> error_of_name(std::string_view name);

struct ServiceError {
  ErrorCode code;
  std::string message;
  /// With kInvalidStateTransition and kVersionMismatch of an execution: how it stands.
  std::optional<ExecutionState> execution_state = {};

  ServiceError(ErrorCode error_code, std::string text) : code(error_code), message(std::move(text)) {}
  /// The store failed.
  ServiceError(const Error& error)  // NOLINT(google-explicit-constructor): lets store errors pass through
      : code(ErrorCode::kInternalError), message(error.message) {}

  /// For callers on the command line.
  [[nodiscard]] Error to_error(std::string_view what_failed) const;
};

template <typename T>
using ServiceResult = tl::expected<T, ServiceError>;

[[nodiscard]] inline tl::unexpected<ServiceError> refuse(ErrorCode code, std::string message) {
  return tl::unexpected<ServiceError>(ServiceError(code, std::move(message)));
}

}  // namespace otasim::cloud
