// QEMU's machine protocol (QMP): JSON commands, replies and events, one a line, over a unix socket.
//
//   auto qmp = QmpClient::create(std::move(socket), {.on_ready = ..., .on_event = ..., .on_failure = ...});
//   qmp->start();                                   // greeting, then qmp_capabilities, then on_ready
//   qmp->execute("system_reset", {}, [] { ... });   // replies come in the order of the commands
//   qmp->close();                                   // no handler is called after this
//
// QEMU is trusted no further than any other peer: a message is bounded and anything unexpected is a failure.
// A command that QEMU refuses is a failure too, because none of those sent here may be refused. The
// connection's end is not: QEMU's process ends with it, and its exit says more.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"

namespace otasim::device {

inline constexpr std::size_t kMaxQmpMessageBytes = 64 * 1024;

/// Cuts a byte stream into JSON objects.
class QmpReader {
 public:
  using Sink = std::function<void(const nlohmann::json& message)>;

  /// @returns kEnvironment if a line is too long or not a JSON object; the stream is then of no use any more
  [[nodiscard]] Result<void> feed(std::string_view bytes, const Sink& sink);

 private:
  std::string line_;
};

class QmpClient : public std::enable_shared_from_this<QmpClient> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  struct Handlers {
    std::function<void()> on_ready;
    std::function<void(const std::string& event, const nlohmann::json& data)> on_event;
    std::function<void(const Error& error)>
        on_failure;  ///< also when QEMU closes; nothing is called after it
  };

  [[nodiscard]] static std::shared_ptr<QmpClient> create(Socket socket, Handlers handlers);

  void start();

  /// Sends a command; `on_reply` is called when it has succeeded.
  void execute(const std::string& command, nlohmann::json arguments, std::function<void()> on_reply);

  /// The same, for a reply that says something.
  void query(const std::string& command, std::function<void(const nlohmann::json& value)> on_reply);

  /// Sends a command and waits for what it returns; no handler is called any more from here on.
  /// @returns nothing if no answer has come in time, or none that is an answer
  [[nodiscard]] std::optional<nlohmann::json> ask_last(const std::string& command,
                                                       std::chrono::milliseconds limit);
  /// Sends commands before the call returns; nobody hears of their replies, nor of anything after them.
  void execute_last(const std::vector<std::string>& commands);

  void close();

 private:
  QmpClient(Socket socket, Handlers handlers) : socket_(std::move(socket)), handlers_(std::move(handlers)) {}

  void read();
  void write();
  void handle(const nlohmann::json& message);
  void handle_reply(const nlohmann::json& message);
  void send(const std::string& command, nlohmann::json arguments,
            std::function<void(const nlohmann::json& value)> on_reply);
  void fall_silent();
  void send_now(const std::vector<std::string>& commands);
  void fail_with(std::string what);

  struct PendingCommand {
    std::string name;
    std::function<void(const nlohmann::json& value)> on_reply;
  };

  Socket socket_;
  Handlers handlers_;
  QmpReader reader_;
  std::string input_ = std::string(4096, '\0');
  std::deque<std::string> output_;
  std::deque<PendingCommand> pending_;
  bool greeted_ = false;
  bool closed_ = false;
};

}  // namespace otasim::device
