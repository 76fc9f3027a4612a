// The page's server as a stranger meets it: over its port, with whatever bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <future>
#include <thread>

#include "sim/base/json.h"
#include "sim/web/web_server.h"
#include "tests/sim/web/served_lab.h"

namespace otasim::web {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class WebServerTest : public ServedLab {
 protected:
  using WebSocket = websocket::stream<tcp::socket>;

  WebServerTest() {
    commands.add("device.list", [](control::Arguments&, const control::ReplyPtr&) -> control::Answer {
      return json::array({{{"name", "thing-1"}}});
    });
    commands.add("device.cut",
                 [this](control::Arguments& arguments, const control::ReplyPtr&) -> control::Answer {
                   const std::string name = arguments.text("name");
                   if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
                   cut.push_back(name);
                   return json{{"name", name}};
                 });
    commands.add("lab.stop", [this](control::Arguments&, const control::ReplyPtr&) -> control::Answer {
      was_stopped = true;
      return json::object();
    });
    // An answer that nobody ever gives.
    commands.add("device.stop", [](control::Arguments&, const control::ReplyPtr&) -> control::Answer {
      return std::nullopt;
    });
  }

  void start(const WebOptions& options = {}) {
    ASSERT_NO_FATAL_FAILURE(ServedLab::start(options));
    way_in = server->way_in();
    address = server->address();
    host = address.substr(7, address.size() - 8);
    port = static_cast<std::uint16_t>(std::stoi(host.substr(host.find(':') + 1)));
  }

  tcp::socket connect() {
    tcp::socket socket(client_io);
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    return socket;
  }
  /// All that comes back until the connection's end.
  std::string exchange(const std::string& bytes) {
    tcp::socket socket = connect();
    error_code ignored;
    asio::write(socket, asio::buffer(bytes), ignored);
    std::string answer;
    error_code end;
    asio::read(socket, asio::dynamic_buffer(answer), end);
    return answer;
  }
  std::string get(const std::string& target, const std::string& more = {}) {
    return exchange("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + more +
                    "\r\n");
  }
  std::string token_target() const { return way_in.substr(way_in.find("/?")); }
  std::string cookie() {
    if (!session.empty()) return session;
    const std::string answer = get(token_target());
    const std::size_t begin = answer.find("Set-Cookie: ") + 12;
    session = answer.substr(begin, answer.find(';', begin) - begin);
    return session;
  }

  WebSocket open(std::string origin = {}, bool with_cookie = true) {
    if (origin.empty()) origin = "http://" + host;
    const std::string kept = with_cookie ? cookie() : "";
    WebSocket socket(connect());
    socket.set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
      request.set(http::field::origin, origin);
      if (with_cookie) request.set(http::field::cookie, kept);
    }));
    socket.handshake(host, "/live");
    return socket;
  }
  static void say(WebSocket& socket, const json& message) { socket.write(asio::buffer(message.dump())); }
  static void greet(WebSocket& socket, std::uint64_t after = 0, const std::string& log_name = {}) {
    say(socket, {{"type", "hello"}, {"log", log_name}, {"after", after}});
  }
  static json hear(WebSocket& socket) {
    boost::beast::flat_buffer buffer;
    socket.read(buffer);
    return json::parse(boost::beast::buffers_to_string(buffer.data()));
  }
  /// The next message of a type.
  static json hear(WebSocket& socket, const std::string& type) {
    for (;;) {
      json message = hear(socket);
      if (message.at("type") == type) return message;
    }
  }
  /// How the server ends the connection.
  static error_code end_of(WebSocket& socket) {
    error_code error;
    while (!error) {
      boost::beast::flat_buffer buffer;
      socket.read(buffer, error);
    }
    return error;
  }

  asio::io_context client_io;
  std::vector<std::string> cut;
  bool was_stopped = false;
  std::string way_in, address, host, session;
  std::uint16_t port = 0;
};

TEST_F(WebServerTest, TheTokenLeadsToThePageAndOutOfTheAddressBar) {
  start();
  const std::string answer = get(token_target());
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 303"));
  EXPECT_THAT(answer, HasSubstr("Location: /\r\n"));
  EXPECT_THAT(answer, HasSubstr("; HttpOnly; SameSite=Strict"));
  const std::string page = get("/", "Cookie: " + cookie() + "\r\n");
  EXPECT_THAT(page, HasSubstr("HTTP/1.1 200"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'; script-src 'self'"));
  EXPECT_THAT(page, HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(page, HasSubstr("Cache-Control: no-store"));
  EXPECT_THAT(get("/live.js", "Cookie: " + cookie() + "\r\n"), HasSubstr("class LivePage"));
  EXPECT_THAT(get("/live.css", "Cookie: " + cookie() + "\r\n"), HasSubstr(".cards"));
  EXPECT_THAT(get("/nothing", "Cookie: " + cookie() + "\r\n"), HasSubstr("HTTP/1.1 404"));
}

TEST_F(WebServerTest, EveryRequestNeedsTheSession) {
  start();
  for (const char* target :
       {"/", "/live.js", "/live.css", "/live", "/favicon.ico", "/?token=", "/?token=00"}) {
    const std::string answer = get(target);
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 403")) << target;
    EXPECT_THAT(answer, HasSubstr("otasim web"));
    EXPECT_THAT(answer, Not(HasSubstr("Set-Cookie")));
  }
  EXPECT_THROW((void)open("", false), boost::system::system_error);
}

TEST_F(WebServerTest, OtherHostsMethodsAndOriginsAreTurnedAway) {
  start();
  const std::string with = "Cookie: " + cookie() + "\r\nConnection: close\r\n\r\n";
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: evil.example\r\n" + with), HasSubstr("HTTP/1.1 403"));
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\n" + with), HasSubstr("HTTP/1.1 403"));
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 0\r\n" + with),
              HasSubstr("HTTP/1.1 405"));
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 5\r\n" + with + "hello"),
              HasSubstr("HTTP/1.1 413"));
  EXPECT_THROW((void)open("http://evil.example"), boost::system::system_error);
  (void)open();
}

TEST_F(WebServerTest, WhatIsNoHttpOrTooLongIsRefused) {
  start();
  EXPECT_THAT(exchange("\x16\x03\x01 nonsense\r\n\r\n"), HasSubstr("HTTP/1.1 400"));
  EXPECT_THAT(get("/", "X: " + std::string(20'000, 'x') + "\r\n"), HasSubstr("HTTP/1.1 400"));
  EXPECT_THAT(get("/" + std::string(20'000, 'x')), HasSubstr("HTTP/1.1 400"));
}

TEST_F(WebServerTest, WhoSaysNothingIsLetGo) {
  start({.idle_limit = std::chrono::milliseconds(50)});
  EXPECT_THAT(exchange("GET / HT"), IsEmpty());
  EXPECT_THAT(exchange(""), IsEmpty());
}

TEST_F(WebServerTest, ConnectionsAndViewersHaveALimit) {
  start({.max_connections = 4, .max_viewers = 2});
  (void)cookie();
  WebSocket first = open();
  WebSocket second = open();
  greet(first);
  greet(second);
  hear(first, "welcome");
  hear(second, "welcome");
  EXPECT_THROW((void)open(), boost::system::system_error);
  EXPECT_THAT(get("/live", "Cookie: " + cookie() + "\r\n"), HasSubstr("HTTP/1.1 503"));
  tcp::socket third = connect();
  tcp::socket fourth = connect();
  // Both are let in before the next one comes, for they come in order.
  EXPECT_THAT(get("/"), IsEmpty());
}

TEST_F(WebServerTest, APageSeesStateAndEventsAsTheyCome) {
  start();
  log->emit("device", "power_on", {{"device", "thing-1"}});
  WebSocket page = open();
  greet(page);
  const json welcome = hear(page, "welcome");
  EXPECT_EQ(welcome.at("resumed"), false);
  EXPECT_EQ(welcome.at("lab").at("folder"), "/lab");
  std::vector<json> seen;
  for (bool has_devices = false; !has_devices || seen.empty();) {
    const json message = hear(page);
    if (message.at("type") == "events") seen.push_back(message);
    if (message.at("type") == "devices") {
      has_devices = true;
      EXPECT_EQ(message.at("list"), json::array({{{"name", "thing-1"}}}));
    }
  }
  EXPECT_EQ(seen[0].at("missed"), 0);
  EXPECT_EQ(seen[0].at("events").at(0).at("event"), "power_on");
  log->emit("uart", "line", {{"device", "thing-1"}, {"text", "bytes \xff"}});
  EXPECT_EQ(hear(page, "events").at("events").at(0).at("n"), 2);
  // One that comes back goes on where it was; of another start it gets all.
  WebSocket again = open();
  greet(again, 2, welcome.at("log"));
  EXPECT_EQ(hear(again, "welcome").at("resumed"), true);
  log->emit("uart", "line", {{"device", "thing-1"}, {"text", "three"}});
  EXPECT_EQ(hear(again, "events").at("events").at(0).at("n"), 3);
  WebSocket stranger = open();
  greet(stranger, 2, "another");
  EXPECT_EQ(hear(stranger, "welcome").at("resumed"), false);
  EXPECT_EQ(hear(stranger, "events").at("events").at(0).at("n"), 1);
}

TEST_F(WebServerTest, CommandsAreAnsweredAndOnlyThoseOfPages) {
  start();
  WebSocket page = open();
  greet(page);
  const auto ask = [&](int id, const std::string& command, const json& arguments) {
    say(page, {{"type", "command"}, {"id", id}, {"command", command}, {"arguments", arguments}});
    const json answer = hear(page, "answer");
    EXPECT_EQ(answer.at("id"), id);
    return answer;
  };
  EXPECT_EQ(ask(1, "device.cut", {{"name", "a"}}).at("result").at("name"), "a");
  EXPECT_THAT(ask(2, "device.cut", {{"name", 3}}).at("error").at("message").get<std::string>(),
              HasSubstr("no text"));
  EXPECT_THAT(ask(3, "device.cut", {{"name", "a"}, {"x", 1}}).at("error").at("message").get<std::string>(),
              HasSubstr("'x' is unknown"));
  EXPECT_THAT(ask(4, "lab.stop", json::object()).at("error").at("message").get<std::string>(),
              HasSubstr("no command 'lab.stop'"));
  on_server([this] {
    EXPECT_FALSE(was_stopped);
    EXPECT_EQ(cut, std::vector<std::string>{"a"});
  });
}

TEST_F(WebServerTest, CommandsUnderWayHaveALimit) {
  start();
  WebSocket page = open();
  greet(page);
  for (int id = 0; id < 17; ++id)
    say(page, {{"type", "command"}, {"id", id}, {"command", "device.stop"}, {"arguments", json::object()}});
  const json answer = hear(page, "answer");
  EXPECT_EQ(answer.at("id"), 16);
  EXPECT_THAT(answer.at("error").at("message").get<std::string>(), HasSubstr("too many"));
}

TEST_F(WebServerTest, ForgedMessagesEndTheirConnectionAndNoOther) {
  start();
  WebSocket good = open();
  greet(good);
  hear(good, "welcome");
  for (const std::string& text :
       std::vector<std::string>{std::string("x"), std::string("{}"), std::string(2000, '['),
                                std::string(R"({"type":"command","id":1})"), std::string()}) {
    WebSocket page = open();
    greet(page);
    page.write(asio::buffer(text));
    EXPECT_EQ(end_of(page), websocket::error::closed) << text.substr(0, 20);
    EXPECT_EQ(page.reason().code, websocket::close_code::policy_error);
  }
  {
    WebSocket page = open();
    say(page, {{"type", "watch"}, {"device", "a"}});  // without a hello
    EXPECT_EQ(end_of(page), websocket::error::closed);
  }
  {
    WebSocket page = open();
    greet(page);
    greet(page);
    EXPECT_EQ(end_of(page), websocket::error::closed);
  }
  {
    WebSocket page = open();
    page.binary(true);
    greet(page);
    EXPECT_EQ(end_of(page), websocket::error::closed);
  }
  {
    WebSocket page = open();
    page.write(asio::buffer(std::string(kMaxMessageBytes + 1, ' ')));
    EXPECT_TRUE(end_of(page));
  }
  for (const std::string& frame :
       std::vector<std::string>{std::string("\xff\xff\xff\xff\xff\xff\xff\xff"), std::string("\x81\x05hello"),
                                std::string("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 14),
                                std::string("\x88\xfe", 2), std::string("\x03\x80\x00\x00\x00\x00", 6)}) {
    WebSocket page = open();
    asio::write(page.next_layer(), asio::buffer(frame));
    error_code ignored;
    page.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    EXPECT_TRUE(end_of(page));
  }
  say(good, {{"type", "command"}, {"id", 1}, {"command", "device.cut"}, {"arguments", {{"name", "a"}}}});
  EXPECT_EQ(hear(good, "answer").at("id"), 1);
}

TEST_F(WebServerTest, WhoDoesNotReadIsLetGoAndHoldsNobodyUp) {
  start({.viewer = {.max_unread_bytes = 200'000, .write_limit = std::chrono::milliseconds(300)}});
  WebSocket slow = open();
  slow.next_layer().set_option(asio::socket_base::receive_buffer_size(4096));
  greet(slow);
  WebSocket good = open();
  greet(good);
  hear(good, "welcome");
  const std::string text(50'000, 'x');
  const auto is_alone = [&] {
    std::size_t connections = 0;
    on_server([&] { connections = server->connections(); });
    return connections == 1;
  };
  // More than sockets take on their way, until the slow one is gone; the other one reads all of it.
  for (int i = 0; i < 2000 && !is_alone(); ++i) {
    log->emit("uart", "line", {{"text", text}});
    hear(good, "events");
  }
  EXPECT_TRUE(is_alone());
}

TEST_F(WebServerTest, WhenTheLabGoesDownPagesAreTold) {
  start();
  WebSocket page = open();
  greet(page);
  hear(page, "welcome");
  std::promise<void> done;
  on_server([&] { server->end([&] { done.set_value(); }); });
  hear(page, "bye");
  EXPECT_EQ(end_of(page), websocket::error::closed);
  EXPECT_EQ(page.reason().code, websocket::close_code::going_away);
  done.get_future().get();
  error_code refused;
  tcp::socket late(client_io);
  late.connect({asio::ip::make_address("127.0.0.1"), port}, refused);
  EXPECT_EQ(refused, asio::error::connection_refused);
}

}  // namespace
}  // namespace otasim::web
