// A link's capture as a sequence of frames, each summed up in words.
//
// A frame is named by what its headers say and by nothing else: payloads are encrypted and stay in the
// capture, for Wireshark. What can go wrong: the file is no capture, or a record claims more than any frame
// has; then the sequence ends there and problem() says so. A record that is not whole yet comes later; until
// then problem() says that, too.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "sim/report/growing_file.h"

namespace otasim::report {

struct Frame {
  enum class Direction : std::uint8_t { kFromDevice, kToDevice, kToAll };

  std::int64_t calendar_us = 0;
  Direction direction = Direction::kFromDevice;
  std::string_view protocol = "other";  ///< "tcp", "udp", "arp", "icmp", "ipv4", "other"
  std::uint16_t device_port = 0;        ///< TCP and UDP, else 0
  std::uint16_t host_port = 0;
  std::string flags = {};  ///< TCP: those that are set, "syn ack"; "ack" alone is left out
  std::uint32_t length_bytes = 0;
  std::uint32_t payload_bytes = 0;  ///< TCP's and UDP's data

  /// "tcp 8883 syn", "arp"
  [[nodiscard]] std::string summary() const;
};

/// "from_device", "to_device", "to_all"
[[nodiscard]] std::string_view name_of(Frame::Direction direction);

/// What a frame says of itself. Nothing is trusted but that the bytes are there.
[[nodiscard]] Frame describe_frame(std::span<const std::uint8_t> bytes);

class CaptureReader {
 public:
  explicit CaptureReader(GrowingFile file) : file_(std::move(file)) {}

  /// @returns nothing if there is none (yet)
  [[nodiscard]] std::optional<Frame> next();
  /// Why there are no more; empty: the file ends there.
  [[nodiscard]] std::string problem() const;

 private:
  [[nodiscard]] bool has_header();

  GrowingFile file_;
  std::uint32_t units_per_us_ = 0;  ///< 0: the file's header is not read
  bool is_torn_ = false;            ///< what follows is not a whole record, or header
  std::string problem_ = {};
};

}  // namespace otasim::report
