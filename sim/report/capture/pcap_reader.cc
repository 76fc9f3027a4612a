#include "sim/report/capture/pcap_reader.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace otasim::report::capture {
namespace {

constexpr std::uint32_t kMagicMicroseconds = 0xA1B2C3D4;
constexpr std::uint32_t kMagicNanoseconds = 0xA1B23C4D;
constexpr std::uint32_t kLinkTypeEthernet = 1;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerUs = 1000;

using FileHeader = std::array<std::uint32_t, 6>;    // magic, version, zone, accuracy, snapshot, link type
using RecordHeader = std::array<std::uint32_t, 4>;  // seconds, their part, bytes kept, bytes on the wire

}  // namespace

Result<PcapReader> PcapReader::open(const std::string& path) {
  File file(std::fopen(path.c_str(), "rbe"));
  if (!file) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot read the capture '{}': {}.", path, std::strerror(errno)));
  }
  FileHeader header{};
  const bool is_whole = std::fread(header.data(), sizeof header, 1, file.get()) == 1;
  const bool is_known = header[0] == kMagicNanoseconds || header[0] == kMagicMicroseconds;
  if (!is_whole || !is_known || header[5] != kLinkTypeEthernet) {
    return fail(ExitCode::kUsage, fmt::format("'{}' is no capture of a device's link.", path));
  }
  return PcapReader(std::move(file), header[0] == kMagicNanoseconds ? 1 : kNsPerUs);
}

bool PcapReader::next(CapturedFrame& frame) {
  RecordHeader header{};
  const std::size_t got = std::fread(header.data(), 1, sizeof header, file_.get());
  if (got == 0) return false;
  const auto [seconds, part, kept, wire] = header;
  if (got == sizeof header && kept > kMaxFrameBytes) {
    problem_ = fmt::format("a frame claims {} bytes", kept);
    return false;
  }
  frame.bytes.resize(got == sizeof header ? kept : 0);
  if (got != sizeof header || std::fread(frame.bytes.data(), 1, kept, file_.get()) != kept) {
    problem_ = "its last frame is not whole";
    return false;
  }
  frame.calendar_ns = std::int64_t{seconds} * kNsPerSecond + std::int64_t{part} * ns_per_unit_;
  frame.wire_bytes = wire;
  return true;
}

}  // namespace otasim::report::capture
