// The broker with the mirror, or with an echo in the mirror's place, in a process of its own.
//
// The echo answers each request with as many messages of as many bytes as the mirror would, without doing
// anything for them: what it reaches is what the broker lets through.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/unique_fd.h"
#include "tests/sim/broker/test_lab.h"

namespace otasim::bench {

enum class Answerer { kMirror, kEcho };

using Devices = std::vector<std::pair<std::string, testing::TestIdentity>>;  ///< thing names and certificates

inline constexpr const char* kStream = "bench";
inline constexpr const char* kJob = "bench";
inline constexpr std::size_t kObjectBytes = 8 * 1024 * 1024;
inline constexpr std::size_t kBytesPerRequest = 128 * 1024;

class LabServer {
 public:
  /// Starts the process; returns when devices may connect. Each device's thing has the job kJob, and the
  /// stream kStream has one file of kObjectBytes.
  LabServer(testing::TestLab& lab, const Devices& devices, Answerer answerer);
  ~LabServer();
  LabServer(const LabServer&) = delete;
  LabServer& operator=(const LabServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  pid_t pid_ = -1;
  UniqueFd alive_;  ///< closing it ends the process
  std::uint16_t port_ = 0;
};

}  // namespace otasim::bench
