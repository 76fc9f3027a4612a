#include "sim/scenario/fault_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/json_members.h"
#include "sim/scenario/fault_catalog.h"
#include "sim/scenario/stage.h"

namespace otasim::scenario {

using nlohmann::json;

FaultPlan::FaultPlan(Stage& stage, report::EventLog& log,
                     std::function<void(const std::string&)> on_flash_damage)
    : stage_(stage), log_(log), on_flash_damage_(std::move(on_flash_damage)) {}

Result<void> FaultPlan::arm(const json& fault) {
  auto armed = std::make_shared<Fault>();
  armed->name = fault.begin().key();
  armed->arguments = fault.begin().value();
  armed->id = armed->arguments.value("id", "");
  armed->may_miss = armed->arguments.value("may_miss", false);
  armed->when_times = armed->arguments.value("when_times", std::int64_t{1});
  for (auto [member, pattern] : {std::pair{"when", &armed->when}, std::pair{"until", &armed->until}}) {
    if (!armed->arguments.contains(member)) continue;
    auto parsed = EventPattern::parse(armed->arguments.at(member));
    if (!parsed) return tl::unexpected(parsed.error());
    *pattern = std::move(*parsed);
  }
  faults_.push_back(armed);
  return armed->when ? Result<void>{} : trigger(armed);
}

Result<void> FaultPlan::trigger(const std::shared_ptr<Fault>& fault) {
  const auto after_ms = fault->arguments.value("after_ms", std::int64_t{0});
  if (after_ms == 0) return begin(*fault);
  fault->delay = std::make_unique<HaltTimer>(stage_.io(), stage_.lab().halt());
  fault->delay->wait(std::chrono::milliseconds(after_ms), [this, waiting = std::weak_ptr<Fault>(fault)] {
    const auto due = waiting.lock();
    if (!due || due->is_over) return;
    if (const auto begun = begin(*due); !begun) {
      problems_.push_back(begun.error().message);
      log_.emit("run", "fault_failed", {{"text", begun.error().message}});
    }
  });
  return {};
}

Result<void> FaultPlan::begin(Fault& fault) {
  fault.has_begun = true;
  log_.emit("run", "fault", {{"fault", fault.name}, {"arguments", fault.arguments}});
  auto undo = carry_out(stage_, fault.name, fault.arguments, on_flash_damage_);
  if (!undo) return tl::unexpected(undo.error());
  fault.undo = std::move(*undo);
  return {};
}

void FaultPlan::end(Fault& fault) {
  if (fault.is_over) return;
  fault.is_over = true;
  fault.delay.reset();
  if (!fault.undo) return;
  log_.emit("run", "fault_over", {{"fault", fault.name}});
  fault.undo();
  fault.undo = {};
}

Result<void> FaultPlan::clear(const std::string& id) {
  bool is_known = false;
  for (const auto& fault : faults_) {
    if (fault->id != id) continue;
    is_known = true;
    end(*fault);
  }
  if (is_known) return {};
  return fail(ExitCode::kUsage, fmt::format("there is no fault with the id '{}'", id),
              "Give the fault an 'id' when it is armed.");
}

void FaultPlan::clear_all() {
  for (const auto& fault : faults_) end(*fault);
}

std::vector<std::string> FaultPlan::missed(const std::vector<json>& events) const {
  std::vector<std::string> missed = problems_;
  for (const auto& fault : faults_) {
    if (fault->may_miss) continue;
    if (!fault->has_begun) {
      missed.push_back(fmt::format("the fault {} never began: {} did not come", fault->name,
                                   fault->when ? fault->when->text() : "its time"));
      continue;
    }
    const bool has_struck = std::ranges::any_of(events, [&fault](const json& event) {
      return text_of(event, "event") == "fault" && text_of(event, "source") != "run" &&
             text_of(event, "fault") == fault->name;
    });
    if (!has_struck && must_strike(fault->name))
      missed.push_back(fmt::format("the fault {} was armed, but struck nothing", fault->name));
  }
  return missed;
}

Result<void> FaultPlan::handle(const json& event) {
  // What is carried out emits events of its own, later; it arms no faults.
  for (const auto& fault : faults_) {
    if (fault->is_over) continue;
    if (fault->has_begun) {
      if (fault->until && fault->until->matches(event)) end(*fault);
    } else if (fault->when && !fault->delay && fault->when->matches(event) && --fault->when_times == 0) {
      if (auto begun = trigger(fault); !begun) return begun;
    }
  }
  return {};
}

}  // namespace otasim::scenario
