// The power-cut sweep: cuts a recorded update at every operation, before, within and after it, boots the real
// bootloader from what flash then holds, and judges each boot (boot_oracle.h).
//
//   PowerCutSweep sweep(recording, {.cuts = 1}, make_machine, key);
//   sweep.on_progress(...); sweep.on_failure(...);
//   auto result = sweep.run();
//
// A case is booted until flash repeats, three times at most. Equal flash states, bound by equal expectations
// and with as many cuts still to come, are visited once; a case that leads to one again shares its verdict.
// With two cuts, each operation of each boot of each case is cut in its turn, and so on: a recovery's own
// operations are the next recording.
//
// Each of `jobs` workers has a machine and goes through the recording in order, taking the next operations
// that nobody has taken. What is drawn depends on the seed and the state alone, so counts and verdicts do not
// depend on the workers; which of several cases with one state is shown as the failed one, and cut further,
// may.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/base/result.h"
#include "sim/crypto/key.h"
#include "sim/sweep/boot_machine.h"
#include "sim/sweep/cut.h"
#include "sim/sweep/recording.h"

namespace otasim::sweep {

struct SweepPlan {
  unsigned cuts = 1;  ///< in a row, 1 to kMaxCuts
  Granularity granularity = Granularity::kTorn;
  std::uint64_t seed = 1;
  unsigned jobs = 1;
  /// Only this case, and all that leads to it.
  std::optional<CutPath> only = {};
};

/// A case that did not hold.
struct CaseFailure {
  CutPath path;
  std::vector<std::string> violations = {};
  std::vector<std::vector<std::string>> consoles = {};  ///< of its boots
};

/// The cases that begin at one operation of the recording.
struct OperationResult {
  std::array<std::uint32_t, kCutKinds> cases{};  ///< of a single cut, by kind
  std::array<std::uint32_t, kCutKinds> failures{};
  std::uint32_t later_cases = 0;  ///< with further cuts
  std::uint32_t later_failures = 0;
};

struct SweepCounts {
  std::uint64_t cases = 0;  ///< those whose state was visited before included
  std::uint64_t boots = 0;
  std::uint64_t distinct_states = 0;
  std::uint64_t failures = 0;
};

struct SweepResult {
  SweepCounts counts;
  std::vector<OperationResult> operations;  ///< as in the recording
  std::vector<CaseFailure> failures;        ///< the first kMaxFailuresKept
  double seconds = 0;
  bool was_interrupted = false;
};

class PowerCutSweep {
 public:
  /// Failures that are kept with their consoles; all are counted.
  static constexpr std::size_t kMaxFailuresKept = 100;

  using MakeMachine = std::function<Result<std::unique_ptr<BootMachine>>(unsigned worker)>;
  /// @param done  operations of the recording whose cases are over
  using OnProgress = std::function<void(const SweepCounts& counts, std::size_t done)>;
  using OnFailure = std::function<void(const CaseFailure& failure)>;
  /// Of a case that was asked for: its boots.
  using OnBoots = std::function<void(const CutPath& path, const std::vector<Boot>& boots)>;

  /// @param recording, key  outlive it
  /// @param make_machine  called by each worker, on its thread
  PowerCutSweep(const Recording& recording, SweepPlan plan, MakeMachine make_machine,
                const crypto::P256Key& key)
      : recording_(recording), plan_(std::move(plan)), make_machine_(std::move(make_machine)), key_(key) {}

  // Called on the workers' threads, one at a time.
  void on_progress(OnProgress handler) { on_progress_ = std::move(handler); }
  void on_failure(OnFailure handler) { on_failure_ = std::move(handler); }
  void on_boots(OnBoots handler) { on_boots_ = std::move(handler); }

  /// @returns kEnvironment if a machine cannot be made or run; kUsage if the case asked for does not exist
  [[nodiscard]] Result<SweepResult> run();
  /// Ends run() soon; from any thread, or a signal handler.
  void stop() { is_stopped_ = true; }

 private:
  friend class SweepWorker;

  [[nodiscard]] std::optional<std::pair<std::size_t, std::size_t>> take_operations();
  /// A case, as far as its result is counted.
  struct Place {
    std::size_t operation;  ///< of the recording
    CutKind kind;
    std::size_t cuts;
    std::uint64_t state;  ///< that it is about, what binds its boots included
  };

  enum class Verdict : std::uint8_t { kToCome, kHeld, kFailed };
  /// Of one state: there are millions.
  struct Visits {
    std::uint8_t depths = 0;  ///< bit n: after n + 1 cuts
    Verdict verdict = Verdict::kToCome;
  };
  static_assert(kMaxCuts <= 8);

  /// @returns false if the state was visited before, after as many cuts
  [[nodiscard]] bool visit(const Place& place);
  void finish_case(const Place& place, CaseFailure failure);
  /// A case whose state was visited before; its verdict may be still to come, if another worker boots it.
  void repeat_case(const Place& place);
  /// A case of which something more has come out.
  void fail_case(const Place& place, CaseFailure failure);
  void tell_failure(CaseFailure failure);
  void count_case(const Place& place);
  void count_failure(const Place& place);
  void judge_repeats();
  void count_boots(std::uint64_t boots) { boots_ += boots; }
  void finish_operation();
  void give_up(const Error& error);

  const Recording& recording_;
  SweepPlan plan_;
  MakeMachine make_machine_;
  const crypto::P256Key& key_;
  OnProgress on_progress_;
  OnFailure on_failure_;
  OnBoots on_boots_;

  std::atomic<bool> is_stopped_ = false;
  std::atomic<std::size_t> next_operation_ = 0;
  std::atomic<std::uint64_t> boots_ = 0;
  std::mutex mutex_;                                   // of what follows
  std::unordered_map<std::uint64_t, Visits> visited_;  // by state
  std::vector<Place> repeats_;                         // whose state's verdict was still to come
  SweepResult result_;
  std::size_t operations_done_ = 0;
  std::optional<Error> error_;
};

}  // namespace otasim::sweep
