// What a frame says of itself, for faults and the flow table: its protocol, ports and TCP numbers.
//
// Nothing is verified but that the headers are whole; a frame that is damaged or hostile is what it says.
#pragma once

#include <compare>
#include <cstdint>

#include "sim/link/ethernet.h"
#include "sim/link/fault.h"

namespace otasim::link {

inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpAck = 0x10;

/// A TCP connection. All lead from the device to the host.
struct FlowKey {
  std::uint16_t device_port = 0;
  std::uint16_t host_port = 0;
  friend constexpr auto operator<=>(const FlowKey&, const FlowKey&) = default;
};

struct FrameInfo {
  enum class Kind : std::uint8_t { kOther, kArp, kUdp, kTcp };

  Kind kind = Kind::kOther;
  FlowKey ports{};  ///< UDP and TCP
  // TCP only.
  std::uint8_t flags = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint32_t sequence_length = 0;  ///< data, SYN and FIN

  /// A SYN without an ACK.
  [[nodiscard]] bool opens_connection() const {
    return kind == Kind::kTcp && (flags & (kTcpSyn | kTcpAck)) == kTcpSyn;
  }
};

/// @param direction  not kBoth
[[nodiscard]] FrameInfo inspect(Bytes frame, Direction direction);

/// "tcp", "udp", "arp", "other"
[[nodiscard]] std::string_view name_of(FrameInfo::Kind kind);
/// "to_device", "from_device", "both"
[[nodiscard]] std::string_view name_of(Direction direction);

/// Whether a frame of this direction, kBoth excepted, is one that a fault is about.
[[nodiscard]] bool matches(const FrameMatch& match, Direction direction, const FrameInfo& info);

}  // namespace otasim::link
