// A file that one process holds at a time.
//
//   auto lock = FileLock::take(folder + "/lab.lock");     // held until the object goes, or the process dies
//   FileLock::holder(folder + "/lab.lock");               // who holds it, for messages
//
// and, for those who come after a crash, one that a process shares with its children:
//
//   hold_with_children(io, folder + "/children.lock");    // waits until all earlier holders have ended
//
// The kernel kills the children of a process that was killed, but a moment later: until then they still use
// their ports and write their files. Whoever gets this lock knows that none of them is left.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>

#include "sim/base/result.h"
#include "sim/base/unique_fd.h"

namespace otasim {

class FileLock {
 public:
  /// Takes the lock, making the file if it is missing, and writes this process's id into it.
  /// @returns nothing if another process holds it; kEnvironment if the file cannot be used
  [[nodiscard]] static Result<std::optional<FileLock>> take(const std::string& path);

  /// The process that took the lock last, from the file; nothing if it does not say.
  [[nodiscard]] static std::optional<pid_t> holder(const std::string& path);

 private:
  explicit FileLock(UniqueFd file) : file_(std::move(file)) {}

  UniqueFd file_;
};

/// Takes the lock `path` for this process and every ChildProcess that is spawned on `io` from now on. Waits
/// for those who hold it. Call it once for an io_context.
/// @returns kEnvironment if the file cannot be used; kInterrupted if a signal comes meanwhile
[[nodiscard]] Result<void> hold_with_children(boost::asio::io_context& io, const std::string& path);

/// The descriptor that children on `io` are to inherit, -1 for none; for ChildProcess.
[[nodiscard]] int descriptor_for_children(boost::asio::io_context& io);

}  // namespace otasim
