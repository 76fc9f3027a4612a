// Who may come in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/web/gate.h"

namespace otasim::web {
namespace {

using ::testing::HasSubstr;

constexpr std::uint16_t kPort = 4711;

class GateTest : public ::testing::Test {
 protected:
  rest::HttpRequestHead head(const std::string& target, rest::HeaderFields more = {}) const {
    rest::HttpRequestHead head{.method = "GET", .target = target, .headers = {{"Host", "127.0.0.1:4711"}}};
    head.headers.insert(head.headers.end(), more.begin(), more.end());
    return head;
  }
  [[nodiscard]] std::string session() const {
    const std::string cookie = gate.cookie();
    return cookie.substr(0, cookie.find(';'));
  }
  [[nodiscard]] std::string token() const {
    const std::string address = gate.way_in();
    return address.substr(address.find('=') + 1);
  }
  rest::HttpRequestHead with_session(rest::HeaderFields more = {}) const {
    more.emplace_back("Cookie", session());
    return head("/live", more);
  }

  Gate gate{kPort};
};

TEST_F(GateTest, TheTokenHas256BitsAndGivesASession) {
  EXPECT_EQ(token().size(), 64U);
  EXPECT_NE(token(), Gate(kPort).way_in().substr(gate.way_in().find('=') + 1));
  EXPECT_EQ(gate.judge(head("/?token=" + token()), false), Verdict::kLetIn);
  EXPECT_EQ(gate.judge(with_session(), false), Verdict::kServe);
  EXPECT_EQ(gate.cookie().find(token()), std::string::npos) << "the session is not the token";
  EXPECT_THAT(gate.cookie(), HasSubstr("; HttpOnly; SameSite=Strict; Path=/"));
}

TEST_F(GateTest, WithoutTheRightTokenOrSessionNobodyComesIn) {
  std::string almost = token();
  almost.back() = almost.back() == '0' ? '1' : '0';
  for (const std::string& wrong : std::vector<std::string>{
           std::string(), almost, token() + "0", token().substr(1), std::string(64, '\0'), session()})
    EXPECT_EQ(gate.judge(head("/?token=" + wrong), false), Verdict::kNoSession) << wrong;
  EXPECT_EQ(gate.judge(head("/"), false), Verdict::kNoSession);
  for (const std::string& cookie : std::vector<std::string>{
           std::string(), "otasim_4711=", "otasim_4711=" + token(), "otasim_4712=" + session().substr(12),
           "x" + session(), "\"" + session() + "\"", session() + "0", std::string(";;;=;="),
           "otasim_4711 " + session().substr(11)})
    EXPECT_EQ(gate.judge(head("/", {{"Cookie", cookie}}), false), Verdict::kNoSession) << cookie;
}

TEST_F(GateTest, TheSessionIsFoundAmongOtherCookies) {
  for (const std::string& cookie :
       std::vector<std::string>{"a=b; " + session(), session() + "; a=b", "otasim_4711=old; " + session()})
    EXPECT_EQ(gate.judge(head("/", {{"Cookie", cookie}}), false), Verdict::kServe) << cookie;
  EXPECT_EQ(gate.judge(head("/", {{"Cookie", "a=b"}, {"cookie", session()}}), false), Verdict::kServe);
}

TEST_F(GateTest, OnlyLoopbackNamesWithThisPortAreServed) {
  const auto under = [&](rest::HeaderFields hosts) {
    hosts.emplace_back("Cookie", session());
    return gate.judge({.method = "GET", .target = "/", .headers = hosts}, false);
  };
  for (const char* host : {"127.0.0.1:4711", "localhost:4711"})
    EXPECT_EQ(under({{"Host", host}}), Verdict::kServe) << host;
  for (const char* host : {"", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:47110", "evil.example:4711",
                           "localhost.evil.example:4711", "127.0.0.1:4711.evil.example", "localhost:4711 ",
                           "user@localhost:4711", "LOCALHOST:4711", "0.0.0.0:4711", "[::1]:4711"})
    EXPECT_EQ(under({{"Host", host}}), Verdict::kWrongHost) << host;
  EXPECT_EQ(under({}), Verdict::kWrongHost);
  EXPECT_EQ(under({{"Host", "127.0.0.1:4711"}, {"Host", "127.0.0.1:4711"}}), Verdict::kWrongHost);
}

TEST_F(GateTest, AWebSocketNeedsThePagesOwnOrigin) {
  EXPECT_EQ(gate.judge(with_session({{"Origin", "http://127.0.0.1:4711"}}), true), Verdict::kServe);
  for (const char* origin :
       {"", "null", "http://evil.example", "http://localhost:4711", "https://127.0.0.1:4711",
        "http://127.0.0.1:4712", "http://127.0.0.1:4711.evil.example", "http://127.0.0.1:4711/"})
    EXPECT_EQ(gate.judge(with_session({{"Origin", origin}}), true), Verdict::kWrongOrigin) << origin;
  EXPECT_EQ(gate.judge(with_session(), true), Verdict::kWrongOrigin);
  EXPECT_EQ(
      gate.judge(with_session({{"Origin", "http://127.0.0.1:4711"}, {"Origin", "http://127.0.0.1:4711"}}),
                 true),
      Verdict::kWrongOrigin);
  auto by_token = head("/?token=" + token(), {{"Origin", "http://127.0.0.1:4711"}});
  EXPECT_EQ(gate.judge(by_token, true), Verdict::kNoSession) << "the token opens the page, not the socket";
}

TEST_F(GateTest, NothingButGetWithoutABodyIsServed) {
  for (const char* method : {"POST", "PUT", "DELETE", "HEAD", "OPTIONS", "get", ""}) {
    auto request = with_session();
    request.method = method;
    EXPECT_EQ(gate.judge(request, false), Verdict::kWrongMethod) << method;
  }
  auto request = with_session();
  request.has_body = true;
  EXPECT_EQ(gate.judge(request, false), Verdict::kHasBody);
}

}  // namespace
}  // namespace otasim::web
