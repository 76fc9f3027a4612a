// One connection of the object server, from the handshake to its end.
//
// A session keeps itself alive while something is under way. It belongs to the server until close(), after
// which it touches nothing of the server's and ends by itself.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/unique_fd.h"
#include "sim/cloud/object_reply.h"
#include "sim/cloud/object_server.h"

namespace otasim::cloud {

/// What sessions share; the server's.
struct ObjectService {
  ObjectStore& objects;
  const UrlPresigner& presigner;
  const Clock& clock;
  report::EventLog& log;
  std::chrono::milliseconds idle_timeout;
  UuidSource uuid;
  ObjectFaultHandler faults = {};
  std::int64_t fault_requests = 0;  ///< that the handler was asked about
  ObjectServerStatistics statistics = {};
};

class ObjectSession : public std::enable_shared_from_this<ObjectSession> {
 public:
  /// @param service  used until close()
  ObjectSession(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls, ObjectService& service);

  /// Begins. `on_end` is called when the connection is over, unless close() was called.
  void start(std::function<void()> on_end);
  /// Closes the connection at once.
  void close();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;

  /// A header, and a body from an object's file or from memory.
  struct Answer {
    std::string head{};
    std::string document{};  ///< the body, if `content` is not open
    UniqueFd content{};
    std::int64_t first_byte = 0;
    std::int64_t body_length = 0;
    ObjectFaults faults{};
    std::optional<BodyCut> cut{};
    // For the event:
    ObjectLocation location{};
    int status = 0;
    std::string error{};
    std::vector<std::string> fault_names{};
  };

  [[nodiscard]] bool closed() const { return service_ == nullptr; }
  void limit_time();
  void reset_connection();

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<bool> shake_hands();
  /// Reads one request and answers it. @returns whether the connection goes on
  boost::asio::awaitable<bool> serve_request();
  boost::asio::awaitable<bool> refuse_request(boost::system::error_code why);
  boost::asio::awaitable<bool> send(Answer answer);
  /// @returns why it failed, empty if it did not
  boost::asio::awaitable<std::string> transfer(const Answer& answer, std::int64_t& sent);
  /// Sends `out_`.
  boost::asio::awaitable<boost::system::error_code> write();
  boost::asio::awaitable<void> shut_down();

  [[nodiscard]] Answer answer_request(const Parser& parser);
  [[nodiscard]] Answer object_answer(ObjectReply reply, const HeaderFields& connection);
  [[nodiscard]] Answer error_answer(const S3Error& error, bool head_only, const HeaderFields& connection);
  [[nodiscard]] ObjectFaults ask_for_faults(const std::string& method, const ObjectReply& reply);
  [[nodiscard]] bool append_body(const Answer& answer, std::int64_t offset, std::int64_t length);
  void report(const Answer& answer, std::int64_t sent, const std::string& failure);

  boost::asio::ssl::stream<boost::beast::tcp_stream> stream_;
  boost::asio::steady_timer timer_;  ///< of delays
  boost::beast::flat_buffer buffer_;
  std::string client_;
  std::vector<std::uint8_t> out_;  ///< what is written next
  ObjectService* service_;         ///< null once closed
};

}  // namespace otasim::cloud
