// The stream's JSON blocks: what an independent library writes is read, and nothing hostile passes.
#include "agent/src/stream_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "tests/agent/src/fake_environment.h"

namespace ota::stream_json {
namespace {

using nlohmann::json;
using Bytes = std::vector<std::uint8_t>;

struct Decoded {
  std::uint32_t file_id;
  std::uint32_t index;
  Bytes payload;
};

std::optional<Decoded> decode(std::string text, std::size_t capacity = 4096) {
  Bytes message(text.begin(), text.end());
  message.shrink_to_fit();
  Bytes buffer(capacity);
  Block block;
  if (!decode_block(message, buffer, block)) return std::nullopt;
  return Decoded{block.file_id, block.index, {block.payload.begin(), block.payload.end()}};
}

json good() {
  return {{"f", 3}, {"i", 70'000}, {"l", 4}, {"p", "AP//AQ=="}, {"c", "rdy"}};
}

TEST(JsonBlock, IsReadCompletely) {
  const auto block = decode(good().dump());
  ASSERT_TRUE(block);
  EXPECT_EQ(block->file_id, 3U);
  EXPECT_EQ(block->index, 70'000U);
  EXPECT_EQ(block->payload, (Bytes{0x00, 0xFF, 0xFF, 0x01}));
}

TEST(JsonBlock, EscapedSlashesAreUnderstood) {
  const auto block = decode(R"({"f":0,"i":0,"l":4,"p":"AP\/\/AQ=="})");
  ASSERT_TRUE(block);
  EXPECT_EQ(block->payload, (Bytes{0x00, 0xFF, 0xFF, 0x01}));
}

TEST(JsonBlock, EveryBlockSizeSurvivesTheRoundTrip) {
  for (const std::size_t size : {0U, 1U, 2U, 3U, 255U, 4095U, 4096U}) {
    Bytes payload(size);
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<std::uint8_t>(i * 7);
    const json message = {{"f", 0}, {"i", 1}, {"l", size}, {"p", ota_test::base64(payload)}};
    const auto block = decode(message.dump());
    ASSERT_TRUE(block) << size;
    EXPECT_EQ(block->payload, payload);
  }
}

TEST(JsonBlock, MissingKeysAreRefused) {
  for (const char* key : {"f", "i", "l", "p"}) {
    json message = good();
    message.erase(key);
    EXPECT_FALSE(decode(message.dump())) << key;
  }
}

TEST(JsonBlock, WrongValuesAreRefused) {
  const std::vector<std::pair<const char*, json>> wrong = {
      {"f", "3"},           {"f", -1},        {"f", 4294967296},  {"f", 1.5}, {"i", nullptr},
      {"i", "0"},           {"l", 3},         {"l", 5},           {"l", "4"}, {"p", 1},
      {"p", json::array()}, {"p", "AP//AQ="}, {"p", "AP//AQ==="}, {"p", "A"}, {"p", "AP//AQ=x"},
      {"p", "\u20ac"}};
  for (const auto& [key, value] : wrong) {
    json message = good();
    message[key] = value;
    EXPECT_FALSE(decode(message.dump())) << key << " " << value;
  }
}

TEST(JsonBlock, PayloadMustFitTheBuffer) {
  EXPECT_TRUE(decode(good().dump(), 4));
  EXPECT_FALSE(decode(good().dump(), 3));
}

TEST(JsonBlock, EveryTruncationAndADoubleKeyAreRefused) {
  const std::string text = good().dump();
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(decode(text.substr(0, size))) << size;
  EXPECT_FALSE(decode(R"({"f":0,"i":0,"l":1,"p":"AA==","p":"AA=="})"));
  EXPECT_FALSE(decode(R"({"f":0,"f":0,"i":0,"l":1,"p":"AA=="})"));
}

}  // namespace
}  // namespace ota::stream_json
