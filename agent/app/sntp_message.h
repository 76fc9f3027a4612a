// SNTP messages as bytes (RFC 4330, RFC 5905): the request, and what may be believed of an answer.
//
//   const Nonce nonce = ...;                        // 64 random bits, new for every request
//   send(make_request(nonce))
//   const Answer answer = read_answer(bytes, nonce);
//   if (answer.verdict == Verdict::kOk) ... answer.time
//
// The request's transmit timestamp is the nonce instead of the time (RFC 9109 and the practice of clients
// that tell nothing of themselves): a server only sends it back, and who cannot see the request cannot forge
// an answer to it. Nobody signs it, though: see calendar_time.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "agent/app/calendar_time.h"

namespace app::sntp {

inline constexpr std::uint16_t kPort = 123;
inline constexpr std::size_t kMessageSize = 48;

using Message = std::array<std::uint8_t, kMessageSize>;
using Nonce = std::array<std::uint8_t, 8>;

enum class Verdict {
  kOk,
  kTooShort,        ///< no whole message; bytes behind one are extensions, and not looked at
  kOtherVersion,    ///< neither 3 nor 4
  kNotFromServer,   ///< another mode than a server's answer
  kOtherRequest,    ///< it does not repeat the nonce: late, or forged by somebody who did not see the request
  kRefused,         ///< stratum 0: the server does not want to be asked ("kiss of death")
  kUnsynchronised,  ///< the server says itself that its clock is not set
  kNoTime,          ///< the timestamp is zero
};

struct Answer {
  Verdict verdict;
  EpochSeconds time = 0;  ///< the server's when it sent it; set if `verdict` is kOk
};

[[nodiscard]] Message make_request(const Nonce& nonce);

/// @returns the first verdict, in their order, that is against it; kOk if none is
[[nodiscard]] Answer read_answer(std::span<const std::uint8_t> bytes, const Nonce& nonce);

[[nodiscard]] const char* to_string(Verdict verdict);

}  // namespace app::sntp
