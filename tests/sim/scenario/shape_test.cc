// Tables of what a file may hold: what they take, what they say of the rest, and the schema made from them.
#include "sim/scenario/shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim::scenario {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const Shape kWheel{.name = "wheel",
                   .doc = "A wheel.",
                   .members = {{.name = "size",
                                .kind = Kind::kInteger,
                                .doc = "In inches",
                                .is_required = true,
                                .min = 10,
                                .max = 30},
                               {.name = "spokes", .kind = Kind::kNumber, .doc = "How many", .min = 0.5}}};

const Shape kMove{.name = "move",
                  .doc = "A move.",
                  .members = {{.name = "go", .kind = Kind::kObject, .doc = "Goes", .shape = &kWheel},
                              {.name = "stop", .kind = Kind::kFlag, .doc = "Stops"}},
                  .is_choice = true,
                  .common = {{.name = "only", .kind = Kind::kText, .doc = "Where"}}};

const Shape kOpen{.name = "open",
                  .doc = "Takes anything.",
                  .members = {{.name = "event", .kind = Kind::kText, .doc = "Its name", .is_required = true}},
                  .is_open = true};

const Shape kCar{
    .name = "car",
    .doc = "A car.",
    .members = {{.name = "name", .kind = Kind::kText, .doc = "Its name", .is_required = true},
                {.name = "color", .kind = Kind::kText, .doc = "Its color", .values = {"red", "green"}},
                {.name = "electric", .kind = Kind::kFlag, .doc = "Whether"},
                {.name = "owner", .kind = Kind::kScalar, .doc = "Whose"},
                {.name = "extra", .kind = Kind::kAny, .doc = "Anything"},
                {.name = "spare", .kind = Kind::kObject, .doc = "A wheel", .shape = &kWheel},
                {.name = "wheels", .kind = Kind::kList, .doc = "All wheels", .shape = &kWheel},
                {.name = "moves", .kind = Kind::kList, .doc = "What it does", .shape = &kMove},
                {.name = "parts", .kind = Kind::kMap, .doc = "By name", .shape = &kWheel},
                {.name = "tags", .kind = Kind::kTexts, .doc = "Words"},
                {.name = "modes", .kind = Kind::kTexts, .doc = "Modes", .values = {"eco", "sport"}},
                {.name = "settings", .kind = Kind::kScalars, .doc = "Names and values"},
                {.name = "pattern", .kind = Kind::kObject, .doc = "Open", .shape = &kOpen}}};

/// What is wrong with a car that has this besides its name; "" if nothing.
std::string problem(const std::string& members) {
  const auto text = JsonText::parse("{\"name\": \"c\",\n" + members + "}", "car.json");
  EXPECT_TRUE(text.has_value()) << (text ? "" : text.error().message);
  const auto checked = check(*text, "", kCar);
  if (checked) return "";
  EXPECT_EQ(checked.error().code, ExitCode::kUsage);
  return checked.error().message + " | " + checked.error().hint;
}

TEST(Shape, EachKindTakesItsOwn) {
  EXPECT_EQ(problem(R"("color": "red", "electric": true, "owner": null, "extra": [{"x": []}],
                       "spare": {"size": 12}, "wheels": [], "moves": [{"stop": true, "only": "x"}, {"go": {"size": 10}}],
                       "parts": {"any name/at all": {"size": 30, "spokes": 0.5}}, "tags": ["a", "b"],
                       "modes": ["eco", "sport", "eco"], "settings": {"a": 1, "b": "x", "c": null, "d": 1.5},
                       "pattern": {"event": "x", "more": {"y": 1}})"),
            "");
}

TEST(Shape, EachKindRefusesOthersWithLineAndDocumentation) {
  EXPECT_EQ(problem(R"("color": 1)"), "car.json:2: 'color' must be a text | color: Its color");
  EXPECT_EQ(problem(R"("electric": 1)"), "car.json:2: 'electric' must be true or false | electric: Whether");
  EXPECT_EQ(problem(R"("owner": {})"),
            "car.json:2: 'owner' must be a text, a number, true, false or null | owner: Whose");
  EXPECT_EQ(problem(R"("spare": [])"), "car.json:2: 'spare' must be an object {...} | spare: A wheel");
  EXPECT_EQ(problem(R"("wheels": {})"),
            "car.json:2: 'wheels' must be a list [...] of objects | wheels: All wheels");
  EXPECT_EQ(problem(R"("wheels": [1])"),
            "car.json:2: 'wheels' must be a list [...] of objects | wheels: All wheels");
  EXPECT_EQ(problem(R"("parts": [])"), "car.json:2: 'parts' must be an object {...} | parts: By name");
  EXPECT_EQ(problem(R"("tags": "a")"), "car.json:2: 'tags' must be a list [...] of texts | tags: Words");
  EXPECT_EQ(problem(R"("tags": ["a", 1])"), "car.json:2: 'tags' must be a list [...] of texts | tags: Words");
  EXPECT_EQ(problem(R"("settings": {"a": []})"),
            "car.json:2: 'settings' must be an object {...} | settings: Names and values");
  EXPECT_EQ(problem(R"("spare": {"size": "12"})"),
            "car.json:2: 'size' must be a whole number | size: In inches");
  EXPECT_EQ(problem(R"("spare": {"size": 12.5})"),
            "car.json:2: 'size' must be a whole number | size: In inches");
  EXPECT_EQ(problem(R"("spare": {"size": 12, "spokes": true})"),
            "car.json:2: 'spokes' must be a number | spokes: How many");
}

TEST(Shape, NumbersHaveBounds) {
  EXPECT_EQ(problem(R"("spare": {"size": 10})"), "");
  EXPECT_EQ(problem(R"("spare": {"size": 9})"),
            "car.json:2: 'size' is 9, but must be from 10 to 30 | size: In inches");
  EXPECT_EQ(problem(R"("spare": {"size": 31})"),
            "car.json:2: 'size' is 31, but must be from 10 to 30 | size: In inches");
  EXPECT_EQ(problem(R"("spare": {"size": 18446744073709551615})"),
            "car.json:2: 'size' is 18446744073709551615, but must be from 10 to 30 | size: In inches");
  EXPECT_THAT(problem(R"("spare": {"size": 12, "spokes": 0.25})"),
              HasSubstr("'spokes' is 0.25, but must be"));
}

TEST(Shape, TextsMayBeAChoice) {
  EXPECT_EQ(problem(R"("color": "gren")"), "car.json:2: 'color' cannot be 'gren' | Did you mean 'green'?");
  EXPECT_EQ(problem(R"("color": "ultraviolet")"),
            "car.json:2: 'color' cannot be 'ultraviolet' | It may be: red, green.");
  EXPECT_EQ(problem("\"modes\": [\"eco\",\n\"sprot\"]"),
            "car.json:3: 'modes' cannot be 'sprot' | Did you mean 'sport'?");
}

TEST(Shape, AMemberThatIsUnknownIsSaidWithTheNearestName) {
  EXPECT_EQ(problem("\"electric\": true,\n\"colour\": \"red\""),
            "car.json:3: car has no member 'colour' | Did you mean 'color'?");
  EXPECT_THAT(problem(R"("propeller_pitch": 1)"),
              HasSubstr("car has no member 'propeller_pitch' | It may be: name, color"));
  EXPECT_EQ(problem(R"("a/b~c": 1)").substr(0, 41), "car.json:2: car has no member 'a/b~c' | I");
}

TEST(Shape, WhatIsRequiredMustBeThere) {
  EXPECT_EQ(problem("\"wheels\": [{\"size\": 12},\n{\"spokes\": 3}]"),
            "car.json:3: wheel needs the member 'size' | size: In inches");
  EXPECT_EQ(problem(R"("pattern": {"more": 1})"),
            "car.json:2: open needs the member 'event' | event: Its name");
}

TEST(Shape, OfAChoiceExactlyOneIsThere) {
  EXPECT_EQ(problem("\"moves\": [{\"stop\": true},\n{}]"),
            "car.json:3: move must have exactly one of its members, this one has 0 | It may be: go, stop.");
  EXPECT_EQ(problem(R"("moves": [{"only": "x"}])"),
            "car.json:2: move must have exactly one of its members, this one has 0 | It may be: go, stop.");
  EXPECT_EQ(problem(R"("moves": [{"stop": true, "go": {"size": 12}}])"),
            "car.json:2: move must have exactly one of its members, this one has 2 | It may be: go, stop.");
  EXPECT_THAT(problem(R"("moves": [{"halt": true}])"), HasSubstr("move has no member 'halt'"));
}

TEST(Shape, WhatIsWrongDeepInsideHasItsOwnLine) {
  EXPECT_EQ(problem("\"parts\": {\"a\": {\"size\": 12},\n\"b/c\": {\n\"size\": 1}}"),
            "car.json:4: 'size' is 1, but must be from 10 to 30 | size: In inches");
  EXPECT_EQ(problem("\"moves\": [\n{\"go\": {\"size\": 12,\n\"sise\": 1}}]"),
            "car.json:4: wheel has no member 'sise' | Did you mean 'size'?");
}

TEST(Shape, APartOfATextCanBeChecked) {
  const auto text = JsonText::parse("{\"x\": [\n{\"size\": 1}]}", "f");
  const auto checked = check(*text, "/x/0", kWheel);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().message, "f:2: 'size' is 1, but must be from 10 to 30");
  EXPECT_EQ(check(*text, "/x", kWheel).error().message, "f:1: wheel must be an object {...}");
}

TEST(Shape, AValueWithoutATextIsCheckedUnderAName) {
  const auto checked = check_value({{"size", 5}}, "--wheel", kWheel);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().code, ExitCode::kUsage);
  EXPECT_EQ(checked.error().message, "--wheel: 'size' is 5, but must be from 10 to 30");
  EXPECT_TRUE(check_value({{"size", 15}}, "--wheel", kWheel).has_value());
  EXPECT_EQ(check_value(json::array(), "--wheel", kWheel).error().message,
            "--wheel: wheel must be an object {...}");
}

TEST(Nearest, IsTheFewestChangesAway) {
  EXPECT_EQ(nearest("cancle", {"cancel", "clear"}), "cancel");
  EXPECT_EQ(nearest("wait", {"wait"}), "wait");
  EXPECT_EQ(nearest("ab", {"xyz", "abc"}), "abc");
  EXPECT_EQ(nearest("", {"ab"}), "ab");
  EXPECT_EQ(nearest("propeller", {"cancel", "clear"}), "");
  EXPECT_EQ(nearest("x", {}), "");
}

// ---- the schema

const json& properties(const json& schema, const char* definition) {
  return schema.at("$defs").at(definition).at("properties");
}

TEST(JsonSchema, SaysWhatTheTableSays) {
  const json schema = json_schema(kCar);
  EXPECT_EQ(schema.at("$schema"), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema.at("title"), "car");
  EXPECT_EQ(schema.at("type"), "object");
  EXPECT_EQ(schema.at("additionalProperties"), false);
  EXPECT_EQ(schema.at("required"), json({"name"}));
  EXPECT_EQ(schema.at("properties").size(), kCar.members.size());
  EXPECT_EQ(schema.at("properties").at("name"), json({{"type", "string"}, {"description", "Its name"}}));
  EXPECT_EQ(schema.at("properties").at("spare").at("$ref"), "#/$defs/wheel");
  EXPECT_EQ(schema.at("properties").at("wheels").at("items"), json({{"$ref", "#/$defs/wheel"}}));
  EXPECT_EQ(schema.at("properties").at("parts").at("additionalProperties"),
            json({{"$ref", "#/$defs/wheel"}}));
  EXPECT_EQ(schema.at("properties").at("settings").at("additionalProperties").at("type"),
            json({"string", "number", "boolean", "null"}));
  EXPECT_EQ(schema.at("properties").at("extra"), json({{"description", "Anything"}}));
  EXPECT_EQ(schema.at("$defs").at("open").at("additionalProperties"), true);
  EXPECT_EQ(schema.at("$defs").at("wheel").at("required"), json({"size"}));
}

TEST(JsonSchema, AParameterMayStandWhereItsValueMay) {
  const json schema = json_schema(kCar);
  const json parameter = {{"$ref", "#/$defs/parameter"}};
  EXPECT_EQ(schema.at("$defs").at("parameter").at("pattern"), "\\$\\{[^}]+\\}");
  EXPECT_EQ(properties(schema, "wheel").at("size").at("anyOf"),
            json::array({{{"type", "integer"}, {"minimum", 10.0}, {"maximum", 30.0}}, parameter}));
  EXPECT_EQ(properties(schema, "wheel").at("spokes").at("anyOf"),
            json::array({{{"type", "number"}, {"minimum", 0.5}}, parameter}));
  EXPECT_EQ(schema.at("properties").at("color").at("anyOf"),
            json::array({{{"type", "string"}, {"enum", {"red", "green"}}}, parameter}));
  EXPECT_EQ(schema.at("properties").at("electric").at("anyOf"),
            json::array({{{"type", "boolean"}}, parameter}));
  EXPECT_EQ(schema.at("properties").at("modes").at("items").at("anyOf").at(0).at("enum"),
            json({"eco", "sport"}));
  EXPECT_EQ(schema.at("properties").at("tags").at("items"), json({{"type", "string"}}));
}

TEST(JsonSchema, OfAChoiceOneMemberIsRequired) {
  const json schema = json_schema(kCar);
  EXPECT_EQ(schema.at("$defs").at("move").at("oneOf"),
            json::array({{{"required", {"go"}}}, {{"required", {"stop"}}}}));
  EXPECT_EQ(properties(schema, "move").size(), 3U);
}

TEST(JsonSchema, AShapeMayContainItself) {
  static Shape tree{.name = "tree", .doc = "A tree.", .members = {}};
  tree.members = {{.name = "branches", .kind = Kind::kList, .doc = "Trees", .shape = &tree}};
  const Shape root{.name = "root",
                   .doc = "",
                   .members = {{.name = "t", .kind = Kind::kObject, .doc = "", .shape = &tree}}};
  EXPECT_EQ(properties(json_schema(root), "tree").at("branches").at("items"),
            json({{"$ref", "#/$defs/tree"}}));
}

}  // namespace
}  // namespace otasim::scenario
