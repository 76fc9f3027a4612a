// The control socket with clients that behave and clients that do not: none of them holds up the lab.
#include "sim/control/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/base/unique_fd.h"
#include "sim/base/unix_socket.h"

namespace otasim::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// No step takes as long; one that does hangs.
constexpr std::chrono::seconds kLimit{30};

/// A client that sends what it likes.
class Client {
 public:
  explicit Client(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{kLimit.count(), 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const sockaddr_un address = unix_socket_address(path).value();
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

  void send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count = ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;  // let go by the server
      sent += static_cast<std::size_t>(count);
    }
  }
  void request(const std::string& command, const json& arguments = json::object()) {
    send(json{{"command", command}, {"arguments", arguments}}.dump() + "\n");
  }

  /// The next message; nothing at the connection's end.
  std::optional<json> receive() {
    for (;;) {
      if (const std::size_t end = buffer_.find('\n'); end != std::string::npos) {
        const json message = json::parse(buffer_.substr(0, end));
        buffer_.erase(0, end + 1);
        return message;
      }
      std::array<char, 4096> chunk{};
      const ssize_t count = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
      if (count <= 0) return std::nullopt;
      buffer_.append(chunk.data(), static_cast<std::size_t>(count));
    }
  }
  void close() { socket_.reset(); }

 private:
  UniqueFd socket_;
  std::string buffer_;
};

/// A server on its own thread. Its commands: `echo` answers with its arguments, `stream` goes on until the
/// client has gone, `hold` keeps the reply.
class ServerTest : public testing::Test {
 protected:
  ~ServerTest() override { stop(); }

  void start(ServerOptions options = {}) {
    auto server = Server::listen(
        io_, path_, [this](Request request, std::shared_ptr<Reply> reply) { handle(request, reply); },
        options);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    thread_ = std::thread([this] { io_.run(); });
  }
  void stop() {
    boost::asio::post(io_, [this] { server_.reset(); });
    if (thread_.joinable()) thread_.join();
  }

  void handle(const Request& request, const std::shared_ptr<Reply>& reply) {
    if (request.command == "echo") return reply->result(request.arguments);
    reply->on_gone([this] {
      const std::scoped_lock lock(mutex_);
      ++gone_;
      changed_.notify_all();
    });
    const std::scoped_lock lock(mutex_);
    held_ = reply;
    changed_.notify_all();
    if (request.command == "stream") pump(reply);
  }
  /// Writes as long as the client is there.
  void pump(const std::shared_ptr<Reply>& reply) {
    boost::asio::post(io_, [this, reply] {
      {
        const std::scoped_lock lock(mutex_);
        if (gone_ > 0) return;
      }
      reply->output({{"text", std::string(10'000, 'x')}});
      pump(reply);
    });
  }
  template <typename Condition>
  bool wait_until(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLimit, condition);
  }
  void expect_answers() {
    Client client(path_);
    client.request("echo", {{"n", 1}});
    EXPECT_EQ(client.receive(), (json{{"result", {{"n", 1}}}}));
  }

  TempDir folder_ = TempDir::create().value();
  std::string path_ = folder_.file("control.sock");
  boost::asio::io_context io_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int gone_ = 0;
  std::shared_ptr<Reply> held_;
};

TEST_F(ServerTest, ARequestGetsItsResultAndTheConnectionsEnd) {
  start();
  Client client(path_);
  client.request("echo", {{"a", "b"}});
  EXPECT_EQ(client.receive(), (json{{"result", {{"a", "b"}}}}));
  EXPECT_EQ(client.receive(), std::nullopt);
}

TEST_F(ServerTest, TheSocketIsItsUsersOnly) {
  start();
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(ServerTest, AClientOfAnotherUserIsTurnedAway) {
  start({.user = ::geteuid() + 1});
  Client client(path_);
  client.request("echo");
  EXPECT_EQ(client.receive(), std::nullopt);
}

TEST_F(ServerTest, ARequestMayComeInPieces) {
  start();
  Client client(path_);
  for (const char c : std::string(R"({"command": "echo"})")) client.send(std::string(1, c));
  client.send("\n");
  EXPECT_EQ(client.receive(), (json{{"result", json::object()}}));
}

TEST_F(ServerTest, OutputComesBeforeTheResultAndNothingAfterIt) {
  start();
  Client client(path_);
  client.request("hold");
  ASSERT_TRUE(wait_until([this] { return held_ != nullptr; }));
  boost::asio::post(io_, [this] {
    held_->output(1);
    held_->output(2);
    held_->result(3);
    held_->output(4);
    held_->error({ExitCode::kInternal, "late", {}});
  });
  EXPECT_EQ(client.receive(), (json{{"output", 1}}));
  EXPECT_EQ(client.receive(), (json{{"output", 2}}));
  EXPECT_EQ(client.receive(), (json{{"result", 3}}));
  EXPECT_EQ(client.receive(), std::nullopt);
}

TEST_F(ServerTest, GarbageIsToldWhatItIs) {
  start();
  for (const std::string& garbage : {std::string("hello\n"), std::string("\0\xff\n", 3), std::string("{}\n"),
                                     std::string(20'000, '[') + "\n"}) {
    Client client(path_);
    client.send(garbage);
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_THAT((*answer)["error"]["message"].get<std::string>(), HasSubstr("not a request"));
    EXPECT_EQ(client.receive(), std::nullopt);
  }
  expect_answers();
}

TEST_F(ServerTest, ALineWithoutEndIsRefusedAtTheLimit) {
  start();
  Client client(path_);
  client.send(std::string(1'000'000, 'x'));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_THAT((*answer)["error"]["message"].get<std::string>(), HasSubstr("longer than 65536 bytes"));
  expect_answers();
}

TEST_F(ServerTest, HalfALineIsRefusedWhenItsTimeIsUp) {
  start({.request_limit = std::chrono::milliseconds(20)});
  Client client(path_);
  client.send(R"({"command": )");
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_THAT((*answer)["error"]["message"].get<std::string>(), HasSubstr("did not come in time"));
}

TEST_F(ServerTest, AClientThatDoesNotReadIsLetGo) {
  start({.max_unread_bytes = 100'000});
  Client client(path_);
  client.request("stream");
  EXPECT_TRUE(wait_until([this] { return gone_ == 1; }));
  expect_answers();
}

TEST_F(ServerTest, AClientThatLeavesInMidStreamIsNoticed) {
  start();
  Client client(path_);
  client.request("stream");
  ASSERT_TRUE(client.receive());
  client.close();
  EXPECT_TRUE(wait_until([this] { return gone_ == 1; }));
  expect_answers();
}

TEST_F(ServerTest, OneLongAnswerIsNotTooLong) {
  start({.max_unread_bytes = 1000});
  Client client(path_);
  const std::string text(60'000, 'x');
  client.request("echo", {{"text", text}});
  EXPECT_EQ(client.receive(), (json{{"result", {{"text", text}}}}));
}

TEST_F(ServerTest, MoreClientsThanAllowedAreTurnedAwayUntilOneLeaves) {
  start({.max_clients = 2});
  std::optional<Client> first(std::in_place, path_);
  first->request("hold");
  ASSERT_TRUE(wait_until([this] { return held_ != nullptr; }));
  Client second(path_);
  second.request("hold");
  Client third(path_);
  const auto answer = third.receive();
  ASSERT_TRUE(answer);
  EXPECT_THAT((*answer)["error"]["message"].get<std::string>(), HasSubstr("too many clients"));
  first.reset();
  ASSERT_TRUE(wait_until([this] { return gone_ >= 1; }));
  expect_answers();
}

TEST_F(ServerTest, TheServersEndIsTheClientsEnd) {
  start();
  Client client(path_);
  client.request("hold");
  ASSERT_TRUE(wait_until([this] { return held_ != nullptr; }));
  stop();
  EXPECT_EQ(client.receive(), std::nullopt);
  EXPECT_NE(::access(path_.c_str(), F_OK), 0) << "the socket is still there";
}

}  // namespace
}  // namespace otasim::control
