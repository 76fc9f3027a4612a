// The two JSON messages of an MQTT file stream: the request for blocks, and one block.
//
// The request asks for a run of blocks by offset and count, as the successors of AWS's library do. A block
// comes in base64.
#pragma once

#include <span>

#include "agent/src/stream_message.h"

namespace ota::stream_json {

inline constexpr std::size_t kMaxRequest = 96;

/// A format: file id, block size, first block, number of blocks.
inline constexpr const char* kRequest = R"({"c":"rdy","f":%d,"l":%d,"o":%d,"n":%d})";

/// Takes an object with f, i, l and p; other keys are passed over. Works in `message`, and decodes the
/// payload to `buffer`.
/// @returns false if the message is malformed, a key is missing or stands there twice, a number is not one
/// of 32 bits, the payload is not base64 or exceeds `buffer`, or `l` is not its length.
[[nodiscard]] bool decode_block(std::span<std::uint8_t> message, std::span<std::uint8_t> buffer, Block& out);

}  // namespace ota::stream_json
