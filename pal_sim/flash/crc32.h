// CRC-32 as in IEEE 802.3 and zlib (reflected polynomial 0xEDB88320): the check value of records in flash.
//
// It finds torn and damaged records; it is no protection against someone who writes them on purpose.
#pragma once

#include <cstdint>
#include <span>

namespace flash {

/// @param previous  the result for the bytes before `data`, so that a range can be taken in pieces
[[nodiscard]] std::uint32_t crc32(std::span<const std::uint8_t> data, std::uint32_t previous = 0);

}  // namespace flash
