// A guest that hashes RAM with SHA-256 (FIPS 180-4) and reports on the UART: "begin", then the digest. It
// neither knows nor touches flash, so that all that a flash plugin costs it is the plugin's.
#include "tests/bench/sha_program.h"

#include <cstdint>

extern "C" std::uint32_t stack_top;
extern "C" [[noreturn]] void reset_handler();

namespace {

constexpr std::uint32_t kUart = 0x4000'4000;
constexpr std::uint32_t kRam = 0x2010'0000;
constexpr std::uint32_t kChunk = 64;

constexpr std::uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

struct State {
  std::uint32_t words[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
};

volatile std::uint32_t& word(std::uint32_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

void put(char c) {
  word(kUart) = static_cast<std::uint8_t>(c);
}

void say(const char* text) {
  while (*text != '\0') put(*text++);
}

std::uint32_t rotate(std::uint32_t value, unsigned by) {
  return value >> by | value << (32 - by);
}

std::uint32_t big_endian(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[0]) << 24 | static_cast<std::uint32_t>(at[1]) << 16 |
         static_cast<std::uint32_t>(at[2]) << 8 | at[3];
}

void hash_chunk(State& state, const std::uint8_t* chunk) {
  std::uint32_t w[64];
  for (unsigned i = 0; i < 16; ++i) w[i] = big_endian(chunk + 4 * i);
  for (unsigned i = 16; i < 64; ++i) {
    const std::uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    const std::uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state.words;
  for (unsigned i = 0; i < 64; ++i) {
    const std::uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const std::uint32_t first = h + s1 + ((e & f) ^ (~e & g)) + kRounds[i] + w[i];
    const std::uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const std::uint32_t second = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  const std::uint32_t added[8] = {a, b, c, d, e, f, g, h};
  for (unsigned i = 0; i < 8; ++i) state.words[i] += added[i];
}

void finish(State& state, std::uint64_t bytes) {
  std::uint8_t last[kChunk] = {0x80};
  for (unsigned i = 0; i < 8; ++i) last[kChunk - 1 - i] = static_cast<std::uint8_t>(bytes * 8 >> (8 * i));
  hash_chunk(state, last);
}

void report(const State& state) {
  for (const std::uint32_t value : state.words) {
    for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[(value >> shift) & 0xF]);
  }
  put('\n');
}

}  // namespace

extern "C" void reset_handler() {
  using namespace sha_program;
  word(kUart + 8) = 1;    // transmit enable
  word(kUart + 16) = 16;  // the smallest legal baud divisor
  auto* const block = reinterpret_cast<std::uint8_t*>(kRam);
  for (std::uint32_t i = 0; i < kBlockBytes; ++i) block[i] = byte_at(i);
  say("begin\n");
  State state;
  for (std::uint32_t i = 0; i < kBlocks; ++i) {
    for (std::uint32_t at = 0; at < kBlockBytes; at += kChunk) hash_chunk(state, block + at);
  }
  finish(state, std::uint64_t{kBlockBytes} * kBlocks);
  report(state);
  for (;;) asm volatile("wfi");
}

// What the compiler may call for copies and initial values.
extern "C" void* memcpy(void* to, const void* from, unsigned size) {
  auto* out = static_cast<volatile std::uint8_t*>(to);
  const auto* in = static_cast<const std::uint8_t*>(from);
  for (unsigned i = 0; i < size; ++i) out[i] = in[i];
  return to;
}
extern "C" void* memset(void* to, int value, unsigned size) {
  auto* out = static_cast<volatile std::uint8_t*>(to);
  for (unsigned i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(value);
  return to;
}

extern "C" [[gnu::section(".vectors"), gnu::used]] const void* const vectors[] = {
    &stack_top, reinterpret_cast<const void*>(reset_handler)};
