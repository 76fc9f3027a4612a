// A debugger's connection to QEMU: packets out, answers and stops in, without waiting.
//
//   auto gdb = GdbClient::create(std::move(socket), {.on_stop = ..., .on_failure = ...});
//   gdb->start();
//   gdb->ask("p0f", [](std::string_view answer) { ... });   // while the processor stands still
//   gdb->go();                                              // it runs on; on_stop tells when it no longer
//   does gdb->interrupt(); gdb->close();                                           // no handler is called
//   after this
//
// QEMU reads a packet only while the processor stands still, and takes any byte that comes while it runs as
// "stop". Connecting stops the processor, too. Answers come in the order of the questions; the next question
// is sent when the answer is there. The connection's end is no failure: QEMU's process ends with it.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sim/base/result.h"
#include "sim/device/gdb_packet.h"

namespace otasim::device {

class GdbClient : public std::enable_shared_from_this<GdbClient> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  using OnAnswer = std::function<void(std::string_view answer)>;

  struct Handlers {
    /// The processor has stopped: GDB's signal number, kTrap for a breakpoint or a step.
    std::function<void(int signal)> on_stop;
    std::function<void(const Error& error)> on_failure;
  };
  static constexpr int kTrap = 5;

  [[nodiscard]] static std::shared_ptr<GdbClient> create(Socket socket, Handlers handlers);

  void start();
  void ask(std::string content, OnAnswer on_answer);
  /// Runs on; behind all questions.
  void go() { resume("c"); }
  /// Runs one instruction; on_stop follows.
  void step() { resume("s"); }
  void interrupt();
  void close();

 private:
  GdbClient(Socket socket, Handlers handlers) : socket_(std::move(socket)), handlers_(std::move(handlers)) {}

  struct Question {
    std::string content;
    OnAnswer on_answer;  // none: nothing is answered
  };

  void resume(std::string content);
  void ask_next();
  void read();
  void write(std::string bytes);
  void write_next();
  void take(const std::string& content);
  void fail_with(std::string what);

  Socket socket_;
  Handlers handlers_;
  GdbPacketReader reader_;
  std::string input_ = std::string(4096, '\0');
  std::deque<std::string> output_;
  std::deque<Question> questions_;
  bool waits_for_answer_ = false;
  bool closed_ = false;
};

}  // namespace otasim::device
