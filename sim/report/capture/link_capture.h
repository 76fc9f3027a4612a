// A run's captures as one file that Wireshark opens decrypted: the frames of all links with their devices'
// names, the TLS secrets that the run logged, and comments at steps, faults, boots and jobs.
//
// What can go wrong: the run has no captures (a matrix drops those of runs that passed), or it was not asked
// to log its secrets (`--keylog`): then the file has none, and what is within TLS stays unreadable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace otasim::report::capture {

/// TLS secrets, in the folder of a run or a lab.
inline constexpr const char* kKeyLogFile = "tls.keys";
/// In a device's folder.
inline constexpr const char* kLinkFile = "link.pcap";
/// What is written if no other name is given.
inline constexpr const char* kCaptureFile = "capture.pcapng";

struct CaptureRequest {
  std::string folder;       ///< of the run or lab
  std::string device = {};  ///< empty: all
  std::string path = {};    ///< empty: kCaptureFile in the folder
};

struct WrittenCapture {
  std::string path = {};
  std::uint64_t frames = 0;
  bool has_secrets = false;
  std::vector<std::string> problems = {};  ///< captures that end early, in words
};

/// @returns kUsage if there is no such device, or no capture; kEnvironment if a file cannot be read or
/// written
[[nodiscard]] Result<WrittenCapture> write_capture(const CaptureRequest& request);

}  // namespace otasim::report::capture
