// The range client against a server played by the test: blocks arrive whole, in order and once; anything
// else that a server can do is a defined end.
#include "agent/app/http_client.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/agent/app/fake_app.h"
#include "tests/agent/app/fake_connection.h"

namespace app::http {
namespace {

using test::world;

constexpr std::uint32_t kBlock = 1024;
constexpr std::uint32_t kFileSize = 20 * kBlock + 100;
constexpr const char* kUrl = "https://otasim.localhost:4433/b/k?X-Amz-Signature=1";

/// A byte of the file that tells where it is from.
char byte_at(std::uint32_t offset) {
  return static_cast<char>((offset * 7 + offset / 256) & 0xFF);
}

std::string part_of_file(std::uint32_t first, std::uint32_t last) {
  std::string part;
  for (std::uint32_t i = first; i <= last; ++i) part += byte_at(i);
  return part;
}

std::string answer(std::uint32_t first, std::uint32_t last, std::string_view more = "") {
  return fmt::format(
             "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {}-{}/{}\r\nContent-Length: {}\r\n{}\r\n",
             first, last, kFileSize, last - first + 1, more) +
         part_of_file(first, last);
}

class HttpClient : public testing::Test {
 protected:
  HttpClient() { test::reset_world(); }

  void begin() { ASSERT_EQ(client.begin(kUrl), UrlStatus::kOk); }

  /// Turns until nothing moves.
  void turn() {
    constexpr int kMany = 1000;
    int turns = 0;
    while (client.service()) ASSERT_LT(++turns, kMany) << "the client never rests";
  }

  /// Takes what was signalled, as the agent would, and gives the buffers back.
  std::string take_blocks() {
    std::string bytes;
    for (const OtaEventMsg_t& event : world().events) {
      if (event.eventId != OtaAgentEventReceivedFileBlock) continue;
      bytes.append(reinterpret_cast<const char*>(event.pEventData->data), event.pEventData->dataLength);
      block_sizes.push_back(event.pEventData->dataLength);
      buffers->release(event.pEventData);
    }
    world().events.clear();
    return bytes;
  }
  [[nodiscard]] static std::size_t count(OtaEvent_t event) {
    return static_cast<std::size_t>(std::count_if(world().events.begin(), world().events.end(),
                                                  [event](const auto& e) { return e.eventId == event; }));
  }
  [[nodiscard]] std::size_t free_buffers() const {
    std::vector<OtaEventData_t*> taken;
    while (OtaEventData_t* buffer = buffers->acquire()) taken.push_back(buffer);
    for (OtaEventData_t* buffer : taken) buffers->release(buffer);
    return taken.size();
  }
  [[nodiscard]] std::vector<std::string> ranges_sent() const {
    std::vector<std::string> ranges;
    constexpr std::string_view kRange = "Range: bytes=";
    for (std::size_t at = 0; (at = connection.sent.find(kRange, at)) != std::string::npos;) {
      at += kRange.size();
      ranges.push_back(connection.sent.substr(at, connection.sent.find('\r', at) - at));
    }
    return ranges;
  }

  /// After a fault: closed, nothing held, nothing taken until the next begin.
  void expect_stopped(Fault fault) {
    EXPECT_EQ(client.statistics().count(fault), 1U) << to_string(fault) << "\n" << world().console;
    EXPECT_NE(world().console.find(to_string(fault)), std::string::npos) << world().console;
    EXPECT_EQ(connection.state(), Connection::State::kClosed);
    EXPECT_EQ(free_buffers() + world().events.size() - count(OtaAgentEventRequestJobDocument),
              EventBuffers::kCount);
    EXPECT_FALSE(client.request(0, 9));
    const int opened = connection.opened;
    turn();
    EXPECT_EQ(connection.opened, opened) << "nothing more is tried until the agent begins anew";
  }

  test::FakeConnection connection;
  std::unique_ptr<EventBuffers> buffers = std::make_unique<EventBuffers>();
  std::unique_ptr<Client> owner = std::make_unique<Client>(connection, *buffers, kBlock);
  Client& client = *owner;
  std::vector<std::uint32_t> block_sizes;
};

TEST_F(HttpClient, ARequestNamesTargetHostAndRange) {
  begin();
  EXPECT_FALSE(client.service()) << "without a request there is nothing to connect for";
  EXPECT_EQ(connection.opened, 0);
  ASSERT_TRUE(client.request(0, 4095));
  turn();
  EXPECT_EQ(connection.opened_to, "otasim.localhost:4433");
  EXPECT_EQ(connection.sent,
            "GET /b/k?X-Amz-Signature=1 HTTP/1.1\r\nHost: otasim.localhost:4433\r\n"
            "Accept-Encoding: identity\r\nRange: bytes=0-4095\r\n\r\n");
}

TEST_F(HttpClient, TheHostsPortIsLeftOutIfItIsHttpsOwn) {
  ASSERT_EQ(client.begin("https://h:443/k"), UrlStatus::kOk);
  ASSERT_TRUE(client.request(0, UINT32_MAX - 1));
  turn();
  EXPECT_NE(connection.sent.find("\r\nHost: h\r\n"), std::string::npos);
  EXPECT_NE(connection.sent.find("bytes=0-4294967294\r\n"), std::string::npos);
}

TEST_F(HttpClient, TheLongestUrlFitsARequest) {
  const std::string host(kMaxUrlHost, 'h');
  const std::string url = "https://" + host + ":65535/" + std::string(kMaxUrlLength - 15 - kMaxUrlHost, 'k');
  ASSERT_EQ(url.size(), kMaxUrlLength);
  ASSERT_EQ(client.begin(url), UrlStatus::kOk);
  ASSERT_TRUE(client.request(4'000'000'000U, 4'000'000'001U));
  turn();
  EXPECT_TRUE(connection.sent.ends_with("\r\nRange: bytes=4000000000-4000000001\r\n\r\n"));
}

TEST_F(HttpClient, PipelinedAnswersBecomeBlocksInOrder) {
  begin();
  ASSERT_TRUE(client.request(0, 4 * kBlock - 1));
  ASSERT_TRUE(client.request(4 * kBlock, 8 * kBlock - 1));
  ASSERT_TRUE(client.request(20 * kBlock, kFileSize - 1));
  turn();
  EXPECT_EQ(ranges_sent(), (std::vector<std::string>{"0-4095", "4096-8191", "20480-20579"}));
  connection.incoming =
      answer(0, 4 * kBlock - 1) + answer(4 * kBlock, 8 * kBlock - 1) + answer(20 * kBlock, kFileSize - 1);
  turn();
  EXPECT_EQ(take_blocks(), part_of_file(0, 8 * kBlock - 1) + part_of_file(20 * kBlock, kFileSize - 1));
  EXPECT_EQ(block_sizes, (std::vector<std::uint32_t>{1024, 1024, 1024, 1024, 1024, 1024, 1024, 1024, 100}));
  EXPECT_EQ(client.statistics().blocks, 9U);
  EXPECT_EQ(connection.opened, 1);
  EXPECT_EQ(connection.closed, 0) << "the connection is kept";
  EXPECT_EQ(world().console, "");
}

TEST_F(HttpClient, AnswersAndRequestsMayComeAndGoInPiecesOfAnySize) {
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U, 1023U, 1025U}) {
    client.end();
    begin();
    connection.piece = piece;
    connection.write_room = piece;
    ASSERT_TRUE(client.request(0, 2 * kBlock - 1));
    ASSERT_TRUE(client.request(2 * kBlock, 3 * kBlock));
    turn();
    connection.incoming = answer(0, 2 * kBlock - 1) + answer(2 * kBlock, 3 * kBlock);
    turn();
    EXPECT_EQ(take_blocks(), part_of_file(0, 3 * kBlock)) << piece;
  }
}

TEST_F(HttpClient, NoMoreRequestsAreTakenThanTheRingHolds) {
  EXPECT_FALSE(client.request(0, 9)) << "before begin()";
  begin();
  EXPECT_FALSE(client.request(10, 9)) << "an empty range";
  for (std::size_t i = 0; i < Client::kMaxOutstanding; ++i) EXPECT_TRUE(client.request(0, 9));
  EXPECT_FALSE(client.request(0, 9));
  turn();
  connection.incoming = answer(0, 9);
  turn();
  EXPECT_TRUE(client.request(0, 9)) << "an answer makes room";
  EXPECT_FALSE(client.request(0, 9));
}

TEST_F(HttpClient, WithoutABufferItStopsReadingAndLosesNothing) {
  begin();
  constexpr std::uint32_t kBlocks = 20;
  constexpr std::uint32_t kRounds = 5;
  for (std::uint32_t i = 0; i < kRounds; ++i) ASSERT_TRUE(client.request(0, kBlocks * kBlock - 1));
  turn();
  for (std::uint32_t i = 0; i < kRounds; ++i) connection.incoming += answer(0, kBlocks * kBlock - 1);
  const std::size_t all = connection.incoming.size();
  turn();
  EXPECT_EQ(world().events.size(), EventBuffers::kCount - Client::kBuffersForOthers);
  EXPECT_LT(connection.bytes_read, all) << "the rest stays with TLS and TCP";
  EXPECT_NE(buffers->acquire(), nullptr) << "a job document still finds one";
  std::string bytes;
  for (int i = 0; i < 10; ++i) {
    bytes += take_blocks();
    turn();
  }
  ASSERT_EQ(bytes.size(), kRounds * kBlocks * kBlock);
  for (std::uint32_t i = 0; i < kRounds; ++i) {
    EXPECT_EQ(bytes.substr(i * kBlocks * kBlock, kBlocks * kBlock), part_of_file(0, kBlocks * kBlock - 1));
  }
}

TEST_F(HttpClient, AFullQueueHoldsTheBlockBack) {
  begin();
  ASSERT_TRUE(client.request(0, kBlock - 1));
  turn();
  world().queue_is_full = true;
  connection.incoming = answer(0, kBlock - 1);
  turn();
  EXPECT_EQ(client.statistics().blocks, 0U);
  world().queue_is_full = false;
  turn();
  EXPECT_EQ(take_blocks(), part_of_file(0, kBlock - 1));
}

/// The buffer's place for a message is larger than a block, and the next buffer stands behind it.
TEST_F(HttpClient, ABlockNeverExceedsItsBufferWhateverSizeWasSet) {
  struct Case {
    std::uint32_t set;
    std::uint32_t used;  ///< as the agent makes of it: a power of two within its limits
  };
  constexpr std::uint32_t kFirst = 256;
  for (const Case& c :
       {Case{0, kMinBlockSize}, Case{255, kMinBlockSize}, Case{3000, 2048},
        Case{OTA_FILE_BLOCK_SIZE, OTA_FILE_BLOCK_SIZE}, Case{2 * OTA_FILE_BLOCK_SIZE, OTA_FILE_BLOCK_SIZE},
        Case{UINT32_MAX, OTA_FILE_BLOCK_SIZE}}) {
    test::reset_world();
    Client sized(connection, *buffers, c.set);
    ASSERT_EQ(sized.begin(kUrl), UrlStatus::kOk);
    ASSERT_TRUE(sized.request(kFirst, kFileSize - 1));
    while (sized.service()) {
    }
    connection.incoming = answer(kFirst, kFileSize - 1);
    block_sizes.clear();
    std::string bytes;
    for (std::string some = "-"; !some.empty(); bytes += some) {
      while (sized.service()) {
      }
      some = take_blocks();
    }
    EXPECT_EQ(bytes, part_of_file(kFirst, kFileSize - 1)) << c.set;
    for (std::size_t i = 0; i + 1 < block_sizes.size(); ++i) EXPECT_EQ(block_sizes[i], c.used) << c.set;
    sized.end();
  }
}

TEST_F(HttpClient, AnExpiredUrlAsksForTheJobOnce) {
  for (const int status : {400, 403, 404}) {
    test::reset_world();
    owner = std::make_unique<Client>(connection, *buffers, kBlock);
    Client& fresh = *owner;
    ASSERT_EQ(fresh.begin(kUrl), UrlStatus::kOk);
    ASSERT_TRUE(fresh.request(0, 9));
    ASSERT_TRUE(fresh.request(10, 19));
    while (fresh.service()) {
    }
    const std::string refusal =
        fmt::format("HTTP/1.1 {} No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", status);
    connection.incoming = refusal + refusal;
    while (fresh.service()) {
    }
    EXPECT_EQ(world().events.size(), 1U);
    EXPECT_EQ(count(OtaAgentEventRequestJobDocument), 1U) << status;
    EXPECT_EQ(fresh.statistics().count(Fault::kUrlRefused), 1U);
    EXPECT_EQ(connection.state(), Connection::State::kClosed);
    EXPECT_FALSE(fresh.request(0, 9)) << "not with this URL";
    // The new document's URL.
    ASSERT_EQ(fresh.begin("https://otasim.localhost:4433/b/k?X-Amz-Signature=2"), UrlStatus::kOk);
    EXPECT_TRUE(fresh.request(0, 9));
    fresh.end();
  }
}

TEST_F(HttpClient, ARenewalThatFindsNoRoomIsSignalledLater) {
  begin();
  ASSERT_TRUE(client.request(0, 9));
  turn();
  world().queue_is_full = true;
  connection.incoming = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
  turn();
  world().queue_is_full = false;
  turn();
  EXPECT_EQ(count(OtaAgentEventRequestJobDocument), 1U);
  turn();
  EXPECT_EQ(count(OtaAgentEventRequestJobDocument), 1U);
}

struct BadAnswer {
  const char* name;
  std::string bytes;
  Fault fault;
  bool ends = false;
};

/// Answers to the range 0-2047 that must not be believed.
std::vector<BadAnswer> bad_answers() {
  const std::string whole = part_of_file(0, kFileSize - 1);
  const auto head = [](std::string_view lines) {
    return "HTTP/1.1 206 Partial Content\r\n" + std::string(lines) + "\r\n";
  };
  return {
      {"Whole", fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", kFileSize) + whole,
       Fault::kWholeObject},
      {"Redirect", "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://e/\r\nContent-Length: 0\r\n\r\n",
       Fault::kRedirect},
      {"NotModified", "HTTP/1.1 304 Not Modified\r\n\r\n", Fault::kRedirect},
      {"SlowDown", "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", Fault::kOtherStatus},
      {"NotSatisfiable", "HTTP/1.1 416 No\r\nContent-Range: bytes */9\r\nContent-Length: 0\r\n\r\n",
       Fault::kOtherStatus},
      {"NoContent", "HTTP/1.1 204 No Content\r\n\r\n", Fault::kOtherStatus},
      {"OtherFirst", head("Content-Range: bytes 1-2047/9999\r\nContent-Length: 2047\r\n"),
       Fault::kWrongRange},
      {"OtherLast", head("Content-Range: bytes 0-2046/9999\r\nContent-Length: 2047\r\n"), Fault::kWrongRange},
      {"Shifted", head("Content-Range: bytes 2048-4095/9999\r\nContent-Length: 2048\r\n"),
       Fault::kWrongRange},
      {"OtherLength", head("Content-Range: bytes 0-2047/9999\r\nContent-Length: 2047\r\n"),
       Fault::kWrongRange},
      {"RangeEndsBeforeTheLength", head("Content-Range: bytes 0-2046/9999\r\nContent-Length: 2048\r\n"),
       Fault::kWrongRange},
      {"RangeBeginsLater", head("Content-Range: bytes 1-2047/9999\r\nContent-Length: 2048\r\n"),
       Fault::kWrongRange},
      {"NoRange", head("Content-Length: 2048\r\n"), Fault::kWrongRange},
      {"NoLength", head("Content-Range: bytes 0-2047/9999\r\n"), Fault::kWrongRange},
      {"Multipart", head("Content-Type: multipart/byteranges; boundary=x\r\nContent-Length: 2048\r\n"),
       Fault::kWrongRange},
      {"Chunked", head("Content-Range: bytes 0-2047/9999\r\nTransfer-Encoding: chunked\r\n"),
       Fault::kTransferEncoding},
      {"ChunkedWithLength",
       head("Content-Range: bytes 0-2047/9999\r\nContent-Length: 2048\r\nTransfer-Encoding: chunked\r\n"),
       Fault::kTransferEncoding},
      {"NoHttp", "SSH-2.0-OpenSSH_9.2\r\n", Fault::kMalformed},
      {"TwoLengths", head("Content-Length: 2048\r\nContent-Length: 1\r\n"), Fault::kMalformed},
      {"EndlessLine", "HTTP/1.1 206 " + std::string(5000, 'x'), Fault::kMalformed},
      {"BodyTooShort", answer(0, 2047).substr(0, answer(0, 2047).size() - 1), Fault::kShortBody, true},
      {"BodyMissing", head("Content-Range: bytes 0-2047/9999\r\nContent-Length: 2048\r\n"), Fault::kShortBody,
       true},
      {"HeadTooShort", "HTTP/1.1 206 Part", Fault::kShortBody, true},
  };
}

class BadAnswers : public HttpClient, public testing::WithParamInterface<BadAnswer> {};

TEST_P(BadAnswers, StopTheTransferUntilTheAgentBeginsAnew) {
  begin();
  ASSERT_TRUE(client.request(0, 2047));
  ASSERT_TRUE(client.request(2048, 4095));
  turn();
  connection.incoming = GetParam().bytes;
  connection.ends = GetParam().ends;
  if (!GetParam().ends) connection.incoming += answer(2048, 4095);  // nothing behind it may be believed
  turn();
  expect_stopped(GetParam().fault);
  EXPECT_EQ(count(OtaAgentEventRequestJobDocument), 0U);
  const std::string got = take_blocks();
  EXPECT_EQ(got, part_of_file(0, 4095).substr(0, got.size()));
  EXPECT_LE(got.size(), 2048U);

  client.end();
  begin();
  ASSERT_TRUE(client.request(0, 2047));
  turn();
  connection.incoming = answer(0, 2047);
  turn();
  EXPECT_EQ(take_blocks(), part_of_file(0, 2047));
}

TEST_P(BadAnswers, AreLoggedOncePerUrl) {
  for (int i = 0; i < 3; ++i) {
    begin();
    ASSERT_TRUE(client.request(0, 2047));
    turn();
    connection.incoming = GetParam().bytes;
    connection.ends = GetParam().ends;
    turn();
    take_blocks();
  }
  EXPECT_EQ(client.statistics().count(GetParam().fault), 3U);
  EXPECT_EQ(std::count(world().console.begin(), world().console.end(), '\n'), 1) << world().console;
}

INSTANTIATE_TEST_SUITE_P(Server, BadAnswers, testing::ValuesIn(bad_answers()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(HttpClient, AnAnswerNobodyAskedForEndsTheConnection) {
  begin();
  ASSERT_TRUE(client.request(0, 9));
  turn();
  connection.incoming = answer(0, 9) + answer(10, 19);
  turn();
  EXPECT_EQ(take_blocks(), part_of_file(0, 9));
  expect_stopped(Fault::kUnsolicited);
}

TEST_F(HttpClient, AClosedIdleConnectionIsOpenedAgainWithTheNextRequest) {
  begin();
  ASSERT_TRUE(client.request(0, 9));
  turn();
  connection.incoming = answer(0, 9);
  connection.ends = true;
  turn();
  EXPECT_EQ(take_blocks(), part_of_file(0, 9));
  EXPECT_EQ(connection.opened, 1);
  ASSERT_TRUE(client.request(10, 19));
  turn();
  EXPECT_EQ(connection.opened, 2);
  connection.incoming = answer(10, 19);
  turn();
  EXPECT_EQ(take_blocks(), part_of_file(10, 19));
  EXPECT_EQ(world().console, "");
}

TEST_F(HttpClient, WhatIsOutstandingWhenTheServerClosesIsAskedForAgain) {
  for (const bool announced : {false, true}) {
    client.end();
    begin();
    ASSERT_TRUE(client.request(0, 9));
    ASSERT_TRUE(client.request(10, 19));
    ASSERT_TRUE(client.request(20, 29));
    turn();
    connection.incoming = answer(0, 9, announced ? "Connection: close\r\n" : "");
    connection.ends = !announced;
    turn();
    EXPECT_EQ(ranges_sent(), (std::vector<std::string>{"10-19", "20-29"})) << announced;
    connection.incoming = answer(10, 19) + answer(20, 29);
    turn();
    EXPECT_EQ(take_blocks(), part_of_file(0, 29)) << announced;
  }
}

TEST_F(HttpClient, AServerThatClosesAgainAndAgainIsGivenUp) {
  begin();
  ASSERT_TRUE(client.request(0, 9));
  for (unsigned i = 0; i <= Client::kMaxReopens; ++i) {
    connection.ends = true;
    turn();
    EXPECT_EQ(connection.opened, static_cast<int>(std::min(i + 2, Client::kMaxReopens + 1)));
  }
  expect_stopped(Fault::kConnection);
}

TEST_F(HttpClient, EachBlockIsProgressSoTheServerMayCloseBehindEach) {
  begin();
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(client.request(10 * i, 10 * i + 9));
  for (std::uint32_t i = 0; i < 10; ++i) {
    turn();
    connection.incoming = answer(10 * i, 10 * i + 9);
    connection.ends = true;
  }
  turn();
  EXPECT_EQ(take_blocks(), part_of_file(0, 99));
  EXPECT_EQ(client.statistics().count(Fault::kConnection), 0U);
}

TEST_F(HttpClient, AServerThatCannotBeReachedIsTriedABoundedNumberOfTimes) {
  connection.refuses = true;
  begin();
  ASSERT_TRUE(client.request(0, 9));
  turn();
  EXPECT_EQ(connection.opened, static_cast<int>(Client::kMaxReopens) + 1);
  expect_stopped(Fault::kConnection);
  EXPECT_NE(world().console.find("the server closed the connection -7"), std::string::npos);
}

TEST_F(HttpClient, WhatWasReadBeforeTheConnectionBrokeStillCounts) {
  begin();
  constexpr std::uint32_t kHalf = (EventBuffers::kCount - Client::kBuffersForOthers) / 2 * kBlock;
  ASSERT_TRUE(client.request(0, kHalf - 1));
  ASSERT_TRUE(client.request(0, kHalf - 1));
  ASSERT_TRUE(client.request(10, 19));
  turn();
  connection.incoming = answer(0, kHalf - 1) + answer(0, kHalf - 1) + answer(10, 19);
  turn();
  ASSERT_TRUE(connection.incoming.empty()) << "all of it was read, and the last ten bytes wait for a buffer";
  connection.break_now();
  turn();
  EXPECT_TRUE(take_blocks() == part_of_file(0, kHalf - 1) + part_of_file(0, kHalf - 1));
  turn();
  EXPECT_EQ(take_blocks(), part_of_file(10, 19));
  EXPECT_EQ(client.statistics().count(Fault::kShortBody), 0U);
}

TEST_F(HttpClient, AfterTheEndNothingIsSignalled) {
  begin();
  ASSERT_TRUE(client.request(0, 2 * kBlock - 1));
  turn();
  connection.incoming = answer(0, 2 * kBlock - 1).substr(0, 1500);
  turn();
  take_blocks();
  client.end();
  EXPECT_EQ(connection.state(), Connection::State::kClosed);
  EXPECT_EQ(free_buffers(), EventBuffers::kCount) << "the half block's buffer is back";
  connection.incoming = answer(0, 2 * kBlock - 1);
  turn();
  EXPECT_TRUE(world().events.empty());
  EXPECT_FALSE(client.request(0, 9));
}

TEST_F(HttpClient, ANewUrlIsFetchedOverANewConnection) {
  begin();
  ASSERT_TRUE(client.request(0, 9));
  turn();
  connection.incoming =
      answer(0, 9).substr(0, answer(0, 9).size() - 1);  // the rest is never taken for the next
  turn();
  ASSERT_EQ(client.begin("https://otasim.localhost:4434/b/other"), UrlStatus::kOk);
  EXPECT_EQ(connection.closed, 1);
  EXPECT_EQ(free_buffers(), EventBuffers::kCount);
  ASSERT_TRUE(client.request(10, 19));
  turn();
  EXPECT_EQ(connection.opened, 2);
  EXPECT_EQ(connection.opened_to, "otasim.localhost:4434");
  EXPECT_NE(connection.sent.find("GET /b/other HTTP"), std::string::npos);
  EXPECT_EQ(ranges_sent(), (std::vector<std::string>{"10-19"}));
  connection.incoming = answer(10, 19);
  turn();
  EXPECT_EQ(take_blocks(), part_of_file(10, 19));
}

TEST_F(HttpClient, ABadUrlBeginsNothing) {
  EXPECT_EQ(client.begin("http://h/"), UrlStatus::kBadScheme);
  EXPECT_FALSE(client.request(0, 9));
  EXPECT_FALSE(client.service());
  EXPECT_EQ(connection.opened, 0);
}

TEST_F(HttpClient, NothingIsSentBeforeTheConnectionStands) {
  connection.opens_at_once = false;
  begin();
  ASSERT_TRUE(client.request(0, 9));
  turn();
  EXPECT_EQ(connection.sent, "");
  connection.finish_opening();
  turn();
  EXPECT_EQ(ranges_sent(), (std::vector<std::string>{"0-9"}));
}

}  // namespace
}  // namespace app::http
