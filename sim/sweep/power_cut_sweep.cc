#include "sim/sweep/power_cut_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "pal_sim/flash/splitmix64.h"
#include "sim/sweep/boot_oracle.h"

namespace otasim::sweep {
namespace {

/// Operations that a worker takes at a time.
constexpr std::size_t kChunk = 8;
constexpr const char* kRomViolation = "S6: one of the last boots has written the boot ROM";

std::uint64_t mixed(std::uint64_t value) {
  return flash::splitmix64(value);
}

std::uint64_t print_of(const Digest& digest) {
  std::uint64_t print = 0;
  for (const std::uint8_t byte : digest) print = mixed(print ^ byte);
  return print;
}

/// Of all that decides a case's verdict beside flash.
std::uint64_t print_of(const BootOracle::Case& known) {
  std::uint64_t print = known.highest_committed;
  for (const auto& digest : known.may_be_approved) print = mixed(print ^ (digest ? print_of(*digest) : 1));
  for (const auto& digest : known.may_not_be_tried) print = mixed(print ^ print_of(digest) ^ 2);
  return print;
}

/// An erase wears a sector out, whatever it held before.
bool erases(const Boot& boot) {
  return std::ranges::any_of(boot.operations, [](const flash::LoggedOperation& operation) {
    return flash::is_erase(operation.kind) && cell_bytes(operation) != 0;
  });
}

}  // namespace

/// One worker: its machine, its flash, and the case under way.
class SweepWorker {
 public:
  SweepWorker(PowerCutSweep& sweep, BootMachine& machine)
      : sweep_(sweep),
        machine_(machine),
        operations_(sweep.recording_.history.operations()),
        state_(sweep.recording_.history.before(), sweep.recording_.history.part()),
        oracle_(sweep.key_, sweep.recording_.history.part()) {}

  void run() {
    while (const auto chunk = sweep_.take_operations()) {
      for (std::size_t i = chunk->first; i < chunk->second && !sweep_.is_stopped_; ++i) {
        cut_operation(i);
        sweep_.finish_operation();
      }
    }
    look_back();
  }

 private:
  /// What the machine has not looked at since its last boots is shown as the last case's.
  void look_back() {
    if (!last_place_) return;
    const auto has_written_rom = machine_.has_written_rom();
    if (!has_written_rom) return sweep_.give_up(has_written_rom.error());
    if (*has_written_rom) sweep_.fail_case(*last_place_, {.path = last_path_, .violations = {kRomViolation}});
  }

  /// The boots of a case so far, each with the way back to where it began.
  struct Course {
    std::vector<Boot> boots;
    std::vector<FlashState::Mark> starts;
    std::vector<BootOracle::Case> known;
    bool is_at_rest = false;
  };

  [[nodiscard]] bool is_asked_for(const CutPath& path) const {
    const auto& only = sweep_.plan_.only;
    return !only || (path.size() <= only->size() && std::equal(path.begin(), path.end(), only->begin()));
  }
  [[nodiscard]] bool is_the_one(const CutPath& path) const {
    return sweep_.plan_.only && path == *sweep_.plan_.only;
  }

  void cut_operation(std::size_t index) {
    for (; position_ < index; ++position_) state_.apply(operations_[position_]);
    state_.forget_changes();
    const flash::LoggedOperation& operation = operations_[index];
    const auto tears = tears_of(operation, sweep_.plan_.granularity);
    if (tears.empty()) return;
    const Standing before = oracle_.standing(state_.window());
    const auto start = state_.mark();
    state_.apply(operation);
    const Standing after = oracle_.standing(state_.window());
    state_.roll_back(start);
    oracle_.begin(before, after);
    first_operation_ = index;
    const BootOracle::Case known = oracle_.known();  // a copy: the oracle goes on
    cut({}, {.operation = index}, operation, tears, known);
    judge_recorded(index, before, after);
  }

  /// The recorded device's own doing: whatever power does, an approved image must stay.
  void judge_recorded(std::size_t index, const Standing& before, const Standing& after) {
    if (before.may_be_approved.contains(std::nullopt) || !after.may_be_approved.contains(std::nullopt))
      return;
    const CutPath path{{.operation = index, .tear = {cell_bytes(operations_[index]), 0}}};
    if (!is_asked_for(path)) return;
    const std::uint64_t state = mixed(mixed(index) ^ state_.fingerprint());
    sweep_.finish_case({.operation = index, .kind = CutKind::kAfter, .cuts = 1, .state = state},
                       {.path = path, .violations = {"S1: after this operation no image is approved"}});
  }

  /// All cuts of one operation, which is the next one in `state_`.
  void cut(const CutPath& earlier, Cut cut, const flash::LoggedOperation& operation,
           const std::vector<FlashState::Tear>& tears, const BootOracle::Case& known) {
    for (const FlashState::Tear& tear : tears) {
      if (sweep_.is_stopped_) return;
      const auto start = state_.mark();
      state_.tear(operation, tear);
      cut.tear = tear;
      const unsigned draws = state_.cells().marginal.empty() ? 1 : draws_of(operation);
      for (cut.draw = 0; cut.draw < draws && !sweep_.is_stopped_; ++cut.draw) {
        CutPath path = earlier;
        path.push_back(cut);
        if (is_asked_for(path)) play(path, kind_of(tear, cell_bytes(operation)), known);
      }
      cut.draw = 0;
      state_.roll_back(start);
    }
  }

  /// One case, and those that branch off from it. `state_` is flash as the cut has left it.
  void play(const CutPath& path, CutKind kind, const BootOracle::Case& known) {
    // Equal states draw equal bits, whichever path has led there.
    const std::uint64_t state = mixed(state_.fingerprint() + path.back().draw);
    const std::uint64_t seed = mixed(state ^ sweep_.plan_.seed);
    const PowerCutSweep::Place place{
        .operation = first_operation_, .kind = kind, .cuts = path.size(), .state = state ^ print_of(known)};
    const bool is_new = sweep_.visit(place);
    if (!is_new && !sweep_.plan_.only) return sweep_.repeat_case(place);
    const auto start = state_.mark();
    state_.forget_power_ons();
    oracle_.resume(known);
    Course course;
    CaseFailure failure{.path = path};
    const Result<void> booted = boot_until_rest(seed, course);
    if (!booted && booted.error().code != ExitCode::kFailed) return sweep_.give_up(booted.error());
    if (booted) oracle_.end(state_.window(), course.is_at_rest);
    failure.violations = oracle_.violations();
    if (!booted) failure.violations.push_back("S1: " + booted.error().message);
    last_place_ = place;
    last_path_ = path;
    for (const Boot& boot : course.boots) failure.consoles.push_back(boot.lines);
    if (is_the_one(path) && sweep_.on_boots_) sweep_.on_boots_(path, course.boots);
    sweep_.finish_case(place, std::move(failure));
    if (path.size() < sweep_.plan_.cuts) branch_off(path, course);
    state_.roll_back(start);
  }

  /// @returns what the machine says of a boot that came to no end; kEnvironment if it cannot go on at all
  Result<void> boot_until_rest(std::uint64_t seed, Course& course) {
    std::size_t limit = kMaxBoots;
    while (course.boots.size() < limit && !course.is_at_rest) {
      flash::CellState cells = state_.cells();
      const std::size_t marginal = cells.marginal.size();
      state_.power_on(seed);
      course.starts.push_back(state_.mark());
      course.known.push_back(oracle_.known());
      state_.copy_to(machine_.window());
      const std::uint64_t before = state_.fingerprint();
      Result<Boot> boot = machine_.boot(cells, seed);
      sweep_.count_boots(1);
      if (!boot) {
        state_.distrust_machine();
        return tl::unexpected(boot.error());
      }
      oracle_.judge(*boot, state_.window(), machine_.window());
      state_.take_over(boot->operations, machine_.window(), std::move(cells));
      // A marginal bit may read well for long and then be repaired: that is progress, and gets a boot more.
      if (state_.cells().marginal.size() < marginal) limit = std::min(limit + 1, kMaxBootsOfMarginalBits);
      // A burn may be done again to be sure of it, as that of the recovery image's counter is at each boot:
      // if it changes no cell, flash is at rest. Marginal bits may read differently at the next power-on, so
      // one boot more asks them again.
      const bool is_unchanged = !erases(*boot) && state_.fingerprint() == before;
      course.is_at_rest = is_unchanged && (state_.cells().marginal.empty() || !course.boots.empty());
      boot->loaded = {};
      course.boots.push_back(std::move(*boot));
    }
    return {};
  }

  /// Cuts the operations of the case's boots, the last boot's first: each needs flash as its boot began.
  void branch_off(const CutPath& path, const Course& course) {
    for (std::size_t i = course.boots.size(); i-- > 0;) {
      state_.roll_back(course.starts[i]);
      const auto& operations = course.boots[i].operations;
      for (std::size_t n = 0; n < operations.size() && !sweep_.is_stopped_; ++n) {
        cut(path, {.boot = static_cast<unsigned>(i + 1), .operation = n}, operations[n],
            tears_of(operations[n], sweep_.plan_.granularity), course.known[i]);
        state_.apply(operations[n]);
      }
      state_.roll_back(course.starts[i]);
    }
  }

  PowerCutSweep& sweep_;
  BootMachine& machine_;
  std::span<const flash::LoggedOperation> operations_;
  FlashState state_;
  BootOracle oracle_;
  std::size_t position_ = 0;         ///< operations of the recording that `state_` has behind it
  std::size_t first_operation_ = 0;  ///< of the case under way
  std::optional<PowerCutSweep::Place> last_place_;
  CutPath last_path_;
};

Result<SweepResult> PowerCutSweep::run() {
  const auto start = std::chrono::steady_clock::now();
  const std::size_t count = recording_.history.operations().size();
  if (plan_.only && plan_.only->front().operation >= count) {
    return fail(ExitCode::kUsage, fmt::format("there is no operation {} to cut: the recording has {}",
                                              plan_.only->front().operation, count));
  }
  result_.operations.resize(count);
  if (plan_.only) plan_.cuts = static_cast<unsigned>(plan_.only->size());
  const unsigned jobs = plan_.only ? 1 : std::max(1U, plan_.jobs);
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < jobs; ++i) {
    workers.emplace_back([this, i] {
      auto machine = make_machine_(i);
      if (!machine) return give_up(machine.error());
      SweepWorker(*this, **machine).run();
    });
  }
  for (std::thread& worker : workers) worker.join();
  if (error_) return tl::unexpected(*error_);
  judge_repeats();
  result_.counts.boots = boots_;
  result_.was_interrupted = is_stopped_;
  result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  // It is the last of those that lead to it.
  if (plan_.only && result_.counts.cases < plan_.only->size() && !is_stopped_) {
    return fail(ExitCode::kUsage,
                fmt::format("there is no case {} in this recording", to_string(*plan_.only)),
                "A case is named as the sweep names it, with the granularity that it was found with.");
  }
  return std::move(result_);
}

std::optional<std::pair<std::size_t, std::size_t>> PowerCutSweep::take_operations() {
  if (is_stopped_) return std::nullopt;
  const std::size_t count = recording_.history.operations().size();
  if (plan_.only) {
    const std::size_t asked = plan_.only->front().operation;
    return next_operation_.exchange(count) < count ? std::optional(std::pair(asked, asked + 1))
                                                   : std::nullopt;
  }
  const std::size_t first = next_operation_.fetch_add(kChunk);
  if (first >= count) return std::nullopt;
  return std::pair(first, std::min(first + kChunk, count));
}

bool PowerCutSweep::visit(const Place& place) {
  const std::scoped_lock lock(mutex_);
  std::uint8_t& depths = visited_[place.state].depths;
  if (depths == 0) ++result_.counts.distinct_states;
  const auto depth = static_cast<std::uint8_t>(1U << (place.cuts - 1));
  const bool is_new = (depths & depth) == 0;
  depths = static_cast<std::uint8_t>(depths | depth);
  return is_new;
}

void PowerCutSweep::count_case(const Place& place) {
  OperationResult& result = result_.operations[place.operation];
  ++result_.counts.cases;
  ++(place.cuts == 1 ? result.cases[static_cast<std::size_t>(place.kind)] : result.later_cases);
}

void PowerCutSweep::repeat_case(const Place& place) {
  const std::scoped_lock lock(mutex_);
  count_case(place);
  const Verdict verdict = visited_[place.state].verdict;
  if (verdict == Verdict::kFailed) count_failure(place);
  if (verdict == Verdict::kToCome) repeats_.push_back(place);
}

void PowerCutSweep::finish_case(const Place& place, CaseFailure failure) {
  const std::scoped_lock lock(mutex_);
  count_case(place);
  Verdict& verdict = visited_[place.state].verdict;
  if (failure.violations.empty()) {
    if (verdict == Verdict::kToCome) verdict = Verdict::kHeld;
    return;
  }
  verdict = Verdict::kFailed;
  count_failure(place);
  tell_failure(std::move(failure));
}

void PowerCutSweep::fail_case(const Place& place, CaseFailure failure) {
  const std::scoped_lock lock(mutex_);
  Verdict& verdict = visited_[place.state].verdict;
  if (verdict != Verdict::kFailed) count_failure(place);
  verdict = Verdict::kFailed;
  tell_failure(std::move(failure));
}

void PowerCutSweep::tell_failure(CaseFailure failure) {
  if (on_failure_) on_failure_(failure);
  if (result_.failures.size() < kMaxFailuresKept) result_.failures.push_back(std::move(failure));
}

void PowerCutSweep::count_failure(const Place& place) {
  OperationResult& result = result_.operations[place.operation];
  ++result_.counts.failures;
  ++(place.cuts == 1 ? result.failures[static_cast<std::size_t>(place.kind)] : result.later_failures);
}

/// A state's verdict is that of all cases that lead to it.
void PowerCutSweep::judge_repeats() {
  for (const Place& place : repeats_) {
    if (visited_[place.state].verdict == Verdict::kFailed) count_failure(place);
  }
  repeats_.clear();
}

void PowerCutSweep::finish_operation() {
  const std::scoped_lock lock(mutex_);
  ++operations_done_;
  result_.counts.boots = boots_;
  if (on_progress_) on_progress_(result_.counts, operations_done_);
}

void PowerCutSweep::give_up(const Error& error) {
  is_stopped_ = true;
  const std::scoped_lock lock(mutex_);
  if (!error_) error_ = error;
}

}  // namespace otasim::sweep
