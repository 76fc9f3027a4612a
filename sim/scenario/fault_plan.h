// The faults of a run: when each begins and ends, and which layer carries it out.
//
//   plan.arm({{"link.loss", {{"device", "thing-1"}, {"probability", 0.03}}}});
//   plan.handle(event);        // each event of the log, in order: begins and ends what waits for it
//   plan.clear("loss");
//
// A fault begins when it is armed; or, with `when`, when an event matches (the `when_times`-th time), and
// `after_ms` later if that is given. It ends with `until`, with clear(), or with the run. Which operations it
// strikes meanwhile is its layer's matter (sim/base/strike.h); the layers report each strike to the event
// log. docs/faults.md lists all faults.
//
// A fault that was armed must strike, unless it says `may_miss`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/halt.h"
#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/report/event_log.h"
#include "sim/scenario/event_pattern.h"

namespace otasim::scenario {

class Stage;

class FaultPlan {
 public:
  /// @param on_flash_damage  hears of a device whose flash a fault changes behind the part's back
  FaultPlan(Stage& stage, report::EventLog& log,
            std::function<void(const std::string& device)> on_flash_damage);
  FaultPlan(const FaultPlan&) = delete;
  FaultPlan& operator=(const FaultPlan&) = delete;

  /// @param fault  one member, the fault's name; checked against its table
  /// @returns kUsage if it cannot be armed as asked for, kFailed if it cannot be carried out now
  [[nodiscard]] Result<void> arm(const nlohmann::json& fault);
  /// @returns kUsage if no fault has this id
  [[nodiscard]] Result<void> clear(const std::string& id);
  void clear_all();
  /// Faults that never began, could not be carried out, or struck nothing in these events, each for people: a
  /// scenario that does not do what it says proves nothing. Those with `may_miss` are left out.
  [[nodiscard]] std::vector<std::string> missed(const std::vector<nlohmann::json>& events) const;
  /// @returns why a fault that was due could not be carried out
  [[nodiscard]] Result<void> handle(const nlohmann::json& event);

 private:
  struct Fault {
    std::string name;
    nlohmann::json arguments;
    std::string id;
    std::optional<EventPattern> when;
    std::int64_t when_times = 1;
    std::optional<EventPattern> until;
    std::unique_ptr<HaltTimer> delay;
    bool has_begun = false;
    bool is_over = false;
    bool may_miss = false;
    std::function<void()> undo;  ///< ends what its layer does; empty: nothing to end
  };

  [[nodiscard]] Result<void> trigger(const std::shared_ptr<Fault>& fault);
  [[nodiscard]] Result<void> begin(Fault& fault);
  void end(Fault& fault);

  Stage& stage_;
  report::EventLog& log_;
  std::function<void(const std::string&)> on_flash_damage_;
  std::vector<std::shared_ptr<Fault>> faults_;
  std::vector<std::string> problems_;  ///< faults that were due later and could not be carried out
};

}  // namespace otasim::scenario
