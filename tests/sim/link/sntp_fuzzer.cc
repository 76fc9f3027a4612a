// The time server: what gets an answer is a client's request of a version that it knows, and nothing else.
//
// Input: a UDP payload. However it is made, an answer is one message of 48 bytes that a client takes: mode
// server, the client's version, stratum 1, its own transmit time as the originate time, and the lab's time.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sim/link/sntp_server.h"
#include "tests/fuzzing/claim.h"

namespace {

using namespace otasim::link;
using otasim::testing::claim;

constexpr std::int64_t kNow = 1'700'000'000;

bool is_clients_request(Bytes message) {
  if (message.size() != 48) return false;
  const int version = (message[0] & 0x38) / 8;
  return message[0] % 8 == 3 && version != 0 && version < 5;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes request(data, size);
  const SntpServer server([] { return kNow; });
  const auto reply = server.answer(request);
  claim(reply.has_value() == is_clients_request(request), "clients' requests are answered, and nothing else");
  if (!reply) return 0;
  const Bytes message = reply->payload;
  claim(message.size() == 48, "an answer is one message");
  claim(message[0] == ((request[0] & 0x38) | 4), "a server's, in the client's version");
  claim(message[1] == 1 && message[2] == request[2], "of a primary server, with the client's poll interval");
  claim(std::equal(message.begin() + 24, message.begin() + 32, request.begin() + 40),
        "the client knows it as the answer to its own request");
  claim(read_u32(message, 32) == 3'908'988'800 && read_u32(message, 40) == 3'908'988'800, "the lab's time");
  return 0;
}
