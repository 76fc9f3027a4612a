// Patterns of events: which events they match, and that what cannot be matched is refused when it is read.
#include "sim/scenario/event_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim::scenario {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

const json kEvent = {{"t_us", 5},
                     {"source", "cloud"},
                     {"event", "job_execution"},
                     {"job", "AFR_OTA-u1"},
                     {"number", 3},
                     {"share", 0.5},
                     {"ok", true},
                     {"list", {1, 2}},
                     {"nothing", nullptr},
                     {"details", {{"self_test", "ready"}, {"receive", {{"done", 7}}}}}};

/// Whether `wanted` as the member `name` matches the event above.
bool matches(const char* name, const json& wanted) {
  const auto pattern = EventPattern::parse({{"event", "cloud.job_execution"}, {name, wanted}});
  EXPECT_TRUE(pattern.has_value()) << wanted << ": " << (pattern ? "" : pattern.error().message);
  return pattern->matches(kEvent);
}

std::string problem(const json& wanted) {
  const auto pattern = EventPattern::parse({{"event", "boot.b"}, {"x", wanted}});
  if (pattern) return "none";
  EXPECT_EQ(pattern.error().code, ExitCode::kUsage);
  EXPECT_THAT(pattern.error().hint, HasSubstr("at_least"));
  return pattern.error().message;
}

TEST(EventPattern, TheEventsNameMustBeTheWholeName) {
  const auto with_name = [](const char* name) {
    return EventPattern::parse({{"event", name}})->matches(kEvent);
  };
  EXPECT_TRUE(with_name("cloud.job_execution"));
  EXPECT_FALSE(with_name("cloud.job_created"));
  EXPECT_FALSE(with_name("boot.job_execution"));
}

TEST(EventPattern, OfAnEventThatDoesNotExistIsRefusedWithTheNearestOne) {
  const auto misspelt = EventPattern::parse({{"event", "cloud.job_executions"}});
  ASSERT_FALSE(misspelt.has_value());
  EXPECT_EQ(misspelt.error().message, "there is no event 'cloud.job_executions'");
  EXPECT_EQ(misspelt.error().hint, "Did you mean 'cloud.job_execution'?");
  const auto far = EventPattern::parse({{"event", "weather.rain_tomorrow_morning"}});
  ASSERT_FALSE(far.has_value());
  EXPECT_THAT(far.error().hint, HasSubstr("docs/events.md"));
}

TEST(EventPattern, ABootloaderOfTheUsersOwnMayHaveOtherStages) {
  EXPECT_TRUE(EventPattern::parse({{"event", "boot.my-stage"}}).has_value());
}

TEST(EventPattern, WithoutANameOfSourceAndEventItIsNone) {
  for (const json& pattern :
       {json::object(), json{{"event", "cloud"}}, json{{"event", 5}}, json{{"events", "boot.b"}},
        json("boot.b"), json::array({"event"}), json(nullptr)}) {
    const auto parsed = EventPattern::parse(pattern);
    ASSERT_FALSE(parsed.has_value()) << pattern;
    EXPECT_THAT(parsed.error().message, HasSubstr("needs the member 'event'"));
    EXPECT_THAT(parsed.error().hint, HasSubstr("docs/events.md"));
  }
}

TEST(EventPattern, WhatIsNoEventMatchesNothing) {
  const auto pattern = EventPattern::parse({{"event", "cloud.job_execution"}});
  for (const json& event :
       {json(nullptr), json::array(), json{{"source", "cloud"}}, json{{"event", "job_execution"}},
        json{{"source", 1}, {"event", "job_execution"}}, json{{"source", "cloud"}, {"event", {}}}}) {
    EXPECT_FALSE(pattern->matches(event)) << event;
  }
}

TEST(EventPattern, PlainValuesMustBeEqual) {
  EXPECT_TRUE(matches("job", "AFR_OTA-u1"));
  EXPECT_FALSE(matches("job", "AFR_OTA-u"));
  EXPECT_TRUE(matches("number", 3));
  EXPECT_TRUE(matches("number", 3.0));
  EXPECT_FALSE(matches("number", "3"));
  EXPECT_FALSE(matches("number", 4));
  EXPECT_TRUE(matches("ok", true));
  EXPECT_FALSE(matches("ok", 1));
  EXPECT_TRUE(matches("list", {1, 2}));
  EXPECT_FALSE(matches("list", json::array({1})));
  EXPECT_TRUE(matches("nothing", nullptr));
  EXPECT_FALSE(matches("nothing", false));
}

TEST(EventPattern, AMemberThatIsMissingDoesNotMatch) {
  EXPECT_FALSE(matches("missing", 1));
  EXPECT_FALSE(matches("missing", nullptr));
  EXPECT_FALSE(matches("missing", json::object()));
  EXPECT_FALSE(matches("missing", {{"at_most", 1}}));
  EXPECT_FALSE(matches("missing", {{"not", 1}}));
  EXPECT_FALSE(matches("missing", {{"any_of", {1, nullptr}}}));
}

TEST(EventPattern, ObjectsMatchMemberByMember) {
  EXPECT_TRUE(matches("details", {{"self_test", "ready"}}));
  EXPECT_TRUE(matches("details", {{"receive", {{"done", {{"at_least", 7}}}}}}));
  EXPECT_TRUE(matches("details", json::object()));
  EXPECT_FALSE(matches("details", {{"self_test", "active"}}));
  EXPECT_FALSE(matches("details", {{"self_test", "ready"}, {"more", 1}}));
  EXPECT_FALSE(matches("details", {{"receive", {{"done", 8}}}}));
  EXPECT_FALSE(matches("job", {{"self_test", "ready"}})) << "a text has no members";
  EXPECT_FALSE(matches("list", {{"0", 1}})) << "nor has a list";
}

TEST(EventPattern, Contains) {
  EXPECT_TRUE(matches("job", {{"contains", "OTA-u"}}));
  EXPECT_TRUE(matches("job", {{"contains", ""}}));
  EXPECT_FALSE(matches("job", {{"contains", "ota"}}));
  EXPECT_FALSE(matches("number", {{"contains", "3"}}));
}

TEST(EventPattern, MatchesIsForTheWholeText) {
  EXPECT_TRUE(matches("job", {{"matches", "AFR_OTA-u[0-9]"}}));
  EXPECT_TRUE(matches("job", {{"matches", ".*u1"}}));
  EXPECT_FALSE(matches("job", {{"matches", "u1"}}));
  EXPECT_FALSE(matches("job", {{"matches", "AFR_OTA-u"}}));
  EXPECT_FALSE(matches("number", {{"matches", ".*"}}));
}

TEST(EventPattern, NoExpressionAndNoTextTakesForEver) {
  const json event = {{"source", "boot"}, {"event", "b"}, {"x", std::string(300, 'a')}};
  for (const char* expression : {"(a*)*b", "(a|aa)+b", "(.*)*(.*)*b", ".*.*.*.*b"}) {
    const auto pattern = EventPattern::parse({{"event", "boot.b"}, {"x", {{"matches", expression}}}});
    ASSERT_TRUE(pattern.has_value()) << expression;
    EXPECT_FALSE(pattern->matches(event)) << expression;
  }
  const auto any = EventPattern::parse({{"event", "boot.b"}, {"x", {{"matches", ".*a"}}}});
  EXPECT_TRUE(any->matches({{"source", "boot"}, {"event", "b"}, {"x", std::string(50'000, 'a')}}));
}

TEST(EventPattern, AnyOf) {
  EXPECT_TRUE(matches("number", {{"any_of", {1, 3}}}));
  EXPECT_FALSE(matches("number", {{"any_of", {1, "3"}}}));
  EXPECT_FALSE(matches("number", {{"any_of", json::array()}}));
  EXPECT_TRUE(matches("job", {{"any_of", {"x", {{"contains", "u1"}}}}}));
}

TEST(EventPattern, Not) {
  EXPECT_TRUE(matches("number", {{"not", 4}}));
  EXPECT_FALSE(matches("number", {{"not", 3}}));
  EXPECT_FALSE(matches("job", {{"not", {{"contains", "u1"}}}}));
  EXPECT_TRUE(matches("job", {{"not", {{"any_of", {"x", "y"}}}}}));
  EXPECT_TRUE(matches("number", {{"not", {{"not", 3}}}}));
}

TEST(EventPattern, AtLeastAndAtMostAreForNumbers) {
  EXPECT_TRUE(matches("number", {{"at_least", 3}}));
  EXPECT_FALSE(matches("number", {{"at_least", 3.5}}));
  EXPECT_TRUE(matches("share", {{"at_most", 0.5}}));
  EXPECT_FALSE(matches("share", {{"at_most", 0}}));
  EXPECT_FALSE(matches("job", {{"at_least", 0}}));
  EXPECT_FALSE(matches("ok", {{"at_most", 1}}));
}

TEST(EventPattern, Exists) {
  EXPECT_TRUE(matches("number", {{"exists", true}}));
  EXPECT_TRUE(matches("nothing", {{"exists", true}}));
  EXPECT_FALSE(matches("missing", {{"exists", true}}));
  EXPECT_TRUE(matches("missing", {{"exists", false}}));
  EXPECT_FALSE(matches("number", {{"exists", false}}));
  EXPECT_TRUE(matches("details", {{"receive", {{"exists", true}}}, {"other", {{"exists", false}}}}));
}

TEST(EventPattern, OfSeveralOperatorsAllMustHold) {
  EXPECT_TRUE(matches("number", {{"at_least", 3}, {"at_most", 3}}));
  EXPECT_FALSE(matches("number", {{"at_least", 1}, {"at_most", 2}}));
  EXPECT_FALSE(matches("number", {{"at_least", 4}, {"at_most", 9}}));
  EXPECT_TRUE(matches("job", {{"contains", "AFR"}, {"not", {{"contains", "u2"}}}}));
}

TEST(EventPattern, OperandsOfTheWrongTypeAreRefused) {
  EXPECT_EQ(problem({{"any_of", 1}}), "'any_of' takes a list of values");
  EXPECT_EQ(problem({{"at_least", "1"}}), "'at_least' takes a number");
  EXPECT_EQ(problem({{"at_most", nullptr}}), "'at_most' takes a number");
  EXPECT_EQ(problem({{"exists", 0}}), "'exists' takes true or false");
  EXPECT_EQ(problem({{"contains", 1}}), "'contains' takes a text");
  EXPECT_EQ(problem({{"matches", json::array()}}), "'matches' takes a text");
  EXPECT_THAT(problem({{"matches", "("}}), StartsWith("'matches' takes a regular expression: "));
  EXPECT_THAT(problem({{"matches", "(a)\\1"}}), StartsWith("'matches' takes a regular expression: "));
  EXPECT_EQ(problem({{"matches", std::string(513, 'a')}}),
            "'matches' takes a regular expression of at most 512 characters");
}

TEST(EventPattern, CountsInAnExpressionAreLimited) {
  const std::string message = "'matches' takes a regular expression with counts below 1000";
  for (const char* expression : {"a{1000}", "a{2,3333333333333333333333}", "[x]{99999999999999999999,}",
                                 "(a)\\99999999999999999999"}) {
    EXPECT_EQ(problem({{"matches", expression}}), message) << expression;
  }
  for (const char* expression : {"a{999}", "a{2,30}", "build 20240101,1234567", "\\d{3},99999", "x\\{"}) {
    EXPECT_EQ(problem({{"matches", expression}}), "none") << expression;
  }
}

TEST(EventPattern, WrongOperandsAreFoundWhereverTheyStand) {
  EXPECT_EQ(problem({{"a", {{"b", {{"at_least", "x"}}}}}}), "'at_least' takes a number");
  EXPECT_EQ(problem({{"not", {{"exists", 1}}}}), "'exists' takes true or false");
  EXPECT_THAT(problem({{"any_of", {"x", {{"matches", "["}}}}}),
              StartsWith("'matches' takes a regular expression"));
  EXPECT_EQ(problem({{"any_of", {{{"a", {{"at_most", "x"}}}}}}}), "'at_most' takes a number");
  EXPECT_EQ(problem({{"at_least", 1}, {"at_most", "x"}}), "'at_most' takes a number");
}

TEST(EventPattern, AnOperatorBesideAMemberIsRefused) {
  EXPECT_EQ(problem({{"at_least", 1}, {"max", 2}}),
            "'at_least' is an operator, and operators stand beside operators only");
}

TEST(EventPattern, ForPeopleItIsItsJson) {
  const json pattern = {{"event", "boot.b"}, {"x", {{"contains", "y"}}}};
  EXPECT_EQ(EventPattern::parse(pattern)->text(), R"({"event":"boot.b","x":{"contains":"y"}})");
  EXPECT_EQ(EventPattern::parse(pattern)->value(), pattern);
}

}  // namespace
}  // namespace otasim::scenario
