// What the SHA-256 program hashes, for itself and for the benchmark that checks its answer.
#pragma once

#include <cstdint>

namespace sha_program {

/// A block of RAM, hashed over and over: in all, this many bytes a round.
inline constexpr std::uint32_t kBlockBytes = 64 * 1024;
inline constexpr std::uint32_t kBlocks = 512;

constexpr std::uint8_t byte_at(std::uint32_t i) {
  return static_cast<std::uint8_t>(i * 31 + (i >> 8));
}

}  // namespace sha_program
