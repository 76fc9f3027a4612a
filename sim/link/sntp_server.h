// The lab's time server: SNTP version 4 (RFC 4330), as a primary server whose clock is the lab's.
//
// It gets the UDP payload of what the device sent and returns that of the answer. A client's request of 48
// bytes is answered; other modes and versions, authentication and extension fields (longer messages), and
// anything shorter get no answer. The clock has whole seconds: times are right to one second, which is what
// certificates and presigned URLs need.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "sim/link/ethernet.h"

namespace otasim::link {

inline constexpr std::size_t kSntpMessageBytes = 48;

/// Epoch seconds.
using EpochClock = std::function<std::int64_t()>;

struct SntpReply {
  std::vector<std::uint8_t> payload{};
  std::int64_t time = 0;  ///< that was given, epoch seconds
};

class SntpServer {
 public:
  /// @param now  empty: the system's time
  explicit SntpServer(EpochClock now);

  /// @param offset_s  the answer is wrong by so much: positive is ahead
  [[nodiscard]] std::optional<SntpReply> answer(Bytes request, std::int64_t offset_s = 0) const;

 private:
  EpochClock now_;
};

}  // namespace otasim::link
