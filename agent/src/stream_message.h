// What the messages of an MQTT file stream say, in either format.
#pragma once

#include <cstdint>
#include <span>

namespace ota {

struct BlockRequest {
  std::uint32_t file_id = 0;
  std::uint32_t block_size = 0;
  std::uint32_t offset = 0;              ///< the first block of the bitmap, or of the run
  std::span<const std::uint8_t> bitmap;  ///< wanted blocks from `offset` on (CBOR only)
  std::uint32_t block_count = 0;         ///< how many of them to send now
};

struct Block {
  std::uint32_t file_id = 0;
  std::uint32_t index = 0;
  std::span<std::uint8_t> payload;
};

}  // namespace ota
