// The messages a device sends to Jobs, byte for byte as the service and its tools expect them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/src/text.h"

namespace ota {

inline constexpr std::size_t kMaxStatusMessage = 160;

/// A format: request number, thing name. The client token comes back in the answer.
inline constexpr const char* kJobRequest = R"({"clientToken":"%d:%s"})";
/// A client token has at most 64 bytes, so a long thing name is cut.
inline constexpr std::size_t kMaxThingNameInToken = 53;

/// What is said of a job; each says two numbers.
enum class Report : std::uint8_t {
  kProgress,  ///< IN_PROGRESS: blocks received, blocks in total
  kReady,     ///< IN_PROGRESS, the file is verified: (0), running version
  kActive,    ///< IN_PROGRESS, the self test runs: (0), running version
  kAccepted,  ///< SUCCEEDED: version, previous version
  kRejected,  ///< FAILED: (0), reason
  kAborted,   ///< FAILED: (0), reason
  kFailed,    ///< FAILED: reason, further reason
};

/// Two blanks stand before each version of kAccepted.
inline void write_report(TextWriter& out, Report report, std::uint32_t first, std::uint32_t second) {
  static constexpr const char* kDetails[] = {
      R"("receive":"%d/%d)",
      R"("self_test":"ready","updatedBy":"0x%x)",
      R"("self_test":"active","updatedBy":"0x%x)",
      R"("reason":"accepted  v%v","updatedBy":"  v%v)",
      R"("reason":"rejected: 0x%x)",
      R"("reason":"aborted: 0x%x)",
      R"("reason":"0x%x: 0x%x)",
  };
  const bool is_end = report >= Report::kAccepted;
  const bool has_one_number = report == Report::kReady || report == Report::kActive ||
                              report == Report::kRejected || report == Report::kAborted;
  const TextValue values[] = {!is_end                       ? "IN_PROGRESS"
                              : report == Report::kAccepted ? "SUCCEEDED"
                                                            : "FAILED",
                              first, second};
  out.format(R"({"status":"%s","statusDetails":{)", values);
  out.format(kDetails[static_cast<std::size_t>(report)], values + (has_one_number ? 2 : 1));
  out.format(R"("}})", nullptr);
}

}  // namespace ota
