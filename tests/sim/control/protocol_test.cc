#include "sim/control/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim::control {
namespace {

using testing::HasSubstr;

TEST(Protocol, ARequestIsACommandWithArguments) {
  const auto request = parse_request(R"({"command": "device.cut", "arguments": {"name": "thing-1"}})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->command, "device.cut");
  EXPECT_EQ(request->arguments, (nlohmann::json{{"name", "thing-1"}}));
}

TEST(Protocol, ArgumentsMayBeLeftOut) {
  const auto request = parse_request(R"({"command": "device.list"})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->arguments, nlohmann::json::object());
}

TEST(Protocol, WhatIsNoRequestIsToldWhy) {
  struct Case {
    const char* line;
    const char* why;
  };
  for (const Case& c :
       {Case{"", "no JSON object"}, Case{"[]", "no JSON object"}, Case{"\xff\x00", "no JSON object"},
        Case{"{}", "no command"}, Case{R"({"command": 1})", "no command"},
        Case{R"({"command": "x", "arguments": []})", "no object"}}) {
    const auto request = parse_request(c.line);
    ASSERT_FALSE(request) << c.line;
    EXPECT_EQ(request.error().code, ExitCode::kUsage);
    EXPECT_THAT(request.error().message, HasSubstr(c.why));
  }
}

TEST(Protocol, AnErrorArrivesAsItWasSent) {
  for (const ExitCode code : {ExitCode::kFailed, ExitCode::kUsage, ExitCode::kEnvironment,
                              ExitCode::kInternal, ExitCode::kInterrupted}) {
    const Error error = parse_error(error_message({code, "what", "why"})["error"]);
    EXPECT_EQ(error.code, code);
    EXPECT_EQ(error.message, "what");
    EXPECT_EQ(error.hint, "why");
  }
}

TEST(Protocol, AnErrorOfAnotherShapeIsInternal) {
  for (const char* text : {"null", "{}", R"({"code": 1, "message": []})"}) {
    const Error error = parse_error(nlohmann::json::parse(text));
    EXPECT_EQ(error.code, ExitCode::kInternal);
    EXPECT_NE(error.message, "");
  }
}

TEST(Protocol, ALineIsJsonWhateverBytesItHolds) {
  const std::string line = to_line({{"output", "\xff\n"}});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_TRUE(nlohmann::json::accept(line));
}

}  // namespace
}  // namespace otasim::control
