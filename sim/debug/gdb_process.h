// gdb-multiarch with the simulator's terminal, which is as it was when GDB has gone, however that ended.
#pragma once

#include <termios.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/child_process.h"
#include "sim/base/result.h"

namespace otasim::debug {

inline constexpr const char* kGdb = "gdb-multiarch";

/// @returns kEnvironment, with the package's name, if it is not installed
[[nodiscard]] Result<void> find_gdb();

class GdbProcess {
 public:
  /// @param on_end  called once when it has ended by itself
  /// @returns kEnvironment if it cannot be started
  [[nodiscard]] static Result<std::unique_ptr<GdbProcess>> start(boost::asio::io_context& io,
                                                                 std::vector<std::string> arguments,
                                                                 ChildProcess::ExitHandler on_end);
  /// Ends it if it runs.
  ~GdbProcess();
  GdbProcess(const GdbProcess&) = delete;
  GdbProcess& operator=(const GdbProcess&) = delete;

  [[nodiscard]] bool running() const { return child_->running(); }

 private:
  GdbProcess() = default;

  std::unique_ptr<ChildProcess> child_;
  std::optional<termios> terminal_;  ///< as it was before
};

}  // namespace otasim::debug
