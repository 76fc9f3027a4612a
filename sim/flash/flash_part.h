// A flash part that runs: the NOR model over a flash file, with its op log, its armed faults and the pipe
// that wakes the simulator when one strikes. Whoever plays the part to a machine holds one: the QEMU plugin
// (flash_plugin.cc), the NBD server (nbd_server.h).
//
//   auto part = FlashPart::power_on({.window_path = ..., .op_log_path = ..., .fault_path = ...});
//   if ((*part)->begin(kind) == Admission::kRun) ... (*part)->model().execute(...) ...   // each operation
//   if (!(*part)->powered()) ...                                     // power was cut in it
//
// One object is one power cycle; where a machine is booted again and again in one process, begin() starts the
// next one when the fault file says so. All of it belongs to one thread. What can go wrong is found when it
// is made; later only the op log can fail (disk full): it then ends before the operation that could not be
// written.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pal_sim/flash/nor_model.h"
#include "pal_sim/flash/op_log.h"
#include "sim/base/result.h"
#include "sim/base/unique_fd.h"
#include "sim/flash/fault_file.h"
#include "sim/flash/fault_injector.h"
#include "sim/flash/flash_file.h"
#include "sim/flash/plan_log.h"
#include "sim/flash/store_guard.h"

namespace otasim::flash_file {

struct FlashPartFiles {
  std::string window_path;       ///< the flash file
  std::string op_log_path = {};  ///< continued if it exists; empty: no op log
  std::string fault_path =
      {};  ///< a prepared fault file (fault_file.h); empty: a new part's cells, no faults
  std::string plan_log_path =
      {};  ///< of a part that is recorded or replayed (plan_log.h); needs a fault file
  bool after_reset =
      false;  ///< the part has kept its power since the last process: marginal bits read as before
  bool is_replayed = false;    ///< takes its plans from there, instead of keeping them there
  std::string wake_path = {};  ///< a pipe that gets a byte for each strike; empty: nobody is woken
  std::uint64_t seed = 1;      ///< decides entropy and what marginal bits read
};

/// Wakes the simulator. A pipe that is full, or that nobody reads, is no reason to wait.
class Waker {
 public:
  explicit Waker(const std::string& path);
  void wake() const;

 private:
  UniqueFd pipe_;
};

/// What is to be done with an operation.
enum class Admission : std::uint8_t {
  kRun,
  kFrozen,   ///< nothing: power is off, or the machine about to be reset
  kDiscard,  ///< nothing, as if it were done: the bootloader has handed over, and only it is of interest
};

class FlashPart : public flash::OpObserver {
 public:
  /// @returns kEnvironment if a file cannot be used
  [[nodiscard]] static Result<std::unique_ptr<FlashPart>> power_on(const FlashPartFiles& files);

  FlashPart(const FlashPart&) = delete;
  FlashPart& operator=(const FlashPart&) = delete;

  /// Before each operation: takes over what was armed or cleared, and a power-on.
  /// @param kind    none: entropy is asked for
  /// @param offset  of the operation, where it counts whose it is (NorDisk)
  [[nodiscard]] Admission begin(std::optional<flash::OpKind> kind, std::uint32_t offset = 0);

  /// Wakes the simulator, once after each power-on.
  void wake_once();

  /// A debugger has taken a replayed machine back to its start, window included; the part follows, and reads
  /// its cells and counts from the fault file again, which the caller has put back.
  void start_over();

  /// Whether nobody waits for the process to stop at a power cut (FaultFile::serve_boots_only).
  [[nodiscard]] bool serves_boots_only() const { return faults_ && faults_->serves_boots_only(); }

  /// Who is running, for the op log of a part that cannot see it (NorModel::set_running); the bootloader from
  /// power-on. From any thread.
  void set_running(flash::OpSource program) { running_.store(program, std::memory_order_relaxed); }

  [[nodiscard]] flash::NorModel& model() { return model_; }
  [[nodiscard]] bool powered() const { return model_.powered(); }

  /// The errno of the write that ended the op log, once; 0 at all other times.
  [[nodiscard]] int take_op_log_error();

  /// The instruction since power-on, from 1, before which a reset is planned; 0 if none is.
  [[nodiscard]] std::uint64_t reset_at_instruction() const {
    return injector_ ? injector_->reset_at_instruction() : 0;
  }
  /// That instruction is about to run. Returns when the processor may go on (fault_injector.h).
  void strike_reset() {
    if (injector_) injector_->strike_reset();
  }

  /// Whether the processor's stores are to be watched in this power cycle, and its loads.
  [[nodiscard]] bool watches_stores() const { return guard_.has_value(); }
  [[nodiscard]] bool watches_reads() const { return injector_ && injector_->watches_reads(); }
  /// A store of the processor has been made; if it was one into cells they are as they were.
  /// @param window_offset  may be outside of the window
  void store_was_made(std::uint32_t pc, std::int64_t window_offset, std::uint32_t length);
  /// A load of the processor is over.
  void load_was_made(std::int64_t window_offset);
  /// How long commands take, as things stand.
  [[nodiscard]] flash::BusyTimes busy_times() const {
    return injector_ ? injector_->busy_times() : flash::BusyTimes{};
  }

  void on_operation(const flash::Operation& operation) override;

 private:
  FlashPart(FlashFile file, std::optional<flash::OpLogWriter> op_log, std::optional<FaultFile> faults,
            std::optional<PlanLog> plans, const FlashPartFiles& files);

  void observe();
  void start_anew();
  void make_injector(bool draws);
  [[nodiscard]] bool is_of_interest(std::optional<flash::OpKind> kind, std::uint32_t offset) const;

  FlashFile file_;
  std::optional<flash::OpLogWriter> op_log_;
  bool is_op_log_error_taken_ = false;
  std::optional<FaultFile> faults_;
  std::optional<PlanLog> plans_;
  bool is_replayed_;
  bool after_reset_;
  std::uint64_t seed_;
  std::uint32_t power_ons_ = 0;            // of the file
  std::optional<std::uint32_t> woken_in_;  // one of those
  Waker waker_;
  flash::NorModel model_;
  std::optional<FaultInjector> injector_;
  std::optional<StoreGuard> guard_;
  std::function<void(std::uint32_t)> on_disturbed_;
  std::atomic<flash::OpSource> running_ = flash::OpSource::kBoot;
};

}  // namespace otasim::flash_file
