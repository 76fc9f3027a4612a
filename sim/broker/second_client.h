// Another MQTT client with a device's own client id and certificate: it comes over TLS as the device does,
// and so takes the device's connection over.
//
//   auto second = SecondClient::start(io, {.client_id = "thing-1", .port = ..., .ca_path = ..., ...},
//                                     {.on_admitted = [] { ... }, .on_end = [](Result<...> end) { ... }});
//
// It says goodbye as soon as it is admitted, or after `hold_ms`; a device that comes back meanwhile drives it
// out in its turn. Destroying the object closes the connection; no handler is called then. Everything runs on
// the io_context's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sim/base/result.h"

namespace otasim::broker {

class SecondClient {
 public:
  struct Spec {
    std::string client_id;
    std::uint16_t port = 0;  ///< of 127.0.0.1
    std::string ca_path;     ///< PEM: who signed the broker's certificate
    std::string certificate_path;
    std::string key_path;
    std::int64_t hold_ms = 0;
  };

  enum class End {
    kSaidGoodbye,
    kDrivenOut,  ///< the broker or another client ended the connection while it was held
  };

  /// Called from the io_context, never from within start(). They may destroy the object.
  struct Handlers {
    std::function<void()> on_admitted = {};
    /// Once, at the end. kEnvironment: it was refused, or got no answer within 10 s.
    std::function<void(const Result<End>& end)> on_end = {};
  };

  [[nodiscard]] static std::unique_ptr<SecondClient> start(boost::asio::io_context& io, Spec spec,
                                                           Handlers handlers);
  ~SecondClient();
  SecondClient(const SecondClient&) = delete;
  SecondClient& operator=(const SecondClient&) = delete;

 private:
  struct State;
  explicit SecondClient(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace otasim::broker
