// What a page says, and what no page says.
#include <gtest/gtest.h>

#include "sim/web/hub.h"
#include "sim/web/message.h"

namespace otasim::web {
namespace {

TEST(WebMessage, EachKindIsRead) {
  const auto hello = parse_message(R"({"type":"hello","log":"x","after":12})");
  ASSERT_TRUE(hello);
  EXPECT_EQ(std::get<Hello>(*hello).after, 12U);
  const auto watch = parse_message(R"({"type":"watch","device":"thing-1"})");
  ASSERT_TRUE(watch);
  EXPECT_EQ(std::get<Watch>(*watch).device, "thing-1");
  const auto command =
      parse_message(R"({"type":"command","id":-3,"command":"device.cut","arguments":{"name":"a"}})");
  ASSERT_TRUE(command);
  EXPECT_EQ(std::get<CommandMessage>(*command).id, -3);
  EXPECT_EQ(std::get<CommandMessage>(*command).request.command, "device.cut");
  EXPECT_EQ(std::get<CommandMessage>(*command).request.arguments.at("name"), "a");
}

TEST(WebMessage, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "x", "null", "[]", "{}", R"({"type":1})", R"({"type":"bye"})", R"({"type":"hello"})",
        R"({"type":"hello","log":"","after":-1})", R"({"type":"hello","log":"","after":1.5})",
        R"({"type":"hello","log":"","after":99999999999999999999})", R"({"type":"watch"})",
        R"({"type":"watch","device":["a"]})", R"({"type":"command","id":1,"command":"x"})",
        R"({"type":"command","id":1,"command":"x","arguments":[]})",
        R"({"type":"command","id":"1","command":"x","arguments":{}})",
        R"({"type":"command","id":1,"command":{},"arguments":{}})",
        R"({"type":"hello","log":"","after":0}x)"})
    EXPECT_FALSE(parse_message(text)) << text;
  EXPECT_FALSE(parse_message(R"({"type":"watch","device":")" + std::string(kMaxMessageBytes, 'x') + "\"}"));
  std::string deep = R"({"type":"command","id":1,"command":"x","arguments":{"a":)";
  EXPECT_FALSE(parse_message(deep + std::string(2000, '[') + std::string(2000, ']') + "}}"));
}

TEST(WebMessage, APageHasAFewCommandsOnly) {
  for (const char* name : {"device.cut", "device.kick", "fault.arm", "job.update", "job.cancel"})
    EXPECT_TRUE(is_open_to_pages(name)) << name;
  // Those end the lab, destroy what is there, or read files by name.
  for (const char* name : {"lab.stop", "lab.show", "device.add", "device.remove", "device.reprovision",
                           "job.create", "job.delete", "group.delete", ""})
    EXPECT_FALSE(is_open_to_pages(name)) << name;
}

}  // namespace
}  // namespace otasim::web
