// The HTTPS server apart from what it serves: bodies and their limits, answers before the body, clients'
// certificates. Connections, hostile clients and the server's end are object_handler_test's.
#include "sim/rest/http_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/lab.h"
#include "tests/sim/rest/https_client.h"

namespace otasim::rest {
namespace {

using test::request_text;
using test::Response;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::StartsWith;

/// Answers with what it was sent. `/refuse` is answered before the body, `/enough` at its first byte.
class Echo final : public HttpHandler {
 public:
  static constexpr std::uint64_t kMaxBytes = 100'000;

  Decision begin(const HttpRequestHead& head) override {
    last_head = head;
    if (head.target == "/refuse") return text(403, "no");
    return std::make_unique<Exchange>(*this, head.target == "/enough");
  }
  HttpResponse refuse(const HttpRefusal& refusal) override { return text(400, refusal.detail); }

  static HttpResponse text(int status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
  }

  HttpRequestHead last_head;
  std::optional<std::chrono::milliseconds> max_body_time;
  int exchanges_alive = 0;
  std::size_t largest_piece = 0;

 private:
  class Exchange final : public HttpExchange {
   public:
    Exchange(Echo& echo, bool enough) : echo_(echo), enough_(enough) { ++echo_.exchanges_alive; }
    ~Exchange() override { --echo_.exchanges_alive; }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    [[nodiscard]] std::uint64_t max_body_bytes() const override { return kMaxBytes; }
    [[nodiscard]] std::optional<std::chrono::milliseconds> max_body_time() const override {
      return echo_.max_body_time;
    }
    std::optional<HttpResponse> on_body(std::span<const std::uint8_t> piece) override {
      if (enough_) return text(200, "enough");
      echo_.largest_piece = std::max(echo_.largest_piece, piece.size());
      body_.append(piece.begin(), piece.end());
      return std::nullopt;
    }
    HttpResponse on_end() override { return text(200, std::move(body_)); }
    HttpResponse too_large() override { return text(413, "too large"); }

   private:
    Echo& echo_;
    bool enough_;
    std::string body_;
  };
};

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() { start({}); }

  void start(const ClientCertificates& clients) {
    server_.reset();
    auto started = HttpServer::start(io_, echo_,
                                     {.certificate_path = lab_.endpoint().certificate_path,
                                      .key_path = lab_.endpoint().key_path,
                                      .clients = clients});
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }

  [[nodiscard]] test::HttpsClient connect(const test::ClientIdentity& identity = {}, int tls_version = 0) {
    return {io_,
            server_->port(),
            {.authority_path = lab_.authority().certificate_path,
             .tls_version = tls_version,
             .identity = identity}};
  }

  static std::string post(const std::string& target, const std::string& body,
                          const std::string& headers = {}) {
    return request_text("POST", target, fmt::format("{}Content-Length: {}\r\n", headers, body.size())) + body;
  }

  TempDir folder_ = TempDir::create().value();
  lab::Lab lab_ = lab::Lab::create(folder_.path().string()).value();
  Echo echo_;
  boost::asio::io_context io_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AHandlerSeesTheHeaderAsItCame) {
  auto client = connect();
  client.get("/a%20b?c=d", "X-One: 1\r\nx-two:  two words \r\nX-ONE: again\r\n");
  const HttpRequestHead& head = echo_.last_head;
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/a%20b?c=d");
  EXPECT_THAT(head.headers, ElementsAre(Pair("Host", test::kServerName), Pair("X-One", "1"),
                                        Pair("X-ONE", "again"), Pair("x-two", "two words")));
  EXPECT_EQ(head.single("X-Two"), "two words");
  EXPECT_EQ(head.single("X-One"), std::nullopt) << "given twice, with two meanings";
  EXPECT_EQ(head.count("x-one"), 2U);
  EXPECT_THAT(head.peer, StartsWith("127.0.0.1:"));
  EXPECT_EQ(head.client_certificate, "");
  EXPECT_FALSE(head.has_body);
}

TEST_F(HttpServerTest, ABodyComesInPiecesAndWhole) {
  const std::string body(Echo::kMaxBytes, 'b');
  auto client = connect();
  client.send(post("/", body));
  EXPECT_EQ(client.receive().body, body);
  EXPECT_EQ(echo_.last_head.content_length, Echo::kMaxBytes);
  EXPECT_LE(echo_.largest_piece, 65'536U);
  client.send(post("/", "second"));
  EXPECT_EQ(client.receive().body, "second") << "on the same connection";
  EXPECT_EQ(echo_.exchanges_alive, 0);
}

TEST_F(HttpServerTest, AChunkedBodyIsTakenApart) {
  auto client = connect();
  client.send(request_text("POST", "/", "Transfer-Encoding: chunked\r\n") +
              "5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\nTrailer: t\r\n\r\n" + post("/", "next"));
  EXPECT_EQ(client.receive().body, "hello world");
  EXPECT_EQ(client.receive().body, "next") << "pipelined behind it";
}

TEST_F(HttpServerTest, ABodyThatComesByteByByteIsTaken) {
  auto client = connect();
  for (const char c : post("/", "slowly")) client.send(std::string(1, c));
  EXPECT_EQ(client.receive().body, "slowly");
}

TEST_F(HttpServerTest, APromisedBodyThatIsTooLongIsNotRead) {
  auto client = connect();
  client.send(request_text("PUT", "/", fmt::format("Content-Length: {}\r\n", Echo::kMaxBytes + 1)));
  const Response response = client.receive();
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.header("Connection"), "close");
  client.send("never read");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_EQ(echo_.largest_piece, 0U);
}

TEST_F(HttpServerTest, AChunkedBodyIsCutOffAtTheLimit) {
  auto client = connect();
  client.send(request_text("PUT", "/", "Transfer-Encoding: chunked\r\n"));
  const std::string chunk = "8000\r\n" + std::string(0x8000, 'x') + "\r\n";
  for (int i = 0; i < 4; ++i) client.send(chunk);
  EXPECT_EQ(client.receive().status, 413);
}

TEST_F(HttpServerTest, AnAnswerBeforeTheBodyReachesAClientThatSendsAllFirst) {
  auto client = connect();
  const std::string body(8 << 20, 'x');
  EXPECT_FALSE(client.send(post("/refuse", body))) << "what is not wanted is taken, and dropped";
  const Response response = client.receive();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.header("Connection"), "close");
}

TEST_F(HttpServerTest, AnAnswerWithoutABodyLeavesTheConnectionOpen) {
  auto client = connect();
  EXPECT_EQ(client.get("/refuse").status, 403);
  EXPECT_EQ(client.get("/").status, 200);
}

TEST_F(HttpServerTest, AHeadIsAnsweredWithoutABodyWhoeverAnswers) {
  auto client = connect();
  EXPECT_EQ(client.head("/refuse").header("Content-Length"), "2");
  client.send(request_text("HEAD", "/", "Content-Length: 4\r\n") + "body");
  EXPECT_EQ(client.receive(true).header("Content-Length"), "4");
  EXPECT_EQ(client.get("/").status, 200) << "the next answer begins where it should";
}

TEST_F(HttpServerTest, AnExchangeMayAnswerWithinTheBody) {
  auto client = connect();
  client.send(request_text("POST", "/enough", "Content-Length: 1000\r\n") + "x");
  const Response response = client.receive();
  EXPECT_EQ(response.body, "enough");
  EXPECT_EQ(response.header("Connection"), "close");
  EXPECT_EQ(echo_.exchanges_alive, 0);
}

TEST_F(HttpServerTest, AClientThatWaitsIsToldToContinue) {
  auto client = connect();
  client.send(request_text("PUT", "/", "Content-Length: 4\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.receive_status(), 100);
  client.send("body");
  EXPECT_EQ(client.receive().body, "body");
}

TEST_F(HttpServerTest, AClientThatWaitsInVainIsNotToldToContinue) {
  auto client = connect();
  client.send(request_text("PUT", "/refuse", "Content-Length: 4\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.receive_status(), 403);
  auto long_one = connect();
  long_one.send(request_text("PUT", "/", "Content-Length: 999999999\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(long_one.receive_status(), 413);
}

TEST_F(HttpServerTest, ABrokenChunkIsRefused) {
  auto client = connect();
  client.send(request_text("POST", "/", "Transfer-Encoding: chunked\r\n") + "zz\r\nhello\r\n");
  EXPECT_EQ(client.receive().status, 400);
  EXPECT_TRUE(client.read_to_end());
  EXPECT_EQ(server_->statistics().malformed, 1);
  EXPECT_EQ(echo_.exchanges_alive, 0);
}

TEST_F(HttpServerTest, AClientThatLeavesWithinTheBodyLeavesNothingBehind) {
  auto client = connect();
  client.send(request_text("POST", "/", "Content-Length: 10\r\n") + "half");
  test::run_until(io_, [&] { return echo_.exchanges_alive == 1 && echo_.largest_piece > 0; });
  client.close();
  test::run_until(io_, [&] { return server_->statistics().connections_open == 0; });
  EXPECT_EQ(echo_.exchanges_alive, 0);
  EXPECT_EQ(server_->statistics().requests, 0);
}

TEST_F(HttpServerTest, ABodyThatStopsComingEndsTheConnection) {
  server_->set_idle_timeout(std::chrono::milliseconds(50));
  auto client = connect();
  client.send(request_text("POST", "/", "Content-Length: 10\r\n") + "half");
  EXPECT_TRUE(client.read_to_end());
  test::run_until(io_, [&] { return server_->statistics().connections_open == 0; });
  EXPECT_EQ(server_->statistics().timed_out, 1);
  EXPECT_EQ(echo_.exchanges_alive, 0);
}

TEST_F(HttpServerTest, ABodyThatTricklesEndsTheConnection) {
  echo_.max_body_time = std::chrono::milliseconds(50);
  auto client = connect();
  client.send(request_text("POST", "/", "Content-Length: 90000\r\n") + "h");
  const auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(client.read_to_end());
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20))
      << "long before a piece's time is over";
  test::run_until(io_, [&] { return server_->statistics().connections_open == 0; });
  EXPECT_EQ(server_->statistics().timed_out, 1);
  EXPECT_EQ(echo_.exchanges_alive, 0);
}

TEST_F(HttpServerTest, AClientIsKnownByItsCertificate) {
  start({.required = true, .authority_path = lab_.authority().certificate_path});
  const auto device = lab_.issue_device("device-1");
  ASSERT_TRUE(device) << device.error().message;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto client = connect({device->certificate_path, device->key_path}, version);
    ASSERT_EQ(client.get("/").status, 200);
    EXPECT_EQ(echo_.last_head.client_certificate, device->certificate.fingerprint());
    EXPECT_EQ(echo_.last_head.client_validity.from,
              crypto::epoch_seconds(X509_get0_notBefore(device->certificate.get())));
    EXPECT_EQ(echo_.last_head.client_validity.until,
              crypto::epoch_seconds(X509_get0_notAfter(device->certificate.get())));
  }
}

TEST_F(HttpServerTest, AClientWithoutACertificateIsNotLetIn) {
  start({.required = true, .authority_path = lab_.authority().certificate_path});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto client = connect({}, version);
    EXPECT_NE(client.get("/").status, 200);
  }
  test::run_until(io_, [&] { return server_->statistics().connections_open == 0; });
  EXPECT_EQ(server_->statistics().failed_handshakes, 2);
  EXPECT_EQ(server_->statistics().requests, 0);
}

TEST_F(HttpServerTest, AnothersCertificateIsLetInOnlyWhereNoAuthorityIsAsked) {
  const auto stranger = crypto::P256Key::generate().value();
  const auto certificate = crypto::Certificate::self_signed(
                               {.common_name = "stranger", .dns_names = {}, .ip_addresses = {}}, stranger)
                               .value();
  const test::ClientIdentity identity{folder_.file("stranger.pem"), folder_.file("stranger.key")};
  ASSERT_TRUE(write_file_atomic(identity.certificate_path, certificate.pem()));
  ASSERT_TRUE(write_file_atomic(identity.key_path, stranger.private_pem()));

  start({.required = true, .authority_path = lab_.authority().certificate_path});
  EXPECT_NE(connect(identity).get("/").status, 200);
  start({.required = true});
  EXPECT_EQ(connect(identity).get("/").status, 200);
  EXPECT_EQ(echo_.last_head.client_certificate, certificate.fingerprint());
}

}  // namespace
}  // namespace otasim::rest
