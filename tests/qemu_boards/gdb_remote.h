// A debugger's connection to QEMU: the few packets of GDB's remote serial protocol that a test needs.
//
// Listen first, then start QEMU with qemu_arguments(), which has it call back, then accept(): the processor
// stands still. It waits for each answer, and whatever fails ends the program with an exception: a test
// cannot go on without its debugger. The simulator's own is sim/device/gdb_client.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/device/gdb_packet.h"

namespace otasim::test {

class GdbRemote {
 public:
  using Clock = std::chrono::steady_clock;

  /// Listens at `socket_path`.
  explicit GdbRemote(std::string socket_path);
  ~GdbRemote();
  GdbRemote(const GdbRemote&) = delete;
  GdbRemote& operator=(const GdbRemote&) = delete;

  [[nodiscard]] std::vector<std::string> qemu_arguments() const;
  /// Waits for QEMU.
  void accept();

  [[nodiscard]] std::uint32_t reg(int number);
  void set_reg(int number, std::uint32_t value);

  /// A word of memory.
  [[nodiscard]] std::uint32_t word(std::uint32_t address);

  void set_breakpoint(std::uint32_t address);
  void clear_breakpoint(std::uint32_t address);

  /// Runs one instruction.
  void step();
  /// Lets the processor run; wait_stop() or interrupt() comes next.
  void run();
  /// The socket: readable when the processor has stopped, unless has_news() already.
  [[nodiscard]] int descriptor() const { return socket_; }
  [[nodiscard]] bool has_news() const;
  /// Takes the news of a stop.
  void wait_stop();
  /// Stops the processor, if it has not stopped by itself.
  void interrupt();

  /// A command of QEMU's own monitor, such as "system_reset".
  void monitor(std::string_view command);

 private:
  [[nodiscard]] std::string ask(std::string_view packet);
  void send(std::string_view packet);
  [[nodiscard]] std::string receive();
  [[nodiscard]] char next_byte();

  std::string path_;
  int listening_ = -1;
  int socket_ = -1;
  std::string buffer_;
  std::size_t taken_ = 0;
  device::GdbPacketReader packets_;
};

}  // namespace otasim::test
