// The stream's CBOR: an independent library is the oracle for what is sent and the source of what is
// received.
#include "agent/src/stream_cbor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <vector>

namespace ota::stream_cbor {
namespace {

using Bytes = std::vector<std::uint8_t>;
using nlohmann::json;

struct Decoded {
  std::uint32_t file_id;
  std::uint32_t index;
  Bytes payload;
};

/// Decodes a copy that ends where its memory ends.
std::optional<Decoded> decode(const Bytes& message, std::size_t capacity = 4096) {
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[message.size()]);
  std::ranges::copy(message, exact.get());
  Bytes buffer(capacity);
  Block block;
  if (!decode_block({exact.get(), message.size()}, buffer, block)) return std::nullopt;
  return Decoded{block.file_id, block.index, {block.payload.begin(), block.payload.end()}};
}

json block(std::uint64_t file_id, std::uint64_t index, const Bytes& payload) {
  return {{"f", file_id}, {"i", index}, {"l", payload.size()}, {"p", json::binary(payload)}};
}

TEST(BlockRequest, IsTheMapTheServiceExpects) {
  const Bytes bitmap{0xFF, 0x80, 0x01};
  std::array<std::uint8_t, 256> out{};
  const auto size = encode_request(
      {.file_id = 255, .block_size = 4096, .offset = 70000, .bitmap = bitmap, .block_count = 16}, out);
  ASSERT_NE(size, 0U);
  const auto request = json::from_cbor(Bytes(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)));
  EXPECT_EQ(
      request,
      json({{"c", "rdy"}, {"f", 255}, {"l", 4096}, {"o", 70000}, {"b", json::binary(bitmap)}, {"n", 16}}));
  EXPECT_EQ(out[0], 0xA6) << "a definite map of six";
}

TEST(BlockRequest, FitsExactlyOrIsRefused) {
  const Bytes bitmap(128, 0xFF);
  const BlockRequest request{
      .file_id = 1, .block_size = 4096, .offset = 0, .bitmap = bitmap, .block_count = 1};
  std::array<std::uint8_t, 256> out{};
  const auto size = encode_request(request, out);
  ASSERT_NE(size, 0U);
  EXPECT_EQ(encode_request(request, std::span(out).first(size)), size);
  for (std::size_t less = 0; less < size; ++less) {
    EXPECT_EQ(encode_request(request, std::span(out).first(less)), 0U) << less;
  }
}

TEST(BlockMessage, RoundTripsThroughAnotherLibrary) {
  for (const std::size_t size : {0U, 1U, 23U, 24U, 255U, 256U, 4095U, 4096U}) {
    const Bytes payload(size, 0x5A);
    const auto decoded = decode(json::to_cbor(block(3, 70'000, payload)));
    ASSERT_TRUE(decoded) << size;
    EXPECT_EQ(decoded->file_id, 3U);
    EXPECT_EQ(decoded->index, 70'000U);
    EXPECT_EQ(decoded->payload, payload);
  }
}

TEST(BlockMessage, UnknownKeysArePassedOver) {
  json message = block(0, 0, {1});
  message["c"] = "rdy";
  message["zz"] = 5;
  message["much longer"] = 5;
  message["longer than any key we know"] = "text";
  EXPECT_TRUE(decode(json::to_cbor(message)));
  message["nested"] = {1, 2};
  EXPECT_FALSE(decode(json::to_cbor(message))) << "skipping it would recurse";
}

TEST(BlockMessage, EachKeyIsRequired) {
  for (const char* key : {"f", "i", "l", "p"}) {
    json message = block(0, 0, {1});
    message.erase(key);
    EXPECT_FALSE(decode(json::to_cbor(message))) << key;
  }
}

TEST(BlockMessage, WrongTypesAreRefused) {
  for (const char* key : {"f", "i", "l", "p"}) {
    for (const json& value :
         std::vector<json>{"1", -1, 1.5, nullptr, json::array({1}), json::object(), true}) {
      json message = block(0, 0, {1});
      message[key] = value;
      EXPECT_FALSE(decode(json::to_cbor(message))) << key << " " << value;
    }
  }
}

TEST(BlockMessage, NumbersBeyond32BitsAreRefused) {
  EXPECT_TRUE(decode(json::to_cbor(block(0, UINT32_MAX, {}))));
  EXPECT_FALSE(decode(json::to_cbor(block(0, std::uint64_t{UINT32_MAX} + 1, {}))));
  EXPECT_FALSE(decode(json::to_cbor(block(UINT64_MAX, 0, {}))));
}

TEST(BlockMessage, LengthMustBeThePayloads) {
  json message = block(0, 0, {1, 2});
  message["l"] = 1;
  EXPECT_FALSE(decode(json::to_cbor(message)));
}

TEST(BlockMessage, PayloadMustFitTheBuffer) {
  EXPECT_TRUE(decode(json::to_cbor(block(0, 0, Bytes(100))), 100));
  EXPECT_FALSE(decode(json::to_cbor(block(0, 0, Bytes(101))), 100));
}

TEST(BlockMessage, DuplicateKeysAreRefused) {
  // {"f":0,"i":0,"l":1,"p":h'01',"i":1}
  EXPECT_FALSE(decode({0xA5, 0x61, 'f', 0, 0x61, 'i', 0, 0x61, 'l', 1, 0x61, 'p', 0x41, 1, 0x61, 'i', 1}));
}

TEST(BlockMessage, EveryTruncationIsRefused) {
  const Bytes message = json::to_cbor(block(1, 300, Bytes(300, 7)));
  for (std::size_t size = 0; size < message.size(); ++size) {
    ASSERT_FALSE(decode(Bytes(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size)))) << size;
  }
}

TEST(BlockMessage, HostileLengthsAreRefused) {
  const std::vector<Bytes> hostile = {
      {},
      {0xFF},
      {0xA1},
      {0x80},
      {0xBB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},                   // a map of 2^64-1
      {0xA1, 0x61, 'p', 0x5B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},  // a string of 2^64-1
      {0xA1, 0x61, 'p', 0x5A, 0xFF, 0xFF, 0xFF, 0xFF},
      {0xA1, 0x7B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 'p'},
      {0xA1, 0x61, 'x', 0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
      {0xBF, 0x61, 'p', 0x5F, 0x41, 1, 0x5F, 0xFF},
      Bytes(5000, 0x81),  // arrays in arrays
      Bytes(5000, 0xBF),  // maps in maps
      Bytes(5000, 0xC6),  // tags of tags
  };
  for (const Bytes& message : hostile) EXPECT_FALSE(decode(message));
}

TEST(BlockMessage, IndefiniteFormsAreUnderstood) {
  // {_ "f":1,"i":2,"l":3,"p":(_ h'0102' h'03')}
  const auto decoded = decode(
      {0xBF, 0x61, 'f', 1, 0x61, 'i', 2, 0x61, 'l', 3, 0x61, 'p', 0x5F, 0x42, 1, 2, 0x41, 3, 0xFF, 0xFF});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->payload, (Bytes{1, 2, 3}));
}

TEST(BlockMessage, TooManyKeysAreRefused) {
  json message = block(0, 0, {1});
  for (char c = 'A'; c <= 'M'; ++c) message[std::string(1, c)] = 0;
  EXPECT_FALSE(decode(json::to_cbor(message)));
}

TEST(BlockMessage, RandomDamageNeverReadsBeyondTheMessage) {
  const Bytes good = json::to_cbor(block(1, 2, Bytes(64, 7)));
  std::mt19937 random(11);
  for (int i = 0; i < 100'000; ++i) {
    Bytes damaged = good;
    for (auto edits = random() % 4 + 1; edits != 0; --edits) {
      damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
    }
    damaged.resize(random() % (damaged.size() + 1));
    const auto decoded = decode(damaged, 64);
    EXPECT_TRUE(!decoded || decoded->payload.size() <= 64U);
  }
}

}  // namespace
}  // namespace ota::stream_cbor
