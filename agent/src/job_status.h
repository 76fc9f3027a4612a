// The messages a device sends to Jobs, byte for byte as the service and its tools expect them; formats for
// TextWriter.
#pragma once

#include <cstddef>

namespace ota {

inline constexpr std::size_t kMaxStatusMessage = 160;

/// [request number, thing name] The client token comes back in the answer.
inline constexpr const char* kJobRequest = R"({"clientToken":"%d:%s"})";
/// A client token has at most 64 bytes, so a long thing name is cut.
inline constexpr std::size_t kMaxThingNameInToken = 53;

/// [blocks received, blocks in total]
inline constexpr const char* kProgress = R"({"status":"IN_PROGRESS","statusDetails":{"receive":"%d/%d"}})";

/// [kSelfTestReady or kSelfTestActive, running version]
inline constexpr const char* kSelfTest =
    R"({"status":"IN_PROGRESS","statusDetails":{"self_test":"%s","updatedBy":"0x%x"}})";
inline constexpr const char* kSelfTestReady = "ready";
inline constexpr const char* kSelfTestActive = "active";

/// [version, previous version] Two blanks stand before each.
inline constexpr const char* kAccepted =
    R"({"status":"SUCCEEDED","statusDetails":{"reason":"accepted  v%v","updatedBy":"  v%v"}})";

/// [kRejected or kAborted, reason]
inline constexpr const char* kFailed = R"({"status":"FAILED","statusDetails":{"reason":"%s: 0x%x"}})";
inline constexpr const char* kRejected = "rejected";
inline constexpr const char* kAborted = "aborted";

/// [reason, further reason]
inline constexpr const char* kFailedWithValues =
    R"({"status":"FAILED","statusDetails":{"reason":"0x%x: 0x%x"}})";

}  // namespace ota
