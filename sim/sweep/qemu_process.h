// A QEMU whose board is switched on again and again without the process being replaced.
//
//   auto process = QemuProcess::start({.arguments = ..., .folder = ...});
//   (*process)->write(address, rom);                 // once: the program in ROM
//   (*process)->reset();                             // the board's devices and processors as at power-on
//   (*process)->write(address, bytes);               // memory, while the board stands still
//   (*process)->run(on_line);
//   (*process)->wait_until(condition, "...");        // lines are handed on meanwhile
//   (*process)->stop();                              // it stands still; lines that had come are handed on
//
// Nothing is given to QEMU to load (-kernel): what it loads it writes anew at each reset, and code that is
// written has to be translated again, which takes longer than the boot. A debugger's connection writes the
// program, once, and the processor finds its vector table in memory at a reset. Memory is kept over a reset;
// what must not be is the caller's to write.
//
// The console is a pipe that is left alone until something is worth reading: the board sends its lines byte
// by byte, and to be woken by each takes a fifth of a boot's time. Whoever plays the board's flash tells of
// that through another pipe, wake_path(): FaultFile::serve_boots_only() says when. From the first such byte
// on the console is read as it comes, until stop().
//
// All functions wait for their result. An error is final: the process is of no use any more. It belongs to
// the thread that started it, and ends with that.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/child_process.h"
#include "sim/base/result.h"
#include "sim/base/unique_fd.h"
#include "sim/device/gdb_client.h"
#include "sim/device/line_splitter.h"
#include "sim/device/qmp.h"

namespace otasim::sweep {

class QemuProcess {
 public:
  struct Spec {
    std::vector<std::string> arguments;  ///< machine, flash
    std::string folder;                  ///< of its own: sockets, pipes, QEMU's messages; the path short
  };
  using OnLine = std::function<void(std::string_view line)>;

  /// @returns kEnvironment if QEMU cannot be started or ends
  [[nodiscard]] static Result<std::unique_ptr<QemuProcess>> start(const Spec& spec);
  /// The pipe for a process in this folder.
  [[nodiscard]] static std::string wake_path(const std::string& folder) { return folder + "/wake"; }
  ~QemuProcess();
  QemuProcess(const QemuProcess&) = delete;
  QemuProcess& operator=(const QemuProcess&) = delete;

  // Those that follow are refused with kEnvironment if QEMU is ended from outside or does not answer, and
  // with kFailed if it crashes: what the guest did may have made it.

  /// While the board stands still, at the processor's address, all protection of memory disregarded but
  /// TrustZone's.
  [[nodiscard]] Result<void> write(std::uint32_t address, std::span<const std::uint8_t> bytes);
  /// The same, for reading.
  [[nodiscard]] Result<std::vector<std::uint8_t>> read(std::uint32_t address, std::size_t size);
  /// Whether memory holds these bytes.
  [[nodiscard]] Result<bool> holds(std::uint32_t address, std::span<const std::uint8_t> bytes);
  [[nodiscard]] Result<void> reset();
  void run(OnLine on_line);
  [[nodiscard]] Result<void> stop();
  [[nodiscard]] pid_t pid() const { return child_->pid(); }
  /// @param what     is waited for, in an error's text
  /// @param if_late  the error's code if it does not come in time: kFailed if it is the guest's to do
  [[nodiscard]] Result<void> wait_until(const std::function<bool()>& holds, std::string_view what,
                                        ExitCode if_late = ExitCode::kEnvironment);

 private:
  using Acceptor = boost::asio::local::stream_protocol::acceptor;
  using Socket = boost::asio::local::stream_protocol::socket;
  using Pipe = boost::asio::posix::stream_descriptor;

  explicit QemuProcess(const std::string& folder);

  [[nodiscard]] std::string path(const char* name) const { return folder_ + "/" + name; }
  [[nodiscard]] Result<void> spawn(const Spec& spec);
  [[nodiscard]] Result<void> accept(const char* name, std::function<void(Socket socket)> on_connected);
  [[nodiscard]] Result<void> ask_monitor(const char* command);
  void open_monitor(Socket socket);
  void open_debugger(Socket socket);
  [[nodiscard]] Result<UniqueFd> make_pipe(const char* name);
  [[nodiscard]] Result<void> make_pipes();
  void watch_wakes();
  void watch_console();
  void read_console();
  void take_problem(Error error);

  std::string folder_;
  boost::asio::io_context io_;  // before all that uses it
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::unique_ptr<ChildProcess> child_;
  std::shared_ptr<device::QmpClient> monitor_;
  std::shared_ptr<device::GdbClient> debugger_;
  Pipe wakes_;
  UniqueFd console_;
  Pipe watched_console_;  // a second descriptor of it; closed unless it is read as it comes
  std::string buffer_ = std::string(4096, '\0');
  std::optional<device::LineSplitter> lines_;  // none while the board stands still
  bool is_monitor_ready_ = false;
  bool is_reset_ = false;
  std::optional<Error> lost_connection_;
  std::optional<Error> problem_;
};

}  // namespace otasim::sweep
