// Each fault of the HTTPS server, as a client sees it, and its name in the event.
#include "sim/cloud/object_faults.h"

#include <algorithm>

#include "tests/sim/rest/object_handler_fixture.h"

namespace otasim::rest {
namespace {

using std::chrono::steady_clock;
using test::request_text;
using test::Response;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ObjectFaultsTest : public ObjectHandlerFixture {
 protected:
  std::vector<std::string> fault_names() {
    const auto& reported = event();
    return reported.contains("fault") ? reported.at("fault").get<std::vector<std::string>>()
                                      : std::vector<std::string>();
  }
};

TEST_F(ObjectFaultsTest, TheHandlerIsToldWhatIsAsked) {
  std::vector<ObjectRequest> asked;
  handler_.set_fault_handler([&](const ObjectRequest& request) {
    asked.push_back(request);
    return ObjectFaults{};
  });
  auto client = connect();
  client.get(target(300), "Range: bytes=100-\r\n");
  client.get("/firmware/app.bin");  // not signed, and so no business of the handler
  client.head(presigned("HEAD", {"firmware", "app.bin", ""}));
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].number, 1);
  EXPECT_THAT(asked[0].client, StartsWith("127.0.0.1:"));
  EXPECT_EQ(asked[0].method, "GET");
  EXPECT_EQ(asked[0].object.location.bucket, "firmware");
  EXPECT_EQ(asked[0].object.location.key, "app.bin");
  EXPECT_EQ(asked[0].object.location.version, image_.location.version);
  EXPECT_EQ(asked[0].object.size, 100'000);
  EXPECT_EQ(asked[0].range, (ByteRange{100, 99'999}));
  EXPECT_EQ(asked[0].presigned_expires_at, kNow + 300);
  EXPECT_EQ(asked[1].number, 2);
  EXPECT_EQ(asked[1].method, "HEAD");
  EXPECT_EQ(asked[1].object.location.version, image_.location.version) << "the latest";
  EXPECT_FALSE(asked[1].range);
}

TEST_F(ObjectFaultsTest, AnEmptyHandlerEndsTheFaults) {
  strike({.status = 503});
  EXPECT_EQ(get().status, 503);
  handler_.set_fault_handler({});
  EXPECT_EQ(get().status, 200);
}

TEST_F(ObjectFaultsTest, StatusAnswersWithS3sErrorInstead) {
  auto client = connect();
  const auto check = [&](int status, const std::string& code) {
    strike({.status = status});
    const Response response = client.get(target(), "Range: bytes=0-9\r\n");
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.header("Content-Type"), "application/xml");
    EXPECT_THAT(response.body, HasSubstr("<Code>" + code + "</Code>"));
    EXPECT_EQ(events_.back().at("error"), code);
    EXPECT_EQ(events_.back().at("bytes"), 0);
  };
  check(403, "AccessDenied");
  EXPECT_THAT(fault_names(), ElementsAre("status"));
  check(404, "NoSuchKey");
  check(500, "InternalError");
  check(503, "SlowDown");
  handler_.set_fault_handler({});
  EXPECT_EQ(client.get(target()).status, 200) << "on the same connection";
}

TEST_F(ObjectFaultsTest, DelayHoldsTheAnswerBack) {
  constexpr auto kDelay = std::chrono::milliseconds(50);
  strike({.delay = kDelay});
  auto client = connect();
  const auto begun = steady_clock::now();
  EXPECT_EQ(client.get(target()).body, content(0, 100'000));
  EXPECT_GE(steady_clock::now() - begun, kDelay);
  EXPECT_THAT(fault_names(), ElementsAre("delay"));
}

TEST_F(ObjectFaultsTest, ADelayHoldsNobodyElseUp) {
  auto delayed = connect();
  auto other = connect();
  bool held = false;
  handler_.set_fault_handler([&held](const ObjectRequest&) {
    held = true;
    return ObjectFaults{.delay = std::chrono::hours(1)};
  });
  delayed.send(request_text("GET", target()));
  test::run_until(io_, [&held] { return held; });
  handler_.set_fault_handler({});
  EXPECT_EQ(other.get(target()).status, 200);
  EXPECT_EQ(events_.size(), 1U) << "the delayed answer is not over";
}

TEST_F(ObjectFaultsTest, DelayAndRateStandStillWithTheTarget) {
  Halt halt;
  HttpServerOptions options = default_options();
  options.halt = &halt;
  start(options);
  for (const ObjectFaults& faults :
       {ObjectFaults{.delay = std::chrono::milliseconds(1)}, ObjectFaults{.bytes_per_second = 1'000'000}}) {
    handler_.set_fault_handler([&](const ObjectRequest&) {
      halt.begin();
      return faults;
    });
    auto client = connect();
    const std::size_t before = events_.size();
    client.send(request_text("GET", target()));
    test::run_until(io_, [&] { return halt.is_halted(); });
    io_.restart();
    io_.run_for(std::chrono::milliseconds(120));
    EXPECT_EQ(events_.size(), before) << "it would be over long since";
    halt.end();
    EXPECT_EQ(client.receive().body, content(0, 100'000));
  }
  server_.reset();
}

TEST_F(ObjectFaultsTest, SlowSendsAtTheRateAtMost) {
  strike({.bytes_per_second = 100'000});
  const auto begun = steady_clock::now();
  auto client = connect();
  EXPECT_EQ(client.get(target(), "Range: bytes=0-29999\r\n").body, content(0, 30'000));
  // Three pieces of a tenth of a second's worth; the last one is waited for, but does not have to pass.
  EXPECT_GE(steady_clock::now() - begun, std::chrono::milliseconds(200));
  EXPECT_THAT(fault_names(), ElementsAre("slow"));
}

TEST_F(ObjectFaultsTest, TruncateEndsTheBodyBeforeItsContentLength) {
  strike({.truncate_after = 70'000});
  const Response response = get();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("Content-Length"), "100000");
  EXPECT_EQ(response.body, content(0, 70'000));
  EXPECT_EQ(response.error, boost::beast::http::error::partial_message)
      << "ended in order, with TLS's goodbye";
  EXPECT_THAT(fault_names(), ElementsAre("truncate"));
  EXPECT_EQ(event().at("bytes"), 70'000);
}

TEST_F(ObjectFaultsTest, TruncateAfterNothingSendsTheHeaderOnly) {
  strike({.truncate_after = 0});
  const Response response = get("0-9");
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.error, boost::beast::http::error::partial_message);
}

TEST_F(ObjectFaultsTest, ResetBreaksTheConnectionWithinTheBody) {
  strike({.reset_after = 1000});
  const Response response = get();
  EXPECT_EQ(response.header("Content-Length"), "100000");
  EXPECT_EQ(response.body, content(0, 1000));
  EXPECT_EQ(response.error, boost::asio::error::connection_reset);
  EXPECT_THAT(fault_names(), ElementsAre("reset"));
}

TEST_F(ObjectFaultsTest, ResetMayComeBeforeTheAnswer) {
  strike({.reset_after = -1});
  const Response response = get();
  EXPECT_EQ(response.status, 0);
  EXPECT_EQ(response.error, boost::asio::error::connection_reset);
  EXPECT_THAT(fault_names(), ElementsAre("reset"));
  EXPECT_EQ(event().at("bytes"), 0);
}

TEST_F(ObjectFaultsTest, WrongRangeSendsOtherBytesUnderTheRangeAskedFor) {
  strike({.shift_range = 4096});
  const Response response = get("8192-12287");
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.header("Content-Range"), "bytes 8192-12287/100000");
  EXPECT_EQ(response.header("Content-Length"), "4096");
  EXPECT_EQ(response.body, content(12'288, 4096));
  EXPECT_THAT(fault_names(), ElementsAre("wrong_range"));
  EXPECT_EQ(event().at("first_byte"), 12'288) << "the event tells what was sent";
}

TEST_F(ObjectFaultsTest, WrongRangeMayTellTheTruth) {
  strike({.shift_range = -4096, .content_range_tells_shift = true});
  const Response response = get("8192-12287");
  EXPECT_EQ(response.header("Content-Range"), "bytes 4096-8191/100000");
  EXPECT_EQ(response.body, content(4096, 4096));
  EXPECT_THAT(fault_names(), ElementsAre("wrong_range"));
}

TEST_F(ObjectFaultsTest, IgnoreRangeSendsTheWholeObject) {
  strike({.ignore_range = true});
  const Response response = get("8192-12287");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("Content-Range"), "");
  EXPECT_EQ(response.body, content(0, 100'000));
  EXPECT_THAT(fault_names(), ElementsAre("ignore_range"));
}

TEST_F(ObjectFaultsTest, CorruptInvertsOneByteOfTheObject) {
  strike({.corrupt_at = 70'001});
  std::string expected = content(70'000, 10);
  expected[1] = static_cast<char>(~expected[1]);
  const Response response = get("70000-70009");
  EXPECT_EQ(response.body, expected);
  EXPECT_THAT(fault_names(), ElementsAre("corrupt"));
}

TEST_F(ObjectFaultsTest, CorruptFindsItsByteInEveryPieceOfABody) {
  for (const std::int64_t at : {0, 1, 65'535, 65'536, 99'999}) {
    strike({.corrupt_at = at});
    std::string expected = content(0, 100'000);
    expected[static_cast<std::size_t>(at)] = static_cast<char>(~expected[static_cast<std::size_t>(at)]);
    EXPECT_TRUE(get().body == expected) << at;
  }
}

TEST_F(ObjectFaultsTest, FaultsCombine) {
  strike({.delay = std::chrono::milliseconds(1),
          .bytes_per_second = 1'000'000,
          .truncate_after = 500,
          .shift_range = 100,
          .corrupt_at = 300});
  std::string expected = content(200, 500);
  expected[100] = static_cast<char>(~expected[100]);
  EXPECT_EQ(get("100-1099").body, expected);
  EXPECT_THAT(fault_names(), ElementsAre("delay", "wrong_range", "corrupt", "slow", "truncate"));
}

}  // namespace
}  // namespace otasim::rest
