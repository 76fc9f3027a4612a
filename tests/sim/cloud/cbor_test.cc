#include "sim/cloud/cbor.h"

#include <gmock/gmock.h>

#include <random>

#include "sim/base/json.h"

namespace otasim::cloud {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::string cbor(const nlohmann::json& json) {
  std::string text;
  nlohmann::json::to_cbor(json, text);
  return text;
}

std::string raw(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text += static_cast<char>(byte);
  return text;
}

TEST(Cbor, ReadsWhatAnotherEncoderWrote) {
  const auto map = read_cbor_map(cbor({{"c", "rdy"},
                                       {"f", 0},
                                       {"l", 4096},
                                       {"o", 98304},
                                       {"x", -500},
                                       {"b", nlohmann::json::binary({0x13, 0x00, 0x80})},
                                       {"deep", {{"a", {1, 2, {{"b", nullptr}}}}}},
                                       {"pi", 3.5},
                                       {"yes", true}}));
  ASSERT_TRUE(map);
  EXPECT_EQ(std::get<std::string>(map->at("c")), "rdy");
  EXPECT_EQ(std::get<std::int64_t>(map->at("f")), 0);
  EXPECT_EQ(std::get<std::int64_t>(map->at("l")), 4096);
  EXPECT_EQ(std::get<std::int64_t>(map->at("o")), 98304);
  EXPECT_EQ(std::get<std::int64_t>(map->at("x")), -500);
  EXPECT_EQ(std::get<Bytes>(map->at("b")), (Bytes{0x13, 0x00, 0x80}));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(map->at("deep")));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(map->at("pi")));
}

TEST(Cbor, WritesWhatAnotherDecoderReads) {
  CborWriter writer;
  const Bytes bytes(300, 0xAB);
  writer.map(5);
  for (const std::int64_t number : {std::int64_t{23}, std::int64_t{255}, std::int64_t{65536},
                                    std::int64_t{1} << 40, std::int64_t{-300}}) {
    writer.text(std::to_string(number));
    writer.integer(number);
  }
  const auto numbers = nlohmann::json::from_cbor(writer.result());
  for (const auto& [key, value] : numbers.items()) EXPECT_EQ(std::to_string(value.get<std::int64_t>()), key);

  CborWriter second;
  second.map(1);
  second.text("p");
  second.bytes(bytes);
  EXPECT_EQ(nlohmann::json::from_cbor(second.result())["p"].get_binary(),
            nlohmann::json::binary(bytes).get_binary());
}

TEST(Cbor, ReadsChunksTagsAndIndefiniteMaps) {
  // {_ "b": (_ h'01', h'02'), "f": tag 1 (7)}
  const auto map =
      read_cbor_map(raw({0xBF, 0x61, 'b', 0x5F, 0x41, 0x01, 0x41, 0x02, 0xFF, 0x61, 'f', 0xC1, 0x07, 0xFF}));
  ASSERT_TRUE(map);
  EXPECT_EQ(std::get<Bytes>(map->at("b")), (Bytes{1, 2}));
  EXPECT_EQ(std::get<std::int64_t>(map->at("f")), 7);
}

TEST(Cbor, RefusesWhatIsMalformed) {
  const std::string good = cbor({{"f", 0}, {"l", 4096}});
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(read_cbor_map(std::string_view(good).substr(0, cut))) << cut;
  }
  EXPECT_FALSE(read_cbor_map(good + "x")) << "bytes after the map";
  EXPECT_FALSE(read_cbor_map(cbor({1, 2}))) << "an array";
  EXPECT_FALSE(read_cbor_map(raw({0xA1, 0x01, 0x01}))) << "a key that is a number";
  EXPECT_FALSE(read_cbor_map(raw({0xA2, 0x61, 'f', 0, 0x61, 'f', 0}))) << "a key twice";
  EXPECT_FALSE(read_cbor_map(raw({0xA1, 0x61, 'f', 0x1C}))) << "a reserved length";
  EXPECT_FALSE(read_cbor_map(raw({0xA1, 0x61, 'f', 0xFF}))) << "a break out of place";
  EXPECT_FALSE(read_cbor_map(raw({0xA1, 0x61, 'f', 0xF8, 0x1F})))
      << "a simple value in two bytes that has one";
  EXPECT_TRUE(read_cbor_map(raw({0xA1, 0x61, 'f', 0xF8, 0x20}))) << "a simple value that needs two bytes";
  EXPECT_FALSE(read_cbor_map(raw({0xBB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}))) << "a huge count";
  EXPECT_FALSE(read_cbor_map(raw({0xA1, 0x61, 'b', 0x5B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})));
}

TEST(Cbor, ANestThatNeverEndsIsRefusedAtOnce) {
  EXPECT_FALSE(read_cbor_map(raw({0xA1, 0x61, 'x'}) + std::string(128 * 1024, static_cast<char>(0x81))));
  EXPECT_FALSE(read_cbor_map(raw({0xA1, 0x61, 'x'}) + std::string(128 * 1024, static_cast<char>(0x9F))));
  EXPECT_FALSE(read_cbor_map(raw({0xA1, 0x61, 'x'}) + std::string(128 * 1024, static_cast<char>(0xC1))));
}

TEST(Cbor, AnyBytesAreReadOrRefused) {
  std::mt19937 random(1);
  const std::string good = cbor({{"c", "rdy"}, {"f", 0}, {"b", nlohmann::json::binary({1, 2, 3})}});
  int accepted = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string bytes = good;
    for (int changes = 0; changes < 3; ++changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (read_cbor_map(bytes)) ++accepted;
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 50'000);
}

}  // namespace
}  // namespace otasim::cloud
