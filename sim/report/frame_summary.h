// A frame of a link, summed up in words.
//
// It is named by what its headers say and by nothing else: payloads are encrypted and stay in the capture,
// for Wireshark.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace otasim::report {

struct FrameSummary {
  enum class Direction : std::uint8_t { kFromDevice, kToDevice, kToAll };

  Direction direction = Direction::kFromDevice;
  std::string_view protocol = "other";  ///< "tcp", "udp", "arp", "icmp", "ipv4", "other"
  std::uint16_t device_port = 0;        ///< TCP and UDP, else 0
  std::uint16_t host_port = 0;
  std::string flags = {};           ///< TCP: those that are set, "syn ack"; "ack" alone is left out
  std::uint32_t payload_bytes = 0;  ///< TCP's and UDP's data

  /// "tcp 8883 syn", "arp"
  [[nodiscard]] std::string text() const;
};

/// "from_device", "to_device", "to_all"
[[nodiscard]] std::string_view name_of(FrameSummary::Direction direction);

/// What a frame says of itself. Nothing is trusted but that the bytes are there.
[[nodiscard]] FrameSummary sum_up_frame(std::span<const std::uint8_t> bytes);

}  // namespace otasim::report
