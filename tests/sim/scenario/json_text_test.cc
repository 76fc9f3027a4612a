// JSON with comments: the value, the line of each part of it, and the right line in every complaint.
#include "sim/scenario/json_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

JsonText parsed(std::string_view text) {
  auto result = JsonText::parse(text, "f.jsonc");
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  return result.value();
}

std::string problem(std::string_view text) {
  const auto result = JsonText::parse(text, "f.jsonc");
  if (result) return "none";
  EXPECT_EQ(result.error().code, ExitCode::kUsage);
  return result.error().message;
}

TEST(JsonText, EachValueHasItsLine) {
  const JsonText text = parsed(R"({
  "a": 1,
  "b": [
    true,
    {"c": "x",
     "d": null}
  ]
})");
  EXPECT_EQ(text.value(), json::parse(R"({"a": 1, "b": [true, {"c": "x", "d": null}]})"));
  EXPECT_EQ(text.line_of(""), 1);
  EXPECT_EQ(text.line_of("/a"), 2);
  EXPECT_EQ(text.line_of("/b"), 3);
  EXPECT_EQ(text.line_of("/b/0"), 4);
  EXPECT_EQ(text.line_of("/b/1"), 5);
  EXPECT_EQ(text.line_of("/b/1/c"), 5);
  EXPECT_EQ(text.line_of("/b/1/d"), 6);
}

TEST(JsonText, WhatDoesNotExistHasItsNearestParentsLine) {
  const JsonText text = parsed("{\n\"a\": {\n\"b\": 1}}");
  EXPECT_EQ(text.line_of("/a/x/y"), 2);
  EXPECT_EQ(text.line_of("/a/b/y"), 3);
  EXPECT_EQ(text.line_of("/x"), 1);
}

TEST(JsonText, CommentsOfBothKindsCountAsLinesAndHideWhatTheyHold) {
  const JsonText text = parsed(R"(// "a": 0, { [
/* "b":
   } ] // */ { /**/ "a": 1, // "c": 2
  "d": /* */ "// no comment", "e": "/* nor this */"
  /* at the end */
}
// and behind)");
  EXPECT_EQ(text.value(), json({{"a", 1}, {"d", "// no comment"}, {"e", "/* nor this */"}}));
  EXPECT_EQ(text.line_of(""), 3);
  EXPECT_EQ(text.line_of("/a"), 3);
  EXPECT_EQ(text.line_of("/d"), 4);
  EXPECT_EQ(text.line_of("/e"), 4);
}

TEST(JsonText, ACarriageReturnEndsALineComment) {
  // So it is for the JSON parser; whoever disagrees with it here loses track of the text.
  const JsonText text = parsed("{\"a\": // c\r 1,\n\"b\": 2}");
  EXPECT_EQ(text.value(), json({{"a", 1}, {"b", 2}}));
  EXPECT_EQ(text.line_of("/a"), 1);
  EXPECT_EQ(text.line_of("/b"), 2);
}

TEST(JsonText, AZeroByteEndsALineComment) {
  const JsonText text = parsed(std::string_view("{\"a\": // c\0 1,\n\"b\": 2}", 23));
  EXPECT_EQ(text.value(), json({{"a", 1}, {"b", 2}}));
  EXPECT_EQ(text.line_of("/b"), 2);
}

TEST(JsonText, LinesMayEndAsWindowsEndsThem) {
  const JsonText text = parsed("{\r\n\"a\": 1, // c\r\n\"b\": 2\r\n}");
  EXPECT_EQ(text.line_of("/a"), 2);
  EXPECT_EQ(text.line_of("/b"), 3);
}

TEST(JsonText, AByteOrderMarkIsPassedOver) {
  const JsonText text = parsed("\xEF\xBB\xBF{\n\"a\": 1}");
  EXPECT_EQ(text.line_of("/a"), 2);
  EXPECT_EQ(problem("\xEF\xBB\xBF{\n\"a\": 1,\n\"a\": 2}"), "f.jsonc:3: 'a' is given twice");
}

TEST(JsonText, NamesAreEscapedInPointers) {
  const JsonText text = parsed("{\n\"a/b\": 1,\n\"a~b\": 2,\n\"a\\\"b\": 3,\n\"\\u00e4\": 4,\n\"\": 5}");
  EXPECT_EQ(text.line_of("/a~1b"), 2);
  EXPECT_EQ(text.line_of("/a~0b"), 3);
  EXPECT_EQ(text.line_of("/a\"b"), 4);
  EXPECT_EQ(text.line_of("/\u00e4"), 5);
  EXPECT_EQ(text.line_of("/"), 6);
}

TEST(JsonText, NumbersAndWordsAreOneValueEach) {
  const JsonText text = parsed("[-1.5e+3,\n1E-2,true\n,false,null,\n0]");
  EXPECT_EQ(text.line_of("/0"), 1);
  EXPECT_EQ(text.line_of("/1"), 2);
  EXPECT_EQ(text.line_of("/2"), 2);
  EXPECT_EQ(text.line_of("/3"), 3);
  EXPECT_EQ(text.line_of("/5"), 4);
}

TEST(JsonText, AMemberThatIsGivenTwiceIsAnErrorAtTheSecond) {
  EXPECT_EQ(problem("{\n\"a\": 1,\n\"b\": 2,\n\"a\": 3}"), "f.jsonc:4: 'a' is given twice");
  EXPECT_EQ(problem("{\"x\": [0, {\n\"a\": {},\n\"\\u0061\": 3}]}"), "f.jsonc:3: 'a' is given twice");
  EXPECT_EQ(problem("[{\"a\": 1}, {\"a\": 2}]"), "none");
}

TEST(JsonText, WhatIsNoJsonIsSaidWithItsLine) {
  EXPECT_THAT(problem("{\n\"a\": 1\n\"b\": 2}"), StartsWith("f.jsonc:3: no JSON: syntax error"));
  EXPECT_THAT(problem("{\n\"a\": [1,\n2,]}"), StartsWith("f.jsonc:3: no JSON: syntax error"));
  EXPECT_THAT(problem(""), StartsWith("f.jsonc:1: no JSON: "));
  EXPECT_THAT(problem("\n\n{"), StartsWith("f.jsonc:3: no JSON: "));
  EXPECT_THAT(problem("{}\n{}"), StartsWith("f.jsonc:2: no JSON: "));
  EXPECT_THAT(problem("{\n/* never ends"), StartsWith("f.jsonc:2: no JSON: "));
  EXPECT_THAT(problem("[\n\"\\q\"]"), StartsWith("f.jsonc:2: no JSON: "));
  EXPECT_THAT(problem("[\n\"\xff\"]"), StartsWith("f.jsonc:2: no JSON: "));
  EXPECT_THAT(JsonText::parse("[1,]", "f").error().hint, HasSubstr("a comma after the last element is not"));
}

TEST(JsonText, ANumberThatIsTooLargeIsSaidWithItsLine) {
  EXPECT_EQ(problem("{\"a\": 1,\n\"b\": 1e999}"), "f.jsonc:2: the number '1e999' is too large");
}

TEST(JsonText, DepthIsLimited) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(problem(nested(JsonText::kMaxDepth + 1)), "none");
  EXPECT_EQ(problem("\n" + nested(JsonText::kMaxDepth + 2)), "f.jsonc:2: nested too deeply");
  EXPECT_EQ(problem(nested(50'000)), "f.jsonc:1: nested too deeply");
  EXPECT_EQ(problem("\xEF\xBB\xBF" + nested(50'000)), "f.jsonc:1: nested too deeply");
}

TEST(JsonText, SizesAreLimited) {
  const std::string fits = "[\"" + std::string(JsonText::kMaxBytes - 4, 'x') + "\"]";
  EXPECT_EQ(problem(fits), "none");
  EXPECT_EQ(problem(fits + ' '), "f.jsonc: is larger than 1048576 bytes");
  const auto named = [](std::size_t size) { return "{\n\"" + std::string(size, 'n') + "\": 1}"; };
  EXPECT_EQ(problem(named(JsonText::kMaxNameBytes)), "none");
  EXPECT_EQ(problem(named(JsonText::kMaxNameBytes + 1)), "f.jsonc:2: a member's name is too long");
}

TEST(JsonText, ComplaintsNameTheFileAndTheLine) {
  const Error error = parsed("{\n\"a\": 1}").error_at("/a", "is wrong", "Make it right.");
  EXPECT_EQ(error.code, ExitCode::kUsage);
  EXPECT_EQ(error.message, "f.jsonc:2: is wrong");
  EXPECT_EQ(error.hint, "Make it right.");
}

TEST(JsonText, AReplacedValueKeepsThePlaces) {
  JsonText text = parsed("{\n\"a\": \"${n}\"}");
  text.replace({{"a", 5}});
  EXPECT_EQ(text.value(), json({{"a", 5}}));
  EXPECT_EQ(text.line_of("/a"), 2);
}

TEST(JsonText, FilesAreReadByTheirNames) {
  const auto folder = TempDir::create();
  ASSERT_TRUE(folder.has_value());
  const std::string path = folder->file("s.jsonc");
  ASSERT_TRUE(write_file_atomic(path, "{\n1}").has_value());
  const auto bad = JsonText::read(path);
  ASSERT_FALSE(bad.has_value());
  EXPECT_THAT(bad.error().message, StartsWith(path + ":2: no JSON: "));
  const auto missing = JsonText::read(folder->file("none.jsonc"));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ExitCode::kUsage);
  EXPECT_THAT(missing.error().message, HasSubstr("none.jsonc"));
}

}  // namespace
}  // namespace otasim::scenario
