// The lab's message broker: a Mosquitto process under a configuration of its own.
//
//   auto broker = Broker::start(io, {.folder = lab, .port = 0, .ca_path = ..., ...});
//   (*broker)->on_exit([](const Error& error) { ... });
//   ... (*broker)->port(), (*broker)->socket_path() ...
//
// start() returns when both listeners answer. It writes `mosquitto.conf`, `mosquitto.log` and the private
// socket `mirror.sock` into the folder, which must exist and be the user's alone: whoever can reach the
// socket can speak for the mirror. The process ends with the object, or with the simulator, whichever is
// first. If it ends by itself the exit handler tells, with the last lines it logged.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sim/base/child_process.h"
#include "sim/base/result.h"

namespace otasim::broker {

struct BrokerSpec {
  std::string folder;
  std::uint16_t port = 8883;     ///< 0 to let the system choose
  std::string ca_path;           ///< PEM: who signs clients' certificates
  std::string certificate_path;  ///< PEM: the endpoint's
  std::string key_path;          ///< PEM
  std::string plugin_path = {};  ///< empty: `lib/otasim_broker_plugin.so` beside the program's folder
  /// The first connection's number. One beyond all of an earlier broker's keeps what was meant for its
  /// connections from those of this one.
  std::uint64_t first_connection = 1;
  bool throttle = false;              ///< whether AWS's rate limits apply (rate_limit.h)
  std::string address = "127.0.0.1";  ///< where devices may connect
  std::string halt_path = {};  ///< its clock stands still as this file has it (Halt::shared()); may be empty
  /// The file (sim/crypto/key_log_file.h; exists) that gets the TLS secrets of its connections; empty: none.
  std::string key_log_path = {};
};

class Broker {
 public:
  using ExitHandler = std::function<void(const Error& error)>;

  /// Starts Mosquitto and waits until it answers. Must be called on the main thread.
  /// @returns kEnvironment if Mosquitto is missing, the port is in use, the folder's path is too long for a
  ///          socket, a file cannot be read or written, or Mosquitto gives up or does not answer in time
  [[nodiscard]] static Result<std::unique_ptr<Broker>> start(boost::asio::io_context& io,
                                                             const BrokerSpec& spec);

  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  /// Sets the handler for an end that nobody asked for; called once, on the io_context.
  void on_exit(ExitHandler handler);

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The mirror's private listener.
  [[nodiscard]] const std::string& socket_path() const { return socket_path_; }
  [[nodiscard]] const std::string& log_path() const { return log_path_; }
  [[nodiscard]] pid_t pid() const { return process_->pid(); }

 private:
  Broker(std::uint16_t port, std::string socket_path, std::string log_path,
         std::unique_ptr<ChildProcess> process);

  std::uint16_t port_;
  std::string socket_path_;
  std::string log_path_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace otasim::broker
