// The NBD server: one power cycle of a NOR part that a machine has as a drive.
//
//   auto server = NbdServer::power_on({.socket_path = ..., .part = {.window_path = ...}});
//   ... start QEMU with `-drive if=mtd,format=raw,file=nbd:unix:SOCKET_PATH` ...
//   ... QEMU is gone ...
//   server->reset();   // takes what QEMU had sent before it ended, and takes the socket away
//
// Making it is the part's power-on, so it is made before each QEMU and ends after it. It runs on a thread of
// its own, which does nothing else. One client is served at a time; another one finds its connection closed.
//
// QEMU's chip does not wait for its writes to be answered, so the guest is ahead of the part by what is on
// the socket. When QEMU is killed, what it had sent still counts: to the guest those operations were over. A
// request that is not whole was not.
//
// When power is cut in an operation (fault_injector.h), nothing after it is taken or answered, the client's
// process is stopped (SIGSTOP; unless it is this one) as soon as this thread has seen the operation, and the
// simulator is woken, which kills it. What the guest did in between, some microseconds on an idle machine,
// has been done.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "sim/base/result.h"
#include "sim/base/unique_fd.h"
#include "sim/flash/flash_part.h"
#include "sim/flash/nbd_connection.h"

namespace otasim::flash_file {

class NbdServer {
 public:
  struct Config {
    std::string socket_path;  ///< made here, removed at the end; short (unix_socket.h)
    FlashPartFiles part;
    // Both are called on the server's thread, must not wait, and must not destroy the server.
    /// A write that no flash chip would have made was refused.
    std::function<void(const RefusedWrite&)> on_refused = {};
    /// The op log has ended, for want of room, say.
    std::function<void(int error_number)> on_op_log_error = {};
  };

  /// @returns kEnvironment if the part's files or the socket cannot be used
  [[nodiscard]] static Result<std::unique_ptr<NbdServer>> power_on(Config config);
  ~NbdServer();

  /// Who is running now, for the op log (FlashPart::set_running). From any thread. What was sent before is
  /// not looked at: an operation on the way is logged as this program's.
  void set_running(flash::OpSource program) { part_->set_running(program); }
  NbdServer(const NbdServer&) = delete;
  NbdServer& operator=(const NbdServer&) = delete;

 private:
  NbdServer(Config config, std::unique_ptr<FlashPart> part);

  [[nodiscard]] Result<void> listen();
  void run();
  void serve(UniqueFd client);
  /// @returns false if a client that waits cannot be accepted
  [[nodiscard]] bool turn_away();

  Config config_;
  std::unique_ptr<FlashPart> part_;
  NorDisk disk_;
  UniqueFd listener_;
  UniqueFd stop_;       // an eventfd
  std::thread thread_;  // last: all that it uses is there before it and after it
};

}  // namespace otasim::flash_file
