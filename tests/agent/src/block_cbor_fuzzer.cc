// Stream blocks in CBOR: a block that is taken is what nlohmann's reader sees, too.
//
// Input: a message of streams/S/data/cbor.
#include <nlohmann/json.hpp>
#include <vector>

#include "agent/src/stream_cbor.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/exact_copy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using nlohmann::json;
  using otasim::testing::claim;
  std::vector<std::uint8_t> message = otasim::testing::exact_copy(data, size);
  std::vector<std::uint8_t> buffer(256);
  ota::Block block;
  if (!ota::stream_cbor::decode_block(message, buffer, block)) return 0;
  claim(block.payload.data() == buffer.data(), "the payload is in the buffer");
  claim(block.payload.size() <= buffer.size(), "and fits it");
  // That reader knows fewer kinds of values than CBOR has; what both take must be the same.
  const json other = json::from_cbor(data, data + size, false, false, json::cbor_tag_handler_t::ignore);
  if (other.is_discarded()) return 0;
  claim(other["f"] == block.file_id && other["i"] == block.index, "the numbers are the message's");
  claim(other["l"] == block.payload.size(), "the length is the payload's");
  const auto& payload = other["p"].get_binary();
  claim(std::equal(payload.begin(), payload.end(), block.payload.begin(), block.payload.end()),
        "the payload is the message's");
  return 0;
}
