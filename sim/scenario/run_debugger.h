// What a run asks of a debugger beside it (sim/debug/debug_session.h).
//
// Order of a run: begin(), port_of() for each device, handle() for each event, finish() when all is judged
// and every device is off, close(). All on the run's thread; finish() may take as long as a person likes.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>
#include <vector>

#include "sim/base/halt.h"
#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/device/debug_port.h"
#include "sim/lab/build_products.h"

namespace otasim::scenario {

class RunDebugger {
 public:
  virtual ~RunDebugger() = default;

  /// Stands still while the debugger has the target.
  [[nodiscard]] virtual const Halt& halt() const = 0;
  /// @param end  ends the run without a verdict
  [[nodiscard]] virtual Result<void> begin(boost::asio::io_context& io, std::function<void(Error)> end) = 0;
  /// What holds a device's processor; null: nothing does.
  [[nodiscard]] virtual device::DebugPort* port_of(const std::string& device) = 0;
  virtual void handle(const nlohmann::json& event) = 0;
  /// Runs `io` until the debugger has gone.
  virtual void finish(boost::asio::io_context& io, bool passed) = 0;
  /// Lets go of all that belongs to the io_context.
  virtual void close() = 0;
};

}  // namespace otasim::scenario
