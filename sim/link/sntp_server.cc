#include "sim/link/sntp_server.h"

#include <chrono>
#include <utility>

namespace otasim::link {
namespace {

// RFC 4330, section 4: the first byte is leap indicator (2 bits), version (3) and mode (3).
constexpr std::uint8_t kModeClient = 3;
constexpr std::uint8_t kModeServer = 4;
constexpr int kOldestVersion = 1;
constexpr int kNewestVersion = 4;
constexpr std::uint8_t kPrimaryServer = 1;  // stratum
constexpr std::uint8_t kPrecisionOneSecond = 0;
constexpr std::size_t kPollAt = 2;
constexpr std::size_t kTransmitAt = 40;
constexpr std::size_t kTimestampBytes = 8;
/// "LOCL": an uncalibrated local clock.
constexpr std::uint32_t kReferenceLocalClock = 0x4c4f434c;
/// 1900 to 1970; timestamps wrap around in 2036, and clients know.
constexpr std::uint64_t kEpochInNtpSeconds = 2'208'988'800;

std::int64_t system_seconds() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

void append_timestamp(std::vector<std::uint8_t>& out, std::int64_t epoch_seconds) {
  const auto wrapped =
      static_cast<std::uint32_t>(static_cast<std::uint64_t>(epoch_seconds) + kEpochInNtpSeconds);
  append_u32(out, wrapped);
  append_u32(out, 1);  // a fraction, because an all-zero timestamp means that there is none
}

}  // namespace

SntpServer::SntpServer(EpochClock now) : now_(now ? std::move(now) : EpochClock(system_seconds)) {}

std::optional<SntpReply> SntpServer::answer(Bytes request, std::int64_t offset_s) const {
  if (request.size() != kSntpMessageBytes) return std::nullopt;
  const int version = request[0] >> 3 & 7;
  const int mode = request[0] & 7;
  if (mode != kModeClient || version < kOldestVersion || version > kNewestVersion) return std::nullopt;

  SntpReply reply{.time = now_() + offset_s};
  auto& out = reply.payload;
  out.reserve(kSntpMessageBytes);
  out.insert(out.end(), {static_cast<std::uint8_t>(version << 3 | kModeServer), kPrimaryServer,
                         request[kPollAt], kPrecisionOneSecond});
  append_u32(out, 0);  // root delay
  append_u32(out, 0);  // root dispersion
  append_u32(out, kReferenceLocalClock);
  append_timestamp(out, reply.time);  // reference
  const Bytes originate = request.subspan(kTransmitAt, kTimestampBytes);
  out.insert(out.end(), originate.begin(), originate.end());
  append_timestamp(out, reply.time);  // receive
  append_timestamp(out, reply.time);  // transmit
  return reply;
}

}  // namespace otasim::link
