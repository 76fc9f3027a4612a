#include "sim/report/html/frame_rows.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <map>
#include <span>

#include "sim/base/file_io.h"

namespace otasim::report::html {
namespace {

using nlohmann::json;
using Bytes = std::span<const std::uint8_t>;

// The classic capture file: pcap-savefile(5).
constexpr std::size_t kFileHeaderSize = 24;
constexpr std::size_t kRecordHeaderSize = 16;
constexpr std::uint32_t kMagicMicroseconds = 0xA1B2C3D4;
constexpr std::uint32_t kMagicNanoseconds = 0xA1B23C4D;

// Ethernet (IEEE 802.3), ARP (RFC 826), IPv4 (RFC 791), TCP (RFC 9293), UDP (RFC 768).
constexpr std::size_t kEthernetSize = 14;
constexpr std::size_t kIpv4Size = 20;
constexpr std::uint16_t kTypeArp = 0x0806;
constexpr std::uint16_t kTypeIpv4 = 0x0800;
constexpr std::uint8_t kProtocolIcmp = 1;
constexpr std::uint8_t kProtocolTcp = 6;
constexpr std::uint8_t kProtocolUdp = 17;
constexpr std::size_t kTcpFlagsAt = 13;
constexpr std::uint8_t kFin = 1;
constexpr std::uint8_t kSyn = 2;
constexpr std::uint8_t kReset = 4;
constexpr std::uint8_t kLocallyAdministered = 2;  // the device's address; QEMU's and slirp's hosts have 52:55

std::uint32_t little32(Bytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} | std::uint32_t{bytes[at + 1]} << 8 | std::uint32_t{bytes[at + 2]} << 16 |
         std::uint32_t{bytes[at + 3]} << 24;
}

std::uint16_t big16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

/// Ports of the services: the lower one is the service's, for the device's own are ephemeral.
std::string transport_text(std::string_view protocol, Bytes segment) {
  constexpr std::size_t kPortsSize = 4;
  if (segment.size() < kPortsSize) return std::string(protocol);
  const std::uint16_t from = big16(segment, 0);
  const std::uint16_t to = big16(segment, 2);
  constexpr std::uint16_t kFirstEphemeral = 49152;  // RFC 6335
  const std::uint16_t service = from >= kFirstEphemeral && to < kFirstEphemeral   ? to
                                : to >= kFirstEphemeral && from < kFirstEphemeral ? from
                                                                                  : std::min(from, to);
  std::string text = fmt::format("{} {}", protocol, service);
  if (protocol != "tcp" || segment.size() <= kTcpFlagsAt) return text;
  const std::uint8_t flags = segment[kTcpFlagsAt];
  if ((flags & kSyn) != 0) text += " syn";
  if ((flags & kFin) != 0) text += " fin";
  if ((flags & kReset) != 0) text += " rst";
  return text;
}

std::string frame_text(Bytes frame) {
  if (frame.size() < kEthernetSize) return "frame";
  const std::uint16_t type = big16(frame, kEthernetSize - 2);
  if (type == kTypeArp) return "arp";
  if (type != kTypeIpv4 || frame.size() < kEthernetSize + kIpv4Size) return "frame";
  const Bytes packet = frame.subspan(kEthernetSize);
  const std::size_t header = (packet[0] & 0x0FU) * std::size_t{4};
  if (header < kIpv4Size || header > packet.size()) return "ip";
  switch (packet[9]) {
    case kProtocolIcmp:
      return "icmp";
    case kProtocolTcp:
      return transport_text("tcp", packet.subspan(header));
    case kProtocolUdp:
      return transport_text("udp", packet.subspan(header));
    default:
      return "ip";
  }
}

enum class Direction : std::uint8_t { kFromDevice, kToDevice, kToAll };

Direction direction_of(Bytes frame) {
  constexpr std::size_t kSourceAt = 6;
  if (frame.size() < kEthernetSize) return Direction::kFromDevice;
  // Devices' addresses begin with 02, the host side's with 52 (docs/link.md).
  if (frame[kSourceAt] == kLocallyAdministered) return Direction::kFromDevice;
  return (frame[0] & 1U) != 0 ? Direction::kToAll : Direction::kToDevice;
}

}  // namespace

json read_frame_rows(const std::string& path, const std::vector<ClockAnchor>& anchors) {
  json kinds = json::array();
  json rows = json::array();
  std::uint64_t left_off = 0;
  const auto file = read_file(path);
  const auto answer = [&] {
    return json{{"kinds", std::move(kinds)}, {"rows", std::move(rows)}, {"left_off", left_off}};
  };
  if (!file || file->size() < kFileHeaderSize || anchors.empty()) return answer();
  Bytes rest(*file);
  const std::uint32_t magic = little32(rest, 0);
  if (magic != kMagicMicroseconds && magic != kMagicNanoseconds) return answer();
  const std::uint32_t per_microsecond = magic == kMagicNanoseconds ? 1000 : 1;
  rest = rest.subspan(kFileHeaderSize);
  std::map<std::string, std::size_t> numbers;
  while (rest.size() >= kRecordHeaderSize) {
    const std::uint32_t length = little32(rest, 8);
    if (length > rest.size() - kRecordHeaderSize) break;
    const Bytes frame = rest.subspan(kRecordHeaderSize, length);
    constexpr std::int64_t kMicroseconds = 1'000'000;
    const std::int64_t when =
        std::int64_t{little32(rest, 0)} * kMicroseconds + little32(rest, 4) / per_microsecond;
    const std::uint32_t bytes_on_wire = little32(rest, 12);
    rest = rest.subspan(kRecordHeaderSize + length);
    if (rows.size() >= kMostFrames) {
      ++left_off;
      continue;
    }
    const auto [kind, is_new] = numbers.try_emplace(frame_text(frame), numbers.size());
    if (is_new) kinds.push_back(kind->first);
    rows.push_back(json::array(
        {*event_time(anchors, when), static_cast<int>(direction_of(frame)), kind->second, bytes_on_wire}));
  }
  return answer();
}

}  // namespace otasim::report::html
