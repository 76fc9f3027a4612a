// The JSON reader: strict, bounded, and of one mind with an independent parser.
#include "agent/src/json_document.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "agent/src/json_values.h"

namespace ota {
namespace {

bool is_parsed(std::string_view text) {
  JsonDocument json;
  return json.parse(text);
}

TEST(JsonDocument, AcceptsObjectsOfAllKinds) {
  for (const char* text : {"{}", " { } \n", R"({"a":1})", R"({"a":[],"b":{},"c":[1,2,{"d":null}]})",
                           R"({"a":-0.5e+3,"b":true,"c":false,"d":"\u00e9\"\\\/\b\f\n\r\t"})"}) {
    EXPECT_TRUE(is_parsed(text)) << text;
  }
}

TEST(JsonDocument, RefusesWhatIsNotOneObject) {
  for (const char* text : {"", " ", "[]", "1", "\"a\"", "{}{}", "{} x", "{},", "null", "{}]"}) {
    EXPECT_FALSE(is_parsed(text)) << text;
  }
}

TEST(JsonDocument, RefusesLaxSyntax) {
  for (const char* text :
       {R"({"a"})",         R"({"a":})",         R"({"a" 1})",     R"({"a":1,})",     R"({,"a":1})",
        R"({"a":1 "b":2})", R"({"a":1,,"b":2})", R"({"a":[1,]})",  R"({"a":[,1]})",   R"({"a":[1 2]})",
        R"({"a":[1:2]})",   R"({"a"::1})",       R"({"a":1:2})",   R"({1:2})",        R"({a:1})",
        R"({'a':1})",       R"({"a":tru})",      R"({"a":truex})", R"({"a":01})",     R"({"a":1.})",
        R"({"a":.1})",      R"({"a":+1})",       R"({"a":1e})",    R"({"a":0x10})",   R"({"a":-})",
        R"({"a":"\x"})",    R"({"a":"\u12"})",   R"({"a":[1})",    R"({"a":{"b":1])", R"({"a":1)",
        R"({"a")",          "{\"a\":\"\n\"}",    R"({[]:1})",      R"({"a":1}:)",     R"({"a":{"b" "c"}})",
        R"({"a" , "b"})",   R"({"a":"b":"c"})"}) {
    EXPECT_FALSE(is_parsed(text)) << text;
  }
}

TEST(JsonDocument, RefusesAnEmbeddedNul) {
  EXPECT_FALSE(is_parsed(std::string_view("{\"a\":1}\0", 8)));
  EXPECT_FALSE(is_parsed(std::string_view("{\"a\":1\0}", 8)));
}

TEST(JsonDocument, RefusesDeepNestingAndTooManyValues) {
  const auto nested = [](std::size_t depth) {
    return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(is_parsed(nested(JsonDocument::kMaxDepth - 1)));
  EXPECT_FALSE(is_parsed(nested(JsonDocument::kMaxDepth)));
  EXPECT_FALSE(is_parsed(nested(100'000)));
  std::string many = R"({"a":[0)";
  for (std::size_t i = 0; i < JsonDocument::kMaxTokens; ++i) many += ",0";
  EXPECT_FALSE(is_parsed(many + "]}"));
}

TEST(JsonDocument, EveryTruncationIsRefused) {
  const std::string text = R"({"a":[1,{"b":"c\u0041"}],"d":{"e":null}})";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(is_parsed(std::string(text, 0, size))) << size;
  }
}

TEST(JsonDocument, AgreesWithAnotherParserOnMutations) {
  const std::string seed_text = R"({"a":[1,{"b":"c\u0041"}, -2.5e1],"d":{"e":null,"f":true}})";
  const std::string alphabet = R"({}[]:,"\ 01-.eaunlt)";
  std::mt19937 random(7);
  std::size_t accepted = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::string text = seed_text;
    for (auto edit = random() % 3 + 1; edit != 0; --edit) {
      const std::size_t at = random() % text.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0:
          text[at] = c;
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, 1, c);
          break;
      }
    }
    const auto other = nlohmann::json::parse(text, nullptr, false);
    // A number too large for a double is an error there and only a text here.
    const bool is_valid = !other.is_discarded() && other.is_object();
    ASSERT_EQ(is_parsed(text), is_valid) << text;
    accepted += is_valid ? 1 : 0;
  }
  EXPECT_GT(accepted, 1000U) << "the mutations must not all be invalid";
}

TEST(JsonDocument, FindsKeysOnlyInTheObjectAsked) {
  JsonDocument json;
  ASSERT_TRUE(json.parse(R"({"a":{"x":1},"b":[{"x":2},3],"x":"a"})"));
  EXPECT_EQ(json.text(json.find(JsonDocument::kRoot, "x")), "a");
  EXPECT_EQ(json.text(json.find(json.find(JsonDocument::kRoot, "a"), "x")), "1");
  const auto array = json.find(JsonDocument::kRoot, "b");
  EXPECT_EQ(json.text(json.find(json.element(array, 0), "x")), "2");
  EXPECT_EQ(json.text(json.element(array, 1)), "3");
  EXPECT_EQ(json.element(array, 2), JsonDocument::kNone);
  EXPECT_EQ(json.element(JsonDocument::kRoot, 0), JsonDocument::kNone) << "not an array";
  EXPECT_EQ(json.find(array, "x"), JsonDocument::kNone);
  EXPECT_EQ(json.find(JsonDocument::kRoot, "y"), JsonDocument::kNone);
  EXPECT_FALSE(json.has_duplicate());
}

TEST(JsonDocument, WhatWasNotFoundHasNoTypeAndNoText) {
  JsonDocument json;
  ASSERT_TRUE(json.parse(R"({"a":""})"));
  constexpr auto kNone = JsonDocument::kNone;
  EXPECT_FALSE(json.is_object(kNone) || json.is_array(kNone) || json.is_string(kNone));
  EXPECT_EQ(json.text(kNone), "");
  EXPECT_EQ(json.find(kNone, "a"), kNone);
  EXPECT_EQ(json.element(kNone, 0), kNone);
  EXPECT_TRUE(json.is(json.find(JsonDocument::kRoot, "a"), ""));
  EXPECT_FALSE(json.is(JsonDocument::kRoot, ""));
}

TEST(JsonDocument, KeyThatStandsTwiceIsNotFound) {
  JsonDocument json;
  ASSERT_TRUE(json.parse(R"({"a":1,"b":2,"a":3})"));
  EXPECT_EQ(json.find(JsonDocument::kRoot, "a"), JsonDocument::kNone);
  EXPECT_TRUE(json.has_duplicate());
}

std::string copied(std::string_view raw, std::size_t capacity = 100) {
  std::vector<std::uint8_t> out(capacity, 0xEE);
  if (!copy_string(raw, out)) return "(refused)";
  return reinterpret_cast<const char*>(out.data());
}

TEST(JsonValues, EscapesAreResolvedAsAnotherParserDoes) {
  for (const char* raw : {R"(plain)", R"(a\/b\\c\"d\b\f\n\r\t)", R"(\u0041\u00e9\u20AC\ud83d\ude00)", ""}) {
    EXPECT_EQ(copied(raw), nlohmann::json::parse("\"" + std::string(raw) + "\"").get<std::string>()) << raw;
  }
}

TEST(JsonValues, BadEscapesAndNulAreRefused) {
  for (const char* raw : {R"(\u0000)", R"(\ud83d)", R"(\ud83dxx)", R"(\ude00\ud83d)", R"(\ud83d\u0041)",
                          R"(\u12)", R"(\q)", "\\"}) {
    EXPECT_EQ(copied(raw), "(refused)") << raw;
  }
}

TEST(JsonValues, StringMustFitWithItsNul) {
  EXPECT_EQ(copied("abc", 4), "abc");
  EXPECT_EQ(copied("abc", 3), "(refused)");
  EXPECT_EQ(copied("\\u20ac", 4), "\u20ac");
  EXPECT_EQ(copied("\\u20ac", 3), "(refused)");
  EXPECT_EQ(copied("", 0), "(refused)");
}

TEST(JsonValues, NumbersAreExactOrRefused) {
  const std::vector<std::pair<const char*, std::uint32_t>> good = {
      {"0", 0}, {"4294967295", UINT32_MAX}, {"0x00090001", 0x90001}, {"0XfFfFfFfF", UINT32_MAX}, {"0x0", 0}};
  std::uint32_t number = 7;
  for (const auto& [text, expected] : good) {
    EXPECT_TRUE(parse_u32(text, number)) << text;
    EXPECT_EQ(number, expected) << text;
  }
  for (const char* text : {"", "-1", "4294967296", "99999999999999999999999", "0x100000000", "0x", "1.0",
                           "1e3", "010", "42949672950", "0xfffffffff", " 1", "1 ", "true", "0xg"}) {
    EXPECT_FALSE(parse_u32(text, number)) << text;
    EXPECT_EQ(number, 0U);
  }
}

}  // namespace
}  // namespace ota
