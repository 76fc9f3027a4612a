// Names of what a run's folder holds of its connections.
#pragma once

namespace otasim::report::capture {

/// TLS secrets, in the folder itself.
inline constexpr const char* kKeyLogFile = "tls.keys";
/// In a device's folder.
inline constexpr const char* kCaptureFile = "link.pcap";

}  // namespace otasim::report::capture
