// A device that only makes load: one TLS connection, requests out, answers counted.
//
//   LoadClient client(lab, port, identity, "t1", [](std::string_view topic, std::size_t bytes) { ... });
//   LoadClient::run(clients, [&] { return done; });
//
// Errors end the program: a benchmark that lost a connection has no result.
#pragma once

#include <mosquitto.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/broker/test_lab.h"

namespace otasim::bench {

class LoadClient {
 public:
  using Answer = std::function<void(std::string_view topic, std::size_t payload_bytes)>;

  /// Connects, and returns when the broker has accepted.
  LoadClient(const testing::TestLab& lab, std::uint16_t port, const testing::TestIdentity& identity,
             const std::string& client_id, Answer on_answer);
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  /// Sends a request with QoS 0.
  void publish(const std::string& topic, std::string_view payload);

  /// Moves all clients' traffic until `done` holds.
  static void run(const std::vector<std::unique_ptr<LoadClient>>& clients, const std::function<bool()>& done);

 private:
  static void on_connect(mosquitto*, void* self, int code);
  static void on_message(mosquitto*, void* self, const mosquitto_message* message);
  void move(short events);

  std::unique_ptr<mosquitto, decltype(&mosquitto_destroy)> client_;
  Answer on_answer_;
  bool accepted_ = false;
};

}  // namespace otasim::bench
