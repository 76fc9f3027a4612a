#include "sim/rest/alpn_port.h"

#include <gmock/gmock.h>

#include "sim/base/temp_dir.h"
#include "sim/lab/lab.h"
#include "sim/rest/http_server.h"
#include "tests/sim/rest/https_client.h"

namespace otasim::rest {
namespace {

/// Says who it is, and how much body it was sent.
class Named final : public HttpHandler {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}

  Decision begin(const HttpRequestHead& head) override {
    if (!head.has_body) return answer(name_);
    return std::make_unique<Exchange>();
  }
  HttpResponse refuse(const HttpRefusal&) override { return answer("refused"); }

 private:
  class Exchange final : public HttpExchange {
   public:
    [[nodiscard]] std::uint64_t max_body_bytes() const override { return 10'000'000; }
    std::optional<HttpResponse> on_body(std::span<const std::uint8_t> piece) override {
      size_ += piece.size();
      return std::nullopt;
    }
    HttpResponse on_end() override { return answer(std::to_string(size_)); }
    HttpResponse too_large() override { return answer("too large"); }

   private:
    std::size_t size_ = 0;
  };

  static HttpResponse answer(const std::string& text) {
    HttpResponse response;
    response.body = text;
    return response;
  }

  std::string name_;
};

class AlpnPortTest : public ::testing::Test {
 protected:
  AlpnPortTest() { start({}); }

  void start(AlpnPortOptions options) {
    options.protocols = {{kMqttProtocol, first_->port()}};
    options.otherwise = second_->port();
    port_ = AlpnPort::start(io_, options).value();
  }

  std::unique_ptr<HttpServer> serve(HttpHandler& handler) {
    return HttpServer::start(
               io_, handler,
               {.certificate_path = lab_.endpoint().certificate_path, .key_path = lab_.endpoint().key_path})
        .value();
  }

  test::HttpsClient connect(const std::vector<std::string>& protocols) {
    return {
        io_, port_->port(), {.authority_path = lab_.authority().certificate_path, .protocols = protocols}};
  }

  TempDir folder_ = TempDir::create().value();
  lab::Lab lab_ = lab::Lab::create(folder_.path().string()).value();
  boost::asio::io_context io_;
  Named first_handler_{"first"};
  Named second_handler_{"second"};
  std::unique_ptr<HttpServer> first_ = serve(first_handler_);
  std::unique_ptr<HttpServer> second_ = serve(second_handler_);
  std::unique_ptr<AlpnPort> port_;
};

TEST_F(AlpnPortTest, TheProtocolSaysWhichServerItIsFor) {
  EXPECT_EQ(connect({kMqttProtocol}).get("/").body, "first");
  EXPECT_EQ(connect({"h2", kMqttProtocol}).get("/").body, "first");
  EXPECT_EQ(connect({"http/1.1"}).get("/").body, "second");
  EXPECT_EQ(connect({}).get("/").body, "second");
}

TEST_F(AlpnPortTest, MuchGoesThroughInBothDirections) {
  auto client = connect({kMqttProtocol});
  const std::string body(3'000'000, 'b');
  client.send(test::request_text("POST", "/", "Content-Length: " + std::to_string(body.size()) + "\r\n") +
              body);
  EXPECT_EQ(client.receive().body, std::to_string(body.size()));
}

TEST_F(AlpnPortTest, TheEndOfOneSideIsTheEndOfTheOther) {
  {
    auto client = connect({});
    ASSERT_EQ(client.get("/").body, "second");
    client.close();
    test::run_until(io_, [this] { return second_->statistics().connections_open == 0; });
  }
  auto client = connect({});
  ASSERT_EQ(client.get("/").body, "second");
  second_.reset();
  EXPECT_TRUE(client.read_to_end());
}

TEST_F(AlpnPortTest, WhatIsNoTlsIsClosed) {
  EXPECT_TRUE(test::send_plain(io_, port_->port(), "GET / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(second_->statistics().connections, 0);
}

TEST_F(AlpnPortTest, WhoSaysNothingInTimeIsClosed) {
  port_.reset();
  start({.hello_timeout = std::chrono::milliseconds(1)});
  EXPECT_TRUE(test::send_plain(io_, port_->port(), "\x16"));
}

TEST_F(AlpnPortTest, OneMoreThanAllowedIsClosed) {
  port_.reset();
  start({.max_connections = 1});
  auto client = connect({});
  ASSERT_EQ(client.get("/").body, "second");
  EXPECT_TRUE(connect({}).error());
  EXPECT_EQ(client.get("/").body, "second");
}

TEST_F(AlpnPortTest, AServerThatIsAwayEndsTheConnection) {
  first_.reset();
  EXPECT_TRUE(connect({kMqttProtocol}).error());
}

TEST_F(AlpnPortTest, ItsEndEndsConnections) {
  auto client = connect({});
  ASSERT_EQ(client.get("/").body, "second");
  port_.reset();
  EXPECT_TRUE(client.read_to_end());
}

TEST_F(AlpnPortTest, SaysWhenAPortIsInUse) {
  const auto second = AlpnPort::start(io_, {.port = port_->port()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ExitCode::kEnvironment);
}

}  // namespace
}  // namespace otasim::rest
