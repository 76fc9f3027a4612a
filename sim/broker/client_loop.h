// Drives a connected libmosquitto client on an io_context: reads, writes, keep-alive.
//
//   auto loop = ClientLoop::run(io, client.get(), [](const std::string& why) { ... });   // the socket is
//   there const int status = mosquitto_publish(...); loop->settle(status); loop->stop();
//
// The client must outlive stop() or `on_end`. The loop keeps itself alive while something is under way; its
// user holds it, too. All of it belongs to the io_context's thread.
#pragma once

#include <mosquitto.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "sim/base/result.h"

namespace otasim::broker {

/// Holding it keeps libmosquitto in use; the library counts its users itself.
class MosquittoLibrary {
 public:
  MosquittoLibrary() { mosquitto_lib_init(); }
  ~MosquittoLibrary() { mosquitto_lib_cleanup(); }
  MosquittoLibrary(const MosquittoLibrary&) = delete;
  MosquittoLibrary& operator=(const MosquittoLibrary&) = delete;
};

/// What a libmosquitto call's status means; for MOSQ_ERR_ERRNO what errno says.
[[nodiscard]] std::string status_text(int status);

class ClientLoop : public std::enable_shared_from_this<ClientLoop> {
 public:
  /// @param on_end  posted when the connection has ended without stop(); once
  [[nodiscard]] static std::shared_ptr<ClientLoop> run(boost::asio::io_context& io, mosquitto* client,
                                                       std::function<void(const std::string& why)> on_end);
  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;

  [[nodiscard]] bool is_open() const { return open_; }
  /// Deals with a libmosquitto call's outcome, and sends what it left to be sent.
  /// @returns whether the connection is still there
  bool settle(int status);
  /// Says goodbye and lets go of the socket; `on_end` is not called.
  void stop();

 private:
  ClientLoop(boost::asio::io_context& io, mosquitto* client, std::function<void(const std::string&)> on_end)
      : client_(client), on_end_(std::move(on_end)), socket_(io), timer_(io) {}

  /// @returns whether the connection is still there
  bool survives(int status);
  void close();
  void wait_readable();
  void wait_writable();
  void keep_house();

  mosquitto* client_;
  std::function<void(const std::string&)> on_end_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;
  bool open_ = false;
  bool writing_ = false;
};

}  // namespace otasim::broker
