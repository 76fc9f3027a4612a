#include "agent/app/sntp_message.h"

#include <algorithm>

namespace app::sntp {
namespace {

// The first byte: leap indicator (2 bits), version (3), mode (3).
constexpr std::uint8_t kVersion = 4;
constexpr std::uint8_t kOldestVersion = 3;
constexpr std::uint8_t kModeClient = 3;
constexpr std::uint8_t kModeServer = 4;
constexpr std::uint8_t kClockNotSet = 3;  // leap indicator

constexpr std::uint8_t kHighestStratum = 15;

constexpr std::size_t kStratumAt = 1;
constexpr std::size_t kOriginateAt = 24;
constexpr std::size_t kTransmitAt = 40;

/// From 1900, when NTP's first era begins, to 1970.
constexpr EpochSeconds kEpochInNtpSeconds = 2'208'988'800;
constexpr EpochSeconds kSecondsPerEra = EpochSeconds{1} << 32;
/// RFC 4330, section 3: seconds below this are of the era that begins in 2036, the others of the one before.
constexpr std::uint32_t kEraTurns = 0x8000'0000;

std::uint32_t u32_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at]) << 24 | static_cast<std::uint32_t>(bytes[at + 1]) << 16 |
         static_cast<std::uint32_t>(bytes[at + 2]) << 8 | bytes[at + 3];
}

EpochSeconds epoch_seconds(std::uint32_t ntp_seconds) {
  const EpochSeconds in_first_era = static_cast<EpochSeconds>(ntp_seconds) - kEpochInNtpSeconds;
  return ntp_seconds < kEraTurns ? in_first_era + kSecondsPerEra : in_first_era;
}

Verdict judge(std::span<const std::uint8_t> bytes, const Nonce& nonce) {
  if (bytes.size() < kMessageSize) return Verdict::kTooShort;
  const int leap = bytes[0] >> 6;
  const int version = bytes[0] >> 3 & 7;
  const int mode = bytes[0] & 7;
  const int stratum = bytes[kStratumAt];
  if (version < kOldestVersion || version > kVersion) return Verdict::kOtherVersion;
  if (mode != kModeServer) return Verdict::kNotFromServer;
  if (!std::ranges::equal(bytes.subspan(kOriginateAt, nonce.size()), nonce)) return Verdict::kOtherRequest;
  if (stratum == 0) return Verdict::kRefused;
  if (leap == kClockNotSet || stratum > kHighestStratum) return Verdict::kUnsynchronised;
  if (u32_at(bytes, kTransmitAt) == 0 && u32_at(bytes, kTransmitAt + 4) == 0) return Verdict::kNoTime;
  return Verdict::kOk;
}

}  // namespace

Message make_request(const Nonce& nonce) {
  Message message{};
  message[0] = kVersion << 3 | kModeClient;
  std::ranges::copy(nonce, message.begin() + kTransmitAt);
  return message;
}

Answer read_answer(std::span<const std::uint8_t> bytes, const Nonce& nonce) {
  const Verdict verdict = judge(bytes, nonce);
  if (verdict != Verdict::kOk) return {verdict};
  return {verdict, epoch_seconds(u32_at(bytes, kTransmitAt))};
}

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kTooShort:
      return "it is too short";
    case Verdict::kOtherVersion:
      return "it is of another version";
    case Verdict::kNotFromServer:
      return "it is no server's answer";
    case Verdict::kOtherRequest:
      return "it answers another request";
    case Verdict::kRefused:
      return "the server does not want to be asked";
    case Verdict::kUnsynchronised:
      return "the server's clock is not set";
    case Verdict::kNoTime:
      return "it holds no time";
  }
  return "unknown";
}

}  // namespace app::sntp
