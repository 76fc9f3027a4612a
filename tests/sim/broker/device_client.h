// An MQTT client as a device has one: TLS with its own certificate, all it hears kept for the test to look
// at.
#pragma once

#include <mosquitto.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/broker/test_lab.h"

namespace otasim::testing {

/// Runs `io` until `done` holds. @returns false if that takes longer than the tests' limit
[[nodiscard]] bool run_until(boost::asio::io_context& io, const std::function<bool()>& done);

struct Message {
  std::string topic;
  std::string payload;
};

class DeviceClient {
 public:
  DeviceClient(boost::asio::io_context& io, std::string client_id);
  ~DeviceClient();
  DeviceClient(const DeviceClient&) = delete;
  DeviceClient& operator=(const DeviceClient&) = delete;

  /// Connects. @returns CONNACK's code, or nothing if the connection ended without one
  [[nodiscard]] std::optional<int> connect(const TestLab& lab, std::uint16_t port,
                                           const TestIdentity& identity);
  [[nodiscard]] std::optional<int> connect(const std::string& ca_path, std::uint16_t port,
                                           const TestIdentity& identity);
  /// Connects to a private listener.
  [[nodiscard]] std::optional<int> connect(const std::string& socket_path);
  /// Says goodbye, or with `abruptly` only closes the socket.
  void disconnect(bool abruptly = false);

  /// @returns the granted QoS, 0x80 for a refusal, or nothing if the connection ended
  [[nodiscard]] std::optional<int> subscribe(const std::string& filter, int qos = 1);
  /// With QoS 1, waits for the acknowledgement. @returns false if the connection ended before it came
  bool publish(const std::string& topic, const std::string& payload, int qos = 1, bool retain = false);
  /// Sets the last will; before connect().
  void set_will(const std::string& topic);

  [[nodiscard]] bool connected() const { return socket_.is_open(); }
  [[nodiscard]] const std::vector<Message>& messages() const { return messages_; }
  [[nodiscard]] std::size_t count(const std::string& topic) const;
  /// The first message on a topic, waiting for it if it has not come yet. Fails the test if it does not come.
  std::string payload_of(const std::string& topic);
  void forget_messages() { messages_.clear(); }

 private:
  std::optional<int> finish_connect(int status);
  void close();
  void wait_readable();
  void wait_writable();
  void handle(int status);

  boost::asio::io_context& io_;
  std::unique_ptr<mosquitto, decltype(&mosquitto_destroy)> client_;
  boost::asio::posix::stream_descriptor socket_;
  bool writing_ = false;
  std::optional<int> connack_;
  std::optional<int> suback_;
  int acknowledged_ = 0;
  std::vector<Message> messages_;
};

}  // namespace otasim::testing
