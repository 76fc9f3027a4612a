// The object server as a client sees it over TLS: objects, errors, connections, and what hostile clients get.
#include "sim/rest/object_handler.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <filesystem>

#include "sim/base/file_io.h"
#include "tests/sim/rest/object_handler_fixture.h"

namespace otasim::rest {
namespace {

using test::HttpsClient;
using test::request_text;
using test::Response;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

/// The connection ended, in whichever way.
#define EXPECT_ENDED(error) EXPECT_TRUE(error) << "the connection is still there"

class ObjectHandlerTest : public ObjectHandlerFixture {
 protected:
  /// From the next request on, so that a slow machine has time for the handshake.
  void set_idle_timeout_at_next_request() {
    handler_.set_fault_handler([this](const ObjectRequest&) {
      server_->set_idle_timeout(std::chrono::milliseconds(30));
      return ObjectFaults{};
    });
  }
};

TEST_F(ObjectHandlerTest, AGetIsAnsweredAsS3Does) {
  const Response response = get();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, content(0, 100'000));
  EXPECT_EQ(response.header("Content-Length"), "100000");
  EXPECT_EQ(response.header("Content-Type"), "binary/octet-stream");
  EXPECT_EQ(response.header("ETag"), "\"" + image_.etag + "\"");
  EXPECT_EQ(response.header("Last-Modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
  EXPECT_EQ(response.header("Accept-Ranges"), "bytes");
  EXPECT_EQ(response.header("x-amz-version-id"), image_.location.version);
  EXPECT_THAT(response.header("x-amz-request-id"), MatchesRegex("[0-9A-F]{16}"));
  EXPECT_THAT(response.header("x-amz-id-2"), Not(""));
  EXPECT_EQ(response.header("Server"), "AmazonS3");
  EXPECT_EQ(response.header("Date"), "Tue, 14 Nov 2023 22:13:20 GMT");
  EXPECT_EQ(response.header("Connection"), "");
}

TEST_F(ObjectHandlerTest, ARangeIsAnsweredWithExactlyItsBytes) {
  struct Case {
    const char* range;
    std::int64_t first;
    std::int64_t last;
  };
  auto client = connect();
  for (const Case& c :
       {Case{"0-0", 0, 0}, Case{"0-4095", 0, 4095}, Case{"4096-8191", 4096, 8191},
        Case{"99999-", 99'999, 99'999}, Case{"65000-70000", 65'000, 70'000}, Case{"-1000", 99'000, 99'999},
        Case{"0-", 0, 99'999}, Case{"99000-999999", 99'000, 99'999}}) {
    const Response response = client.get(target(), fmt::format("Range: bytes={}\r\n", c.range));
    ASSERT_EQ(response.status, 206) << c.range;
    EXPECT_EQ(response.header("Content-Range"), fmt::format("bytes {}-{}/100000", c.first, c.last));
    EXPECT_EQ(response.header("Content-Length"), std::to_string(c.last - c.first + 1));
    ASSERT_EQ(response.body, content(c.first, c.last - c.first + 1)) << c.range;
  }
  EXPECT_EQ(server_->statistics().connections, 1) << "all on one connection";
}

TEST_F(ObjectHandlerTest, ARangeBeyondTheEndIsNotSatisfiable) {
  const Response response = get("100000-");
  EXPECT_EQ(response.status, 416);
  EXPECT_EQ(response.header("Content-Range"), "bytes */100000");
  EXPECT_EQ(response.header("Content-Type"), "application/xml");
  EXPECT_THAT(response.body, AllOf(HasSubstr("<Code>InvalidRange</Code>"),
                                   HasSubstr("<RangeRequested>bytes=100000-</RangeRequested>"),
                                   HasSubstr("<ActualObjectSize>100000</ActualObjectSize>")));
}

TEST_F(ObjectHandlerTest, SeveralRangesOrBrokenOnesGetTheWholeObject) {
  auto client = connect();
  for (const char* headers : {"Range: bytes=0-1,5-6\r\n", "Range: bytes=5-1\r\n", "Range: lines=0-1\r\n",
                              "Range: bytes=0-1\r\nRange: bytes=5-6\r\n"}) {
    const Response response = client.get(target(), headers);
    EXPECT_EQ(response.status, 200) << headers;
    EXPECT_EQ(response.body.size(), 100'000U) << headers;
  }
}

TEST_F(ObjectHandlerTest, HeadIsTheHeaderOfAGet) {
  auto client = connect();
  const Response response = client.head(presigned("HEAD", image_.location), "Range: bytes=10-19\r\n");
  EXPECT_EQ(response.status, 206);
  EXPECT_EQ(response.header("Content-Range"), "bytes 10-19/100000");
  EXPECT_EQ(response.header("Content-Length"), "10");
  // Were there a body, the next answer would begin with it.
  EXPECT_EQ(client.get(target(), "Range: bytes=0-0\r\n").status, 206);
}

TEST_F(ObjectHandlerTest, AHeadThatFailsHasNoBodyEither) {
  auto client = connect();
  const Response response = client.head(target());  // signed for GET
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.header("Content-Type"), "application/xml");
  EXPECT_EQ(client.get(target()).status, 200);
}

TEST_F(ObjectHandlerTest, AnEmptyObjectHasAnEmptyBody) {
  const auto empty = put("empty", {});
  auto client = connect();
  const Response response = client.get(presigned("GET", empty.location));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("Content-Length"), "0");
  EXPECT_EQ(client.get(presigned("GET", empty.location), "Range: bytes=0-0\r\n").status, 416);
}

TEST_F(ObjectHandlerTest, AUrlWithoutAVersionGetsTheLatest) {
  const auto latest = put("app.bin", bytes("new"));
  auto client = connect();
  const Response response = client.get(presigned("GET", {"firmware", "app.bin", ""}));
  EXPECT_EQ(response.body, "new");
  EXPECT_EQ(response.header("x-amz-version-id"), latest.location.version);
}

TEST_F(ObjectHandlerTest, KeysOfAnyBytesAreServed) {
  std::string key;
  for (int byte = 1; byte < 256; ++byte) key += static_cast<char>(byte);
  const auto object = put(key + "/../ %2F?x=1&y#z", bytes("odd"));
  auto client = connect();
  EXPECT_EQ(client.get(presigned("GET", object.location)).body, "odd");
}

TEST_F(ObjectHandlerTest, ErrorsAreS3sAndTheConnectionGoesOn) {
  auto client = connect();
  const auto check = [&](const std::string& request_target, int status, const std::string& code) {
    const Response response = client.get(request_target);
    EXPECT_EQ(response.status, status) << code;
    EXPECT_EQ(response.header("Content-Type"), "application/xml");
    EXPECT_THAT(response.body, StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code +
                                          "</Code><Message>"));
    EXPECT_THAT(response.body,
                HasSubstr("<RequestId>" + response.header("x-amz-request-id") + "</RequestId>"));
    EXPECT_THAT(response.body, HasSubstr("<HostId>" + response.header("x-amz-id-2") + "</HostId>"));
  };
  check(presigned("GET", {"none", "app.bin", ""}), 404, "NoSuchBucket");
  check(presigned("GET", {"firmware", "none", ""}), 404, "NoSuchKey");
  check(presigned("GET", {"firmware", "app.bin", "none"}), 404, "NoSuchVersion");
  check("/firmware/app.bin", 403, "AccessDenied");
  check(target() + "0", 403, "SignatureDoesNotMatch");
  check("/%zz", 400, "InvalidURI");
  const std::string expiring = target(60);
  clock_.advance(61);
  check(expiring, 403, "AccessDenied");
  EXPECT_EQ(client.get(target()).status, 200);
  EXPECT_EQ(server_->statistics().connections, 1);
}

TEST_F(ObjectHandlerTest, OtherMethodsAreNotAllowed) {
  auto client = connect();
  client.send(request_text("PATCH", target()));
  const Response response = client.receive();
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.header("Allow"), "PUT, GET, HEAD, DELETE");
  EXPECT_THAT(response.body, HasSubstr("<Code>MethodNotAllowed</Code>"));
}

TEST_F(ObjectHandlerTest, PipelinedRequestsAreAnsweredInOrder) {
  auto client = connect();
  constexpr int kRequests = 20;
  std::string requests;
  for (int i = 0; i < kRequests; ++i) {
    requests += request_text("GET", target(), fmt::format("Range: bytes={}-{}\r\n", i * 100, i * 100 + 99));
  }
  ASSERT_FALSE(client.send(requests));
  for (int i = 0; i < kRequests; ++i) {
    const Response response = client.receive();
    ASSERT_FALSE(response.error) << response.error.message();
    ASSERT_EQ(response.body, content(i * 100, 100)) << i;
  }
}

TEST_F(ObjectHandlerTest, ARequestThatComesByteByByteIsAnswered) {
  auto client = connect();
  for (const char c : request_text("GET", target(), "Range: bytes=0-9\r\n")) client.send(std::string(1, c));
  EXPECT_EQ(client.receive().body, content(0, 10));
}

TEST_F(ObjectHandlerTest, AClientThatWantsToCloseIsLetGo) {
  for (const char* version_and_headers : {"HTTP/1.1\r\nConnection: close\r\n", "HTTP/1.0\r\n"}) {
    auto client = connect();
    client.send(fmt::format("GET {} {}Host: {}\r\n\r\n", target(), version_and_headers, test::kServerName));
    const Response response = client.receive();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.header("Connection"), "close");
    EXPECT_EQ(client.read_to_end(), boost::asio::error::eof) << "with TLS's goodbye";
  }
}

TEST_F(ObjectHandlerTest, AnOldClientMayAskToStay) {
  auto client = connect();
  client.send(fmt::format("GET {} HTTP/1.0\r\nConnection: keep-alive\r\nHost: {}\r\n\r\n", target(),
                          test::kServerName));
  EXPECT_EQ(client.receive().header("Connection"), "keep-alive");
  EXPECT_EQ(client.get(target()).status, 200);
}

TEST_F(ObjectHandlerTest, SpeaksTls12And13Only) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto client = connect(version);
    ASSERT_FALSE(client.error()) << client.error().message();
    EXPECT_EQ(client.tls_version(), version);
    EXPECT_EQ(client.get(target()).status, 200);
  }
  EXPECT_ENDED(connect(TLS1_1_VERSION).error());
  wait_for_no_connection();
  EXPECT_EQ(server_->statistics().failed_handshakes, 1);
}

TEST_F(ObjectHandlerTest, AnObjectRemovedDuringATransferIsSentToItsEnd) {
  const auto large = put("large", pattern(16 << 20));
  const std::string request = request_text("GET", presigned("GET", large.location));
  auto client = connect(0, 4096);
  handler_.set_fault_handler([&](const ObjectRequest&) {
    // Not yet: the server is about to open it. The rest of the io_context's work comes after that.
    boost::asio::post(io_, [&] { EXPECT_TRUE(objects_->remove(large.location)); });
    return ObjectFaults{};
  });
  client.send(request);
  const Response response = client.receive();
  EXPECT_EQ(response.body.size(), std::size_t{16} << 20);
  EXPECT_FALSE(objects_->describe("firmware", "large"));
}

TEST_F(ObjectHandlerTest, AFileThatIsMissingIsAnInternalError) {
  std::filesystem::remove(content_folder() + "/" + image_.location.version);
  const Response response = get();
  EXPECT_EQ(response.status, 500);
  EXPECT_THAT(response.body, HasSubstr("<Code>InternalError</Code>"));
}

TEST_F(ObjectHandlerTest, AFileThatIsTooShortEndsTheConnection) {
  std::filesystem::resize_file(content_folder() + "/" + image_.location.version, 70'000);
  const Response response = get();
  EXPECT_ENDED(response.error);
  EXPECT_EQ(response.body, content(0, 65'536)) << "whole pieces only";
  EXPECT_EQ(event().at("error"), "the object's file is shorter than it was");
}

TEST_F(ObjectHandlerTest, EachAnswerIsReported) {
  auto client = connect();
  client.get(target(), "Range: bytes=100-299\r\n");
  const auto& served = event(1);
  EXPECT_EQ(served.at("source"), "cloud");
  EXPECT_EQ(served.at("event"), "object_request");
  EXPECT_EQ(served.at("bucket"), "firmware");
  EXPECT_EQ(served.at("key"), "app.bin");
  EXPECT_EQ(served.at("version"), image_.location.version);
  EXPECT_EQ(served.at("status"), 206);
  EXPECT_EQ(served.at("first_byte"), 100);
  EXPECT_EQ(served.at("bytes"), 200);
  EXPECT_FALSE(served.contains("error"));
  EXPECT_FALSE(served.contains("fault"));

  const std::string expiring = target(60);
  clock_.advance(61);
  client.get(expiring);
  const auto& refused = event(2);
  EXPECT_EQ(refused.at("key"), "app.bin");
  EXPECT_EQ(refused.at("status"), 403);
  EXPECT_EQ(refused.at("bytes"), 0);
  EXPECT_EQ(refused.at("error"), "AccessDenied");

  client.head(presigned("HEAD", image_.location));
  EXPECT_EQ(event(3).at("bytes"), 0);
  EXPECT_EQ(server_->statistics().requests, 3);
}

TEST_F(ObjectHandlerTest, AClientThatLeavesInTheMiddleIsReported) {
  const auto large = put("large", pattern(32 << 20));
  {
    auto client = connect(0, 4096);
    client.send(request_text("GET", presigned("GET", large.location)));
  }
  const auto& cut_off = event();
  EXPECT_EQ(cut_off.at("status"), 200);
  EXPECT_LT(cut_off.at("bytes"), 32 << 20);
  EXPECT_NE(cut_off.at("error"), "");
}

// ---- hostile clients
// ---------------------------------------------------------------------------------------

TEST_F(ObjectHandlerTest, PlainHttpOnTheTlsPortIsClosed) {
  EXPECT_ENDED(test::send_plain(io_, server_->port(), request_text("GET", target())));
  wait_for_no_connection();
  EXPECT_EQ(server_->statistics().failed_handshakes, 1);
  EXPECT_EQ(get().status, 200);
}

TEST_F(ObjectHandlerTest, GarbageInsteadOfTlsIsClosed) {
  const auto noise = pattern(20'000);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_ENDED(test::send_plain(io_, server_->port(),
                                  {noise.begin() + static_cast<std::ptrdiff_t>(i * 1000), noise.end()}));
  }
  // A record header that promises a client hello, and noise in it.
  EXPECT_ENDED(
      test::send_plain(io_, server_->port(), std::string("\x16\x03\x01\x00\x40", 5) + content(0, 64)));
  wait_for_no_connection();
  EXPECT_EQ(server_->statistics().failed_handshakes, 21);
  EXPECT_EQ(get().status, 200);
}

TEST_F(ObjectHandlerTest, WhatIsNoHttpIsRefusedAndClosed) {
  const std::vector<std::string> requests{
      "\r\n\r\nrubbish\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/2.0\r\n\r\n",
      "GET / HTTP/1.1\r\nno colon\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      std::string("GET /\0 HTTP/1.1\r\n\r\n", 19),
      content(0, 300) + "\r\n\r\n",
  };
  for (const std::string& request : requests) {
    auto client = connect();
    client.send(request);
    const Response response = client.receive();
    EXPECT_EQ(response.status, 400) << request;
    EXPECT_THAT(response.body, HasSubstr("<Code>BadRequest</Code>"));
    EXPECT_EQ(response.header("Connection"), "close");
    EXPECT_ENDED(client.read_to_end());
  }
  EXPECT_EQ(server_->statistics().malformed, static_cast<std::int64_t>(requests.size()));
  EXPECT_EQ(get().status, 200);
}

TEST_F(ObjectHandlerTest, DamagedRequestsDoTheServerNoHarm) {
  const std::string good = request_text("GET", target(), "Range: bytes=0-9\r\n");
  const auto noise = pattern(400);
  for (std::size_t i = 0; i < 100; ++i) {
    std::string damaged = good + good;
    for (std::size_t hit = 0; hit < 3; ++hit) {
      const std::size_t at = (noise[i * 4] * std::size_t{256} + noise[i * 4 + hit + 1]) * 7 % damaged.size();
      damaged[at] = static_cast<char>(noise[i * 4 + hit + 1] ^ (hit * 85));
    }
    auto client = connect();
    client.send(damaged.substr(0, damaged.size() - i % 3));
    client.receive();
    client.close();
  }
  wait_for_no_connection();
  EXPECT_EQ(get().status, 200);
}

TEST_F(ObjectHandlerTest, AHeaderOfMoreThan8KilobytesIsRefused) {
  auto client = connect();
  EXPECT_EQ(client.get(target(), "X-Filler: " + std::string(7000, 'x') + "\r\n").status, 200);
  client.send(request_text("GET", target(), "X-Filler: " + std::string(8192, 'x') + "\r\n"));
  const Response response = client.receive();
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("<Code>RequestHeaderSectionTooLarge</Code>"));
  EXPECT_ENDED(client.read_to_end());
}

TEST_F(ObjectHandlerTest, AHeaderThatNeverEndsIsRefused) {
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nX-Filler: " + std::string(60'000, 'x'));
  EXPECT_EQ(client.receive().status, 400);
  EXPECT_ENDED(client.read_to_end());
}

TEST_F(ObjectHandlerTest, ABodyIsRefused) {
  for (const char* headers :
       {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 99999999999\r\n"}) {
    auto client = connect();
    client.send(request_text("GET", target(), headers) + "hello");
    EXPECT_EQ(client.receive().status, 400) << headers;
    EXPECT_ENDED(client.read_to_end());
  }
  auto client = connect();
  EXPECT_EQ(client.get(target(), "Content-Length: 0\r\n").status, 200) << "an empty body is none";
}

TEST_F(ObjectHandlerTest, ARequestWithoutExactlyOneHostIsNotTheSignedOne) {
  auto client = connect();
  client.send(fmt::format("GET {} HTTP/1.1\r\n\r\n", target()));
  EXPECT_EQ(client.receive().status, 403);
  EXPECT_EQ(client.get(target(), "Host: elsewhere\r\n").status, 403);
}

TEST_F(ObjectHandlerTest, AClientThatNeverShakesHandsIsClosed) {
  auto options = default_options();
  options.idle_timeout = std::chrono::milliseconds(30);
  start(options);
  EXPECT_ENDED(test::send_plain(io_, server_->port(), ""));
  EXPECT_EQ(server_->statistics().timed_out, 1);
}

TEST_F(ObjectHandlerTest, AClientThatSaysNothingMoreIsClosed) {
  set_idle_timeout_at_next_request();
  auto client = connect();
  EXPECT_EQ(client.get(target(), "Range: bytes=0-9\r\n").status, 206);
  client.send("GET / HTTP/1.1\r\n");
  EXPECT_ENDED(client.read_to_end());
  wait_for_no_connection();
  EXPECT_EQ(server_->statistics().timed_out, 1);
}

TEST_F(ObjectHandlerTest, AClientThatTakesNothingIsClosed) {
  const auto large = put("large", pattern(32 << 20));
  set_idle_timeout_at_next_request();
  auto client = connect(0, 4096);
  client.send(request_text("GET", presigned("GET", large.location)));
  EXPECT_LT(event().at("bytes"), 32 << 20) << "more than the system's buffers hold";
  wait_for_no_connection();
  EXPECT_EQ(server_->statistics().timed_out, 1);
}

TEST_F(ObjectHandlerTest, OneConnectionTooManyIsClosedAtOnce) {
  auto options = default_options();
  options.max_connections = 2;
  start(options);
  auto first = connect();
  auto second = connect();
  EXPECT_ENDED(connect().error());
  EXPECT_EQ(server_->statistics().refused, 1);
  EXPECT_EQ(server_->statistics().connections_open, 2);
  first.close();
  test::run_until(io_, [&] { return server_->statistics().connections_open == 1; });
  EXPECT_EQ(get().status, 200);
  EXPECT_EQ(second.get(target()).status, 200);
}

// ---- start and end
// -----------------------------------------------------------------------------------------

TEST_F(ObjectHandlerTest, APortInUseIsNamed) {
  auto options = default_options();
  options.port = server_->port();
  const auto second = HttpServer::start(io_, handler_, options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ExitCode::kEnvironment);
  EXPECT_EQ(second.error().message,
            fmt::format("port {} is already in use by another process.", options.port));
}

TEST_F(ObjectHandlerTest, APortCanBeTakenAgainAtOnce) {
  auto options = default_options();
  EXPECT_EQ(get().status, 200);
  options.port = server_->port();
  start(options);
  EXPECT_EQ(server_->port(), options.port);
  EXPECT_EQ(get().status, 200);
}

TEST_F(ObjectHandlerTest, FilesThatAreNoIdentityAreNamed) {
  const auto error_with = [&](const std::string& certificate, const std::string& key) {
    auto options = default_options();
    options.certificate_path = certificate;
    options.key_path = key;
    const auto failed = HttpServer::start(io_, handler_, options);
    return failed ? Error{} : failed.error();
  };
  const std::string good_certificate = lab_.endpoint().certificate_path;
  const std::string missing = folder_.file("missing.pem");
  EXPECT_THAT(error_with(missing, lab_.endpoint().key_path).message, HasSubstr(missing));
  EXPECT_THAT(error_with(good_certificate, missing).message, HasSubstr(missing));
  EXPECT_THAT(error_with(good_certificate, lab_.authority().key_path).message,
              HasSubstr("HTTPS server's key"));
  EXPECT_EQ(error_with(good_certificate, good_certificate).code, ExitCode::kEnvironment);
}

TEST_F(ObjectHandlerTest, ItsEndClosesConnectionsInEveryState) {
  const auto large = put("large", pattern(32 << 20));
  auto idle = connect();
  auto in_body = connect(0, 4096);
  in_body.send(request_text("GET", presigned("GET", large.location)));
  auto in_header = connect();
  in_header.send("GET / HTTP/1.1\r\n");
  auto delayed = connect();
  strike({.delay = std::chrono::hours(1)});
  delayed.send(request_text("GET", target()));
  auto slow = connect();
  strike({.bytes_per_second = 1});
  slow.send(request_text("GET", target()));
  const auto no_handshake = std::make_shared<boost::asio::ip::tcp::socket>(io_);
  no_handshake->connect({boost::asio::ip::address_v4::loopback(), server_->port()});
  test::run_until(io_, [&] { return server_->statistics().connections_open == 6; });

  server_.reset();
  for (HttpsClient* client : {&idle, &in_body, &in_header, &delayed, &slow})
    EXPECT_ENDED(client->read_to_end());
  char byte = 0;
  boost::system::error_code error;
  no_handshake->read_some(boost::asio::buffer(&byte, 1), error);
  EXPECT_ENDED(error);
  // Whatever is still queued runs into nothing that is gone.
  objects_.reset();
  io_.restart();
  io_.poll();
}

TEST_F(ObjectHandlerTest, ItsEndNeedsNoFurtherRunOfTheIoContext) {
  auto io = std::make_unique<boost::asio::io_context>();
  auto server = HttpServer::start(*io, handler_, default_options()).value();
  HttpsClient client(*io, server->port(), {lab_.authority().certificate_path});
  handler_.set_fault_handler(
      [](const ObjectRequest&) { return ObjectFaults{.delay = std::chrono::hours(1)}; });
  client.send(request_text("GET", target()));
  client.close();
  server.reset();
  // The fixture's teardown runs nothing either; the sanitizer watches.
}

}  // namespace
}  // namespace otasim::rest
