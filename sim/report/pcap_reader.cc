#include "sim/report/pcap_reader.h"

#include <fmt/format.h>

#include <cstring>

namespace otasim::report {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kFileHeaderBytes = 24;
constexpr std::size_t kLinkTypeAt = 20;
constexpr std::size_t kRecordHeaderBytes = 16;
constexpr std::uint32_t kMagicMicroseconds = 0xA1B2C3D4;
constexpr std::uint32_t kMagicNanoseconds = 0xA1B23C4D;
constexpr std::uint32_t kLinkTypeEthernet = 1;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerUs = 1000;

std::uint32_t little32(Bytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} | std::uint32_t{bytes[at + 1]} << 8 | std::uint32_t{bytes[at + 2]} << 16 |
         std::uint32_t{bytes[at + 3]} << 24;
}

}  // namespace

std::string PcapReader::problem() const {
  if (file_.read_error() != 0) return std::strerror(file_.read_error());
  if (!problem_.empty() || !is_torn_) return problem_;
  return ns_per_unit_ == 0 ? "it has no whole header" : "its last frame is not whole";
}

bool PcapReader::has_header() {
  if (ns_per_unit_ != 0) return true;
  if (!problem_.empty()) return false;
  const Bytes header = file_.peek(kFileHeaderBytes);
  is_torn_ = header.size() < kFileHeaderBytes;
  if (is_torn_) return false;
  const std::uint32_t magic = little32(header, 0);
  const bool is_known = magic == kMagicMicroseconds || magic == kMagicNanoseconds;
  if (!is_known || little32(header, kLinkTypeAt) != kLinkTypeEthernet) {
    problem_ = "it is no capture of a device's link";
    return false;
  }
  ns_per_unit_ = magic == kMagicNanoseconds ? 1 : kNsPerUs;
  file_.skip(kFileHeaderBytes);
  return true;
}

std::optional<CapturedFrame> PcapReader::next() {
  if (!problem_.empty() || !has_header()) return std::nullopt;
  Bytes record = file_.peek(kRecordHeaderBytes);
  is_torn_ = !record.empty() && record.size() < kRecordHeaderBytes;
  if (record.size() < kRecordHeaderBytes) return std::nullopt;
  const std::uint32_t kept = little32(record, 8);
  if (kept > CapturedFrame::kMaxBytes) {
    problem_ = fmt::format("it is damaged: a frame claims {} bytes", kept);
    return std::nullopt;
  }
  record = file_.peek(kRecordHeaderBytes + kept);
  is_torn_ = record.size() < kRecordHeaderBytes + kept;
  if (is_torn_) return std::nullopt;
  CapturedFrame frame{
      .calendar_ns = std::int64_t{little32(record, 0)} * kNsPerSecond + little32(record, 4) * ns_per_unit_,
      .wire_bytes = little32(record, 12),
      .bytes = {record.begin() + kRecordHeaderBytes, record.end()}};
  file_.skip(record.size());
  return frame;
}

}  // namespace otasim::report
