// A run under gdb-multiarch: the proxy that GDB talks to, GDB itself, and the places where it is to stop.
//
//   auto session = DebugSession::make({.run_folder = ..., .board = ..., .products = ..., ...});
//   RunPlan{.debugger = session->get()} ...; scenario::play(plan, log);
//   (*session)->ended_early();       // GDB was quit before the run was over
//
// One device of the run is debugged. GDB starts when it is first powered on, with `debug.gdb` of the run's
// folder: symbols of the bootloader and the application, otasim's printers and commands (otasim_gdb.py). It
// has the terminal; what the device says is shown there while it runs, unless `quiet`.
//
// Without GDB (`starts_gdb` false) the session waits for one that somebody else starts.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/debug/gdb_process.h"
#include "sim/debug/gdb_proxy.h"
#include "sim/debug/stop_place.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"
#include "sim/scenario/run_debugger.h"
#include "sim/scenario/scenario.h"

namespace otasim::debug {

struct DebugOptions {
  std::string run_folder;  ///< exists
  std::string device;      ///< of the scenario
  const lab::Board* board = nullptr;
  lab::BuildProducts products;
  const scenario::Scenario* scenario = nullptr;  ///< outlives the session
  std::optional<StopPlace> at = {};              ///< none: before the bootloader's first instruction
  bool starts_gdb = true;
  std::vector<std::string> gdb_arguments = {};
  std::optional<std::string> vscode_folder = {};  ///< gets a launch configuration
  bool quiet = false;
};

/// What can be known before there is a run folder.
/// @returns kUsage if the place to stop is none of this board's; kEnvironment if there is no GDB to be
/// started
[[nodiscard]] Result<void> check_debug(const lab::Board& board, const std::optional<StopPlace>& at,
                                       bool starts_gdb);

class DebugSession : public scenario::RunDebugger {
 public:
  /// After check_debug(). @returns kEnvironment if a file is missing or cannot be made
  [[nodiscard]] static Result<std::unique_ptr<DebugSession>> make(DebugOptions options);
  ~DebugSession() override;

  [[nodiscard]] bool ended_early() const { return ended_early_; }

  [[nodiscard]] const Halt& halt() const override { return *halt_; }
  [[nodiscard]] Result<void> begin(boost::asio::io_context& io, std::function<void(Error)> end) override;
  [[nodiscard]] device::DebugPort* port_of(const std::string& device) override;
  void handle(const nlohmann::json& event) override;
  void finish(boost::asio::io_context& io, bool passed) override;
  void close() override;

 private:
  explicit DebugSession(DebugOptions options, std::unique_ptr<Halt> halt)
      : options_(std::move(options)), halt_(std::move(halt)) {}

  [[nodiscard]] Result<void> find_doorbells();
  [[nodiscard]] Result<void> listen();
  [[nodiscard]] Result<void> write_scripts();
  [[nodiscard]] Result<void> start_gdb();
  void handle_ready();
  void handle_quit();
  [[nodiscard]] std::optional<std::string> handle_trap();
  [[nodiscard]] std::string run_command(const std::string& words);
  [[nodiscard]] std::string set_place(const std::string& text);
  [[nodiscard]] std::size_t operations_done() const;
  [[nodiscard]] std::string where() const;
  void note_image(const nlohmann::json& event);
  [[nodiscard]] std::string device_file(const std::string& name) const;
  [[nodiscard]] std::string program_of(const std::string& slot, const std::string& version) const;

  DebugOptions options_;
  std::unique_ptr<Halt> halt_;
  boost::asio::io_context* io_ = nullptr;
  std::function<void(Error)> end_;
  std::unique_ptr<GdbProxy> proxy_;
  std::optional<TempDir> socket_folder_;  ///< of the GDB that is started here
  std::unique_ptr<GdbProcess> gdb_;
  GdbProxy::Traps doorbells_;
  std::string set_up_path_;
  std::string attach_path_;
  std::deque<std::string> last_lines_;
  std::string last_event_;
  std::string running_program_;  ///< ELF of the image that was started last
  bool ended_early_ = false;
  bool is_detached_ = false;
  bool is_over_ = false;
};

}  // namespace otasim::debug
