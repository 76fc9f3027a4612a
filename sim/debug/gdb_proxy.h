// GDB's way to a device's processor: one connection for the debugger, over all power cycles and resets of
// the device, each of which has a stub of its own in QEMU.
//
//   GdbProxy proxy(io, halt, {.on_quit = ..., .on_command = ...});
//   proxy.listen_at("/private/gdb.sock");    // or listen(): a port of the loopback interface
//   proxy.address();                         // for GDB's `target remote`
//   the device's Config::debug_port = &proxy
//   proxy.stop("event boot.verify");         // GDB gets the target here
//   proxy.say("text");                       // in GDB's terminal, while the target runs
//   proxy.end_run(0);                        // GDB hears that the program has exited
//
// The proxy is what GDB takes for the target. It passes packets to the stub of the power cycle under way and
// keeps what GDB has set there (breakpoints, watchpoints, the chosen thread), to set it again in the next
// one. While power is off, or the machine is being reset or hangs, GDB sees a target that runs. Interrupted
// without power, it stops before the first instruction of the next power cycle. A stop that is the
// simulator's own affair - for a reset, or to hang - is not GDB's, and is passed over in silence.
//
// The target belongs to GDB from the first power-on until GDB lets it run, and again from each stop on: that
// is when `halt` stands still. If power goes off while GDB has the target, GDB's questions are answered with
// errors until it lets the target run.
//
// A trap is a breakpoint of the simulator's own: each time the processor comes there the proxy asks whether
// GDB is to have it.
//
// What can go wrong: GDB goes away, kills its target, or sends what is no such protocol: on_quit. Answers
// that a stub owes when its power goes are errors. Everything is on the io_context's thread.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/halt.h"
#include "sim/base/result.h"
#include "sim/debug/packet_stream.h"
#include "sim/device/debug_port.h"

namespace otasim::debug {

class GdbProxy : public device::DebugPort {
 public:
  struct Handlers {
    /// GDB has gone, or wants its target's end; once.
    std::function<void()> on_quit;
    /// GDB lets the target run on without it; once.
    std::function<void()> on_detach = [] {};
    /// `monitor otasim WORDS`: what it answers.
    std::function<std::string(const std::string& words)> on_command;
    /// The processor is at a trap. @returns why GDB is to have it; nothing: it runs on
    std::function<std::optional<std::string>()> on_trap = [] { return std::nullopt; };
  };

  /// @param halt  outlives the proxy
  GdbProxy(boost::asio::io_context& io, Halt& halt, Handlers handlers);
  ~GdbProxy() override;
  GdbProxy(const GdbProxy&) = delete;
  GdbProxy& operator=(const GdbProxy&) = delete;

  /// GDB may connect from here on; it is answered from the first power-on. Whoever connects first is GDB, and
  /// QEMU's monitor does what he says, with this user's rights: at a port, everybody on the machine can.
  /// @returns kEnvironment if there is no port
  [[nodiscard]] Result<void> listen();
  /// The same, at a unix socket: open to those who can enter its folder.
  /// @returns kEnvironment if it cannot be made
  [[nodiscard]] Result<void> listen_at(const std::string& socket_path);
  /// HOST:PORT, or the socket's path.
  [[nodiscard]] const std::string& address() const { return address_; }
  /// Called once, at the first power-on: there is something to debug.
  void on_ready(std::function<void()> handler) { on_ready_ = std::move(handler); }

  /// Instructions where on_trap is asked.
  struct Traps {
    std::set<std::uint32_t> addresses;
    std::string code;  ///< the bytes of each; where others stand it is none
  };
  /// In force when the target runs on next.
  void set_traps(Traps traps) { traps_ = std::move(traps); }
  /// Takes the target from where it runs. Nothing happens if GDB has it already, or is not there.
  void stop(const std::string& why);
  void say(std::string_view text);
  /// The run is over: GDB hears it, at once or when it lets its target run.
  void end_run(int exit_code);
  [[nodiscard]] bool has_gdb() const { return gdb_ != nullptr; }

  // device::DebugPort

  void attach(Socket stub, std::function<void()> resume) override;
  void machine_stops() override;
  void run_machine(std::function<void()> resume) override;
  void detach() override;

 private:
  using OnAnswer = std::function<void(const std::string& answer)>;
  struct Question {
    std::string content;
    OnAnswer on_answer;
  };

  using Protocol = boost::asio::generic::stream_protocol;

  [[nodiscard]] Result<void> listen_on(const Protocol::endpoint& endpoint);
  void accept();
  void open_gdb(PacketStream::Socket socket);
  void lose_gdb();

  // From GDB.
  void take_from_gdb(const std::string& content);
  void serve_gdb();
  void serve(const std::string& content);
  [[nodiscard]] bool serve_alone(const std::string& content);
  void serve_without_power(const std::string& content);
  void serve_point(const std::string& content);
  void pass_on(const std::string& content);
  void answer_gdb(std::string_view content);
  void run_command(const std::string& hexadecimal);
  void let_run(const std::string& content);
  void let_go();
  void handle_interrupt();

  // From and to the stub.
  void take_from_stub(const std::string& content);
  void handle_stop(const std::string& content);
  void ask(std::string content, OnAnswer on_answer);
  void ask_next();
  void set_up_stub();
  void plant(std::vector<std::string> packets, std::function<void()> then);
  void begin_power_cycle();
  void resume_target();
  void step_target(const std::string& content);
  void give_to_gdb(const std::string& stop);
  void look_at_trap(const std::string& stop);
  void pass_trap(std::uint32_t address);

  [[nodiscard]] bool is_powered() const { return stub_ != nullptr; }
  [[nodiscard]] std::string stop_reply(int signal) const;
  [[nodiscard]] std::vector<std::string> take_trap_changes();
  [[nodiscard]] static std::string trap_packet(char set_or_clear, std::uint32_t address);

  boost::asio::io_context& io_;
  Halt& halt_;
  Handlers handlers_;
  boost::asio::basic_socket_acceptor<Protocol> acceptor_;
  std::string address_;
  std::function<void()> on_ready_;
  Traps traps_;
  bool has_quit_ = false;

  // GDB.
  std::shared_ptr<PacketStream> gdb_;
  std::deque<std::string> requests_;  ///< that are not served yet; GDB itself has one at a time
  bool is_serving_ = false;
  bool gdb_runs_ = false;  ///< GDB has let the target run and waits for its stop
  bool is_detached_ = false;
  std::string last_word_;    ///< the run is over
  std::string said_;         ///< what GDB could not be told yet
  std::string stop_reason_;  ///< of a stop that somebody asked for
  int stop_signal_ = 0;      ///< the same; 0: nobody asked

  // What GDB has set, to be set again in each power cycle.
  std::string features_;             ///< qSupported
  std::string thread_;               ///< Hg
  std::vector<std::string> points_;  ///< Z packets, in order

  // The stub of this power cycle.
  std::shared_ptr<PacketStream> stub_;
  std::deque<Question> questions_;
  bool waits_for_answer_ = false;
  bool stub_runs_ = false;  ///< no question can be asked
  bool is_held_ = false;    ///< by the machine: it is being reset, or hangs
  bool is_set_up_ = false;  ///< what GDB has set is set in this one
  bool gdb_steps_ = false;
  std::set<std::uint32_t> planted_;  ///< of the traps
  bool passes_trap_ = false;
  std::function<void()> on_step_;
  std::function<void()> resume_;            ///< lets the machine run, if it is not the stub that is to
  std::string stub_thread_ = "thread:01;";  ///< as stop replies name it
};

}  // namespace otasim::debug
