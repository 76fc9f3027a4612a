#include "sim/report/capture_reader.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <utility>

#include "sim/link/ethernet.h"
#include "sim/link/frame_info.h"

namespace otasim::report {
namespace {

using Bytes = std::span<const std::uint8_t>;

// The classic capture file: pcap-savefile(5).
constexpr std::size_t kFileHeaderSize = 24;
constexpr std::size_t kRecordHeaderSize = 16;
constexpr std::uint32_t kMagicMicroseconds = 0xA1B2C3D4;
constexpr std::uint32_t kMagicNanoseconds = 0xA1B23C4D;
constexpr std::uint32_t kMostFrameBytes = 65'535;

constexpr std::uint8_t kProtocolIcmp = 1;
// Devices' addresses begin with 02, the host side's with 52 (docs/link.md).
constexpr std::uint8_t kDeviceAddress = 2;

std::uint32_t little32(Bytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} | std::uint32_t{bytes[at + 1]} << 8 | std::uint32_t{bytes[at + 2]} << 16 |
         std::uint32_t{bytes[at + 3]} << 24;
}

std::string flags_text(std::uint8_t flags) {
  constexpr std::array<std::pair<std::uint8_t, std::string_view>, 3> kNames{
      {{link::kTcpSyn, "syn"}, {link::kTcpFin, "fin"}, {link::kTcpRst, "rst"}}};
  std::string text;
  for (const auto& [bit, name] : kNames) {
    if ((flags & bit) == 0) continue;
    if (!text.empty()) text += ' ';
    text += name;
  }
  if (!text.empty() && (flags & link::kTcpAck) != 0) text += " ack";
  return text;
}

void set_ports(Frame& frame, std::uint16_t source, std::uint16_t destination) {
  const bool is_from_device = frame.direction == Frame::Direction::kFromDevice;
  frame.device_port = is_from_device ? source : destination;
  frame.host_port = is_from_device ? destination : source;
}

void describe_ipv4(Frame& frame, Bytes bytes) {
  frame.protocol = "ipv4";
  const auto packet = link::parse_ipv4(bytes);
  if (!packet || packet->is_fragment) return;
  if (packet->protocol == kProtocolIcmp) {
    frame.protocol = "icmp";
  } else if (const auto tcp =
                 packet->protocol == link::kProtocolTcp ? link::parse_tcp(*packet) : std::nullopt) {
    frame.protocol = "tcp";
    set_ports(frame, tcp->source_port, tcp->destination_port);
    frame.flags = flags_text(tcp->flags);
    frame.payload_bytes = static_cast<std::uint32_t>(tcp->payload.size());
  } else if (const auto udp =
                 packet->protocol == link::kProtocolUdp ? link::parse_udp(*packet) : std::nullopt) {
    frame.protocol = "udp";
    set_ports(frame, udp->source_port, udp->destination_port);
    frame.payload_bytes = static_cast<std::uint32_t>(udp->payload.size());
  }
}

}  // namespace

std::string Frame::summary() const {
  std::string text(protocol);
  if (host_port != 0) text += fmt::format(" {}", host_port);
  if (!flags.empty()) text += ' ' + flags;
  return text;
}

std::string_view name_of(Frame::Direction direction) {
  switch (direction) {
    case Frame::Direction::kFromDevice:
      return "from_device";
    case Frame::Direction::kToDevice:
      return "to_device";
    case Frame::Direction::kToAll:
      break;
  }
  return "to_all";
}

Frame describe_frame(Bytes bytes) {
  Frame frame;
  frame.length_bytes = static_cast<std::uint32_t>(bytes.size());
  const auto ethernet = link::parse_ethernet(bytes);
  if (!ethernet) return frame;
  const bool is_to_all = (ethernet->destination[0] & 1U) != 0;
  frame.direction = ethernet->source[0] == kDeviceAddress ? Frame::Direction::kFromDevice
                    : is_to_all                           ? Frame::Direction::kToAll
                                                          : Frame::Direction::kToDevice;
  if (ethernet->ether_type == link::kEtherTypeArp) frame.protocol = "arp";
  if (ethernet->ether_type == link::kEtherTypeIpv4) describe_ipv4(frame, ethernet->payload);
  return frame;
}

std::string CaptureReader::problem() const {
  if (file_.read_error() != 0) return std::strerror(file_.read_error());
  if (!problem_.empty() || !is_torn_) return problem_;
  return units_per_us_ == 0 ? "it has no whole header" : "its last frame is not whole";
}

bool CaptureReader::has_header() {
  if (units_per_us_ != 0) return true;
  const Bytes header = file_.peek(kFileHeaderSize);
  is_torn_ = header.size() < kFileHeaderSize;
  if (is_torn_) return false;
  const std::uint32_t magic = little32(header, 0);
  if (magic != kMagicMicroseconds && magic != kMagicNanoseconds) {
    problem_ = "it is no capture file of this kind";
    return false;
  }
  constexpr std::uint32_t kNanosecondsPerMicrosecond = 1000;
  units_per_us_ = magic == kMagicNanoseconds ? kNanosecondsPerMicrosecond : 1;
  file_.skip(kFileHeaderSize);
  return true;
}

std::optional<Frame> CaptureReader::next() {
  if (!problem_.empty() || !has_header()) return std::nullopt;
  Bytes record = file_.peek(kRecordHeaderSize);
  is_torn_ = !record.empty() && record.size() < kRecordHeaderSize;
  if (record.size() < kRecordHeaderSize) return std::nullopt;
  const std::uint32_t length = little32(record, 8);
  if (length > kMostFrameBytes) {
    problem_ = "it is damaged: a record is longer than a frame can be";
    return std::nullopt;
  }
  record = file_.peek(kRecordHeaderSize + length);
  is_torn_ = record.size() < kRecordHeaderSize + length;
  if (is_torn_) return std::nullopt;
  Frame frame = describe_frame(record.subspan(kRecordHeaderSize));
  constexpr std::int64_t kMicroseconds = 1'000'000;
  frame.calendar_us = std::int64_t{little32(record, 0)} * kMicroseconds + little32(record, 4) / units_per_us_;
  frame.length_bytes = little32(record, 12);
  file_.skip(kRecordHeaderSize + length);
  return frame;
}

}  // namespace otasim::report
