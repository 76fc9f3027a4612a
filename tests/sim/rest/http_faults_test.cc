// Faults of objects armed by name: what they count, strike and tell, and that they combine. What each does to
// an answer is object_faults_test's.
#include "sim/cloud/http_faults.h"

#include "tests/sim/rest/object_handler_fixture.h"

namespace otasim::rest {
namespace {

using std::chrono::steady_clock;
using test::Response;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using cloud::HttpCorrupt;
using cloud::HttpDelay;
using cloud::HttpFaults;
using cloud::HttpIgnoreRange;
using cloud::HttpReset;
using cloud::HttpSlow;
using cloud::HttpStatus;
using cloud::HttpTruncate;
using cloud::HttpWrongRange;

class HttpFaultsTest : public ObjectHandlerFixture {
 protected:
  HttpFaultsTest() {
    faults_.attach(
        [this](cloud::ObjectFaultHandler handler) { handler_.set_fault_handler(std::move(handler)); });
  }

  /// The names of what has struck so far.
  [[nodiscard]] std::vector<std::string> struck() const {
    std::vector<std::string> names;
    for (const auto& event : events_) {
      if (event["event"] == "fault") names.push_back(event["fault"]);
    }
    return names;
  }

  HttpFaults faults_{*log_};
};

TEST_F(HttpFaultsTest, StatusStrikesByItsPlan) {
  const FaultId id = faults_.arm({.what = HttpStatus{403}, .strike = {.after = 1, .times = 1}});
  EXPECT_EQ(get().status, 200);
  EXPECT_EQ(get("0-9").status, 403);
  EXPECT_EQ(get().status, 200);
  EXPECT_THAT(struck(), ElementsAre("http.status"));
  nlohmann::json event = *std::ranges::find(events_, "fault", [](const auto& e) { return e["event"]; });
  EXPECT_EQ(event["source"], "cloud");
  EXPECT_EQ(event["status"], 403);
  EXPECT_EQ(event["bucket"], "firmware");
  EXPECT_EQ(event["key"], "app.bin");
  EXPECT_EQ(event["first_byte"], 0);
  EXPECT_EQ(event["bytes"], 10);
  EXPECT_TRUE(faults_.clear(id));
  EXPECT_FALSE(faults_.clear(id));
}

TEST_F(HttpFaultsTest, ClearingOneLeavesTheOthers) {
  const FaultId first = faults_.arm({.what = HttpStatus{503}});
  faults_.arm({.what = HttpTruncate{.after_bytes = 100}});
  EXPECT_EQ(get().status, 503);
  EXPECT_TRUE(faults_.clear(first));
  EXPECT_EQ(get().body, content(0, 100));
}

TEST_F(HttpFaultsTest, AnotherKeyIsNotStruck) {
  const FaultId id = faults_.arm({.what = HttpStatus{500}, .key = "other.bin"});
  EXPECT_EQ(get().status, 200);
  EXPECT_TRUE(faults_.clear(id));
  faults_.arm({.what = HttpStatus{500}, .key = "app.bin"});
  EXPECT_EQ(get().status, 500);
}

TEST_F(HttpFaultsTest, DelayHoldsTheAnswerBack) {
  constexpr std::int64_t kDelay = 40;
  faults_.arm({.what = HttpDelay{.delay_ms = kDelay}});
  auto client = connect();
  const auto begun = steady_clock::now();
  EXPECT_EQ(client.get(target()).status, 200);
  EXPECT_GE(steady_clock::now() - begun, std::chrono::milliseconds(kDelay));
  EXPECT_THAT(struck(), ElementsAre("http.delay"));
}

TEST_F(HttpFaultsTest, SlowSendsAtTheRateAtMost) {
  faults_.arm({.what = HttpSlow{.bytes_per_second = 100'000}});
  const auto begun = steady_clock::now();
  EXPECT_EQ(get("0-19999").body, content(0, 20'000));
  EXPECT_GE(steady_clock::now() - begun, std::chrono::milliseconds(100));
  EXPECT_THAT(struck(), ElementsAre("http.slow"));
}

TEST_F(HttpFaultsTest, TruncateCountsBodiesThatAreLonger) {
  faults_.arm({.what = HttpTruncate{.after_bytes = 500}, .strike = {.times = 1}});
  EXPECT_EQ(get("0-499").body, content(0, 500));
  EXPECT_THAT(struck(), IsEmpty());
  EXPECT_EQ(get("0-999").body, content(0, 500));
  EXPECT_THAT(struck(), ElementsAre("http.truncate"));
}

TEST_F(HttpFaultsTest, ResetComesBeforeTheAnswerUnlessToldOtherwise) {
  const FaultId id = faults_.arm({.what = HttpReset{}});
  Response response = get();
  EXPECT_EQ(response.status, 0);
  EXPECT_EQ(response.error, boost::asio::error::connection_reset);
  EXPECT_TRUE(faults_.clear(id));
  faults_.arm({.what = HttpReset{.after_bytes = 1000}});
  response = get();
  EXPECT_EQ(response.body, content(0, 1000));
  EXPECT_EQ(response.error, boost::asio::error::connection_reset);
  EXPECT_THAT(struck(), ElementsAre("http.reset", "http.reset"));
}

TEST_F(HttpFaultsTest, WrongRangeCountsRequestsOfARangeThatCanMove) {
  faults_.arm({.what = HttpWrongRange{.shift_bytes = -100}, .strike = {.times = 1}});
  EXPECT_EQ(get().body, content(0, 100'000));
  EXPECT_EQ(get("0-99").body, content(0, 100));
  EXPECT_THAT(struck(), IsEmpty());
  const Response response = get("200-299");
  EXPECT_EQ(response.body, content(100, 100));
  EXPECT_EQ(response.header("Content-Range"), "bytes 200-299/100000");
  EXPECT_THAT(struck(), ElementsAre("http.wrong_range"));
}

TEST_F(HttpFaultsTest, WrongRangeMayTellTheTruth) {
  faults_.arm({.what = HttpWrongRange{.shift_bytes = 100, .content_range_tells_shift = true}});
  EXPECT_EQ(get("200-299").header("Content-Range"), "bytes 300-399/100000");
}

TEST_F(HttpFaultsTest, IgnoreRangeSendsAll) {
  faults_.arm({.what = HttpIgnoreRange{}, .strike = {.times = 1}});
  EXPECT_EQ(get().status, 200);
  EXPECT_THAT(struck(), IsEmpty()) << "no range was asked for";
  const Response response = get("200-299");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, content(0, 100'000));
  EXPECT_THAT(struck(), ElementsAre("http.ignore_range"));
}

TEST_F(HttpFaultsTest, CorruptCountsRequestsThatBringTheByte) {
  faults_.arm({.what = HttpCorrupt{.at_bytes = 150}, .strike = {.times = 1}});
  EXPECT_EQ(get("0-99").body, content(0, 100));
  std::string expected = content(100, 100);
  expected[50] = static_cast<char>(~expected[50]);
  EXPECT_EQ(get("100-199").body, expected);
  EXPECT_EQ(get("100-199").body, content(100, 100));
  EXPECT_THAT(struck(), ElementsAre("http.corrupt"));
}

TEST_F(HttpFaultsTest, CorruptWithoutAPlaceIsOneByteOfTheRange) {
  faults_.arm({.what = HttpCorrupt{}, .strike = {.seed = 5}});
  std::string body = get("5000-5099").body;
  const auto event = *std::ranges::find(events_, "fault", [](const auto& e) { return e["event"]; });
  const auto at = event["at_bytes"].get<std::size_t>();
  ASSERT_GE(at, 5000U);
  ASSERT_LT(at, 5100U);
  body[at - 5000] = static_cast<char>(~body[at - 5000]);
  EXPECT_EQ(body, content(5000, 100));
}

TEST_F(HttpFaultsTest, FaultsCombineAndTheLaterOfTwoHolds) {
  faults_.arm({.what = HttpTruncate{.after_bytes = 900}});
  faults_.arm({.what = HttpTruncate{.after_bytes = 500}});
  faults_.arm({.what = HttpWrongRange{.shift_bytes = 100}});
  EXPECT_EQ(get("100-1099").body, content(200, 500));
  EXPECT_THAT(struck(), ElementsAre("http.truncate", "http.truncate", "http.wrong_range"));
}

TEST_F(HttpFaultsTest, TheServerIsNotAskedWhileNoneIsArmed) {
  const FaultId id = faults_.arm({.what = HttpStatus{500}});
  EXPECT_TRUE(faults_.clear(id));
  EXPECT_TRUE(faults_.empty());
  EXPECT_EQ(get().status, 200);
  EXPECT_THAT(struck(), IsEmpty());
}

}  // namespace
}  // namespace otasim::rest
