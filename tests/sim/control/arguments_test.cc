#include "sim/control/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim::control {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Arguments, AreReadAsTheTypesWanted) {
  const json values{{"name", "a"}, {"lines", 5}, {"follow", true}, {"groups", {"x", "y"}}};
  Arguments arguments(values);
  EXPECT_EQ(arguments.text("name"), "a");
  EXPECT_EQ(arguments.optional_integer("lines"), 5);
  EXPECT_TRUE(arguments.flag("follow"));
  EXPECT_THAT(arguments.texts("groups"), ElementsAre("x", "y"));
  EXPECT_TRUE(arguments.check());
}

TEST(Arguments, ThoseThatMayBeLeftOutHaveADefault) {
  const json values = json::object();
  Arguments arguments(values);
  EXPECT_EQ(arguments.text("image", "none"), "none");
  EXPECT_FALSE(arguments.optional_text("parent"));
  EXPECT_FALSE(arguments.optional_integer("lines"));
  EXPECT_FALSE(arguments.flag("follow"));
  EXPECT_THAT(arguments.texts("groups"), ElementsAre());
  EXPECT_TRUE(arguments.check());
}

TEST(Arguments, WhatIsWrongIsNamed) {
  struct Case {
    json values;
    const char* problem;
  };
  for (const Case& c : {Case{json::object(), "'name' is missing"}, Case{{{"name", 1}}, "'name' is no text"},
                        Case{{{"name", "a"}, {"lines", "5"}}, "'lines' is no integer"},
                        Case{{{"name", "a"}, {"lines", 1e300}}, "'lines' is no integer"},
                        Case{{{"name", "a"}, {"lines", 18446744073709551615U}}, "'lines' is no integer"},
                        Case{{{"name", "a"}, {"follow", 1}}, "'follow' is neither"},
                        Case{{{"name", "a"}, {"groups", {"x", 1}}}, "'groups' is no list of texts"},
                        Case{{{"name", "a"}, {"colour", "red"}}, "'colour' is unknown"}}) {
    Arguments arguments(c.values);
    (void)arguments.text("name");
    (void)arguments.optional_integer("lines");
    (void)arguments.flag("follow");
    (void)arguments.texts("groups");
    const auto checked = arguments.check();
    ASSERT_FALSE(checked) << c.values;
    EXPECT_EQ(checked.error().code, ExitCode::kUsage);
    EXPECT_THAT(checked.error().message, HasSubstr(c.problem));
  }
}

}  // namespace
}  // namespace otasim::control
