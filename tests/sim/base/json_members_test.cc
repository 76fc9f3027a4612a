#include "sim/base/json_members.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::Optional;

TEST(JsonMembers, AreReadAsTheirType) {
  const json value{
      {"text", "a"}, {"number", -5}, {"flag", false}, {"texts", {"a", "b"}}, {"none", json::array()}};
  EXPECT_EQ(text_member(value, "text"), "a");
  EXPECT_EQ(integer_member(value, "number"), -5);
  EXPECT_EQ(flag_member(value, "flag"), false);
  EXPECT_THAT(texts_member(value, "texts"), Optional(ElementsAre("a", "b")));
  EXPECT_THAT(texts_member(value, "none"), Optional(ElementsAre()));
}

TEST(JsonMembers, OfAnotherTypeAreNotThere) {
  const json value{{"number", 1.5}, {"big", 18446744073709551615U}, {"mixed", {"a", 1}}, {"null", nullptr}};
  for (const char* name : {"number", "mixed", "null", "missing"}) {
    EXPECT_FALSE(text_member(value, name)) << name;
    EXPECT_FALSE(integer_member(value, name)) << name;
    EXPECT_FALSE(flag_member(value, name)) << name;
    EXPECT_FALSE(texts_member(value, name)) << name;
  }
  EXPECT_FALSE(integer_member(value, "big"));
}

TEST(JsonMembers, AreEmptyForWhoeverShowsThem) {
  const json value{{"text", "a"}, {"number", 5}, {"details", {{"reason", "b"}}}};
  EXPECT_EQ(text_of(value, "text"), "a");
  EXPECT_EQ(text_of(value, "number"), "");
  EXPECT_EQ(text_of(object_of(value, "details"), "reason"), "b");
  EXPECT_EQ(object_of(value, "number"), json::object());
  EXPECT_EQ(object_of(json(), "details"), json::object());
}

TEST(JsonMembers, OfNoObjectAreNotThere) {
  for (const json& value : {json(), json(1), json::array({1}), json("text"), parse_json("no json")}) {
    EXPECT_FALSE(text_member(value, "name")) << value.type_name();
  }
}

TEST(ParseJson, GivesADiscardedValueForWhatIsNone) {
  EXPECT_TRUE(parse_json("{").is_discarded());
  EXPECT_EQ(parse_json("[1]"), json::array({1}));
}

}  // namespace
}  // namespace otasim
