// Who holds a device's processor from outside, power cycle after power cycle, with QEMU's gdb stub: a
// debugger's place in a device (sim/debug/gdb_proxy.h). While there is one, the device's own Debugger is not
// used.
//
// The machine calls, in each power cycle: attach(), then any number of machine_stops() and run_machine(),
// then detach(). All of it on the device's thread.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>

namespace otasim::device {

class DebugPort {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  virtual ~DebugPort() = default;

  /// Power is on, and the processor stands before its first instruction.
  /// @param stub    a new connection to QEMU's stub
  /// @param resume  lets the machine run; to be called once, when it may
  virtual void attach(Socket stub, std::function<void()> resume) = 0;
  /// The machine stands still, or will at once, for a reset or because it hangs.
  virtual void machine_stops() = 0;
  /// That is over: `resume` lets it run; to be called once, when it may.
  virtual void run_machine(std::function<void()> resume) = 0;
  /// Power is off.
  virtual void detach() = 0;
};

}  // namespace otasim::device
