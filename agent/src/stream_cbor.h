// The two CBOR messages of an MQTT file stream: the request for blocks, and one block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "agent/src/stream_message.h"

namespace ota::stream_cbor {

/// The request names its blocks by `request.bitmap`.
/// @returns the bytes written to `out`, 0 if it is too small.
[[nodiscard]] std::size_t encode_request(const BlockRequest& request, std::span<std::uint8_t> out);

/// Takes a map with f, i, l and p in any order; other keys are passed over, unless their values are nested.
/// The payload is copied to `buffer`.
/// @returns false if the message is malformed, a key is missing or stands there twice, a number is negative
/// or exceeds 32 bits, `l` is not the payload's length, or the payload exceeds `buffer`.
[[nodiscard]] bool decode_block(std::span<const std::uint8_t> message, std::span<std::uint8_t> buffer,
                                Block& out);

}  // namespace ota::stream_cbor
