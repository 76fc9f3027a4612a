// What the device makes of a datagram from the time server's address.
//
// Input: the nonce of the request (8 bytes), then the datagram. It is believed if and only if each of the
// fields that RFC 4330 has a client check is right, taken from the bytes one by one; then the time is the
// transmit timestamp's, between 1968 and 2104.
#include <algorithm>
#include <cstdint>

#include "agent/app/sntp_message.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/exact_copy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace app::sntp;
  using otasim::testing::claim;
  Nonce nonce{};
  if (size < nonce.size()) return 0;
  std::copy_n(data, nonce.size(), nonce.begin());
  const auto bytes = otasim::testing::exact_copy(data + nonce.size(), size - nonce.size());
  const Answer answer = read_answer(bytes, nonce);

  const auto at = [&bytes](std::size_t i) -> unsigned { return bytes[i]; };
  bool is_right = bytes.size() >= kMessageSize;
  is_right = is_right && (at(0) >> 6) != 3 && ((at(0) >> 3 & 7) == 3 || (at(0) >> 3 & 7) == 4);
  is_right = is_right && (at(0) & 7) == 4 && at(1) >= 1 && at(1) <= 15;
  for (std::size_t i = 0; i < nonce.size(); ++i) is_right = is_right && at(24 + i) == nonce[i];
  bool has_time = false;
  for (std::size_t i = 40; is_right && i < 48; ++i) has_time = has_time || at(i) != 0;
  claim((answer.verdict == Verdict::kOk) == (is_right && has_time),
        "what is right is believed, nothing else");

  if (answer.verdict != Verdict::kOk) {
    claim(answer.time == 0, "no time without belief");
    return 0;
  }
  constexpr app::EpochSeconds kFirst = -61'505'152;   // 1968-01-20T03:14:08Z
  constexpr app::EpochSeconds kLast = 4'233'462'143;  // 2104-02-26T09:42:23Z
  claim(answer.time >= kFirst && answer.time <= kLast, "one of the two eras");
  const auto seconds = static_cast<std::uint32_t>(answer.time + 2'208'988'800);
  claim(seconds == (at(40) << 24 | at(41) << 16 | at(42) << 8 | at(43)), "the transmit timestamp");
  return 0;
}
