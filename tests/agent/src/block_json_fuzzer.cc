// Stream blocks in JSON: a block that is taken is what nlohmann's parser sees, too.
//
// Input: a message of streams/S/data/json. The decoder works in the message, which ends where its memory
// ends.
#include <nlohmann/json.hpp>
#include <vector>

#include "agent/src/stream_json.h"
#include "tests/agent/src/fake_environment.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/exact_copy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using nlohmann::json;
  using otasim::testing::claim;
  std::vector<std::uint8_t> message = otasim::testing::exact_copy(data, size);
  std::vector<std::uint8_t> buffer(256);
  ota::Block block;
  if (!ota::stream_json::decode_block(message, buffer, block)) return 0;
  claim(block.payload.size() <= buffer.size(), "the payload fits the buffer");
  const json other = json::parse(data, data + size, nullptr, false);
  if (other.is_discarded()) return 0;
  claim(other["f"] == block.file_id && other["i"] == block.index, "the numbers are the message's");
  claim(other["l"] == block.payload.size(), "the length is the payload's");
  claim(other["p"] == ota_test::base64({block.payload.begin(), block.payload.end()}),
        "the payload is the message's, and base64 has one spelling");
  return 0;
}
