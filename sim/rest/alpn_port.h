// One port for everything, as AWS's 443: the ALPN protocol in a connection's ClientHello says which server it
// is for, and the connection is handed through to it, byte for byte.
//
//   auto port = AlpnPort::start(io, {.protocols = {{"x-amzn-mqtt-ca", mqtt_port}}, .otherwise = https_port});
//
// TLS is between client and server: this port decrypts nothing, and so it cannot name the protocol it chose
// in the ServerHello, as AWS does; clients go on without. A client that sends no ClientHello in time, or
// something else, is closed. Everything runs on the io_context's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "sim/base/result.h"

namespace otasim::rest {

/// MQTT with a client certificate.
inline constexpr const char* kMqttProtocol = "x-amzn-mqtt-ca";
/// HTTPS with a client certificate.
inline constexpr const char* kHttpProtocol = "x-amzn-http-ca";

struct AlpnPortOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                               ///< 0: the system chooses
  std::map<std::string, std::uint16_t> protocols = {};  ///< ports of 127.0.0.1 for ALPN protocols
  std::uint16_t otherwise = 0;                          ///< for a client that names none of them
  std::size_t max_connections = 1024;                   ///< one more is closed at once
  std::chrono::milliseconds hello_timeout{10'000};
};

class AlpnPort {
 public:
  /// @returns kEnvironment if the port is in use or may not be used
  [[nodiscard]] static Result<std::unique_ptr<AlpnPort>> start(boost::asio::io_context& io,
                                                               AlpnPortOptions options);
  /// Closes all connections.
  ~AlpnPort();
  AlpnPort(const AlpnPort&) = delete;
  AlpnPort& operator=(const AlpnPort&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct State;
  explicit AlpnPort(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace otasim::rest
