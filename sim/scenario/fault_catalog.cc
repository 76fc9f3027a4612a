#include "sim/scenario/fault_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "sim/scenario/stage.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

const Shape kTrigger{
    .name = "trigger",
    .doc = "A pattern of events, as a wait has it.",
    .members = {{.name = "event", .kind = Kind::kText, .doc = "Source and name", .is_required = true}},
    .is_open = true};

/// What every fault has.
std::vector<Member> common_members() {
  return {text_member("id", "Name for the step 'clear'"),
          flag_member("may_miss", "The run does not fail if it strikes nothing (default: false)"),
          text_member("device", "The device (default: the first; where it chooses messages: any)"),
          {.name = "when",
           .kind = Kind::kObject,
           .doc = "Begins with this event (default: now)",
           .shape = &kTrigger},
          integer_member("when_times", 1, 1e9, "Begins with so many of them (default: 1)"),
          integer_member("after_ms", 0, 86'400'000, "Begins so much later (default: 0)"),
          {.name = "until",
           .kind = Kind::kObject,
           .doc = "Ends with this event (default: with the run)",
           .shape = &kTrigger}};
}

std::vector<Member> strike_members() {
  return {integer_member("after", 0, 1e15, "So many operations pass first (default: 0)"),
          integer_member("times", 0, 1e15, "So many are struck at most (default: all)"),
          {.name = "probability", .kind = Kind::kNumber, .doc = "Of each (default: 1)", .min = 0, .max = 1},
          integer_member("seed", 0, 1e18, "Decides which, and where (default: 1)")};
}

/// All faults' shapes; they live as long as the program.
class Shapes {
 public:
  Shapes() {
    for (const FaultKind& kind : fault_catalog()) {
      std::vector<Member> members = common_members();
      if (!kind.counted.empty()) append(members, strike_members());
      append(members, kind.members);
      shapes_.push_back({.name = kind.name, .doc = kind.doc, .members = std::move(members)});
      fault_.members.push_back(
          {.name = kind.name, .kind = Kind::kObject, .doc = kind.doc, .shape = &shapes_.back()});
    }
  }
  [[nodiscard]] const Shape& fault() const { return fault_; }

 private:
  static void append(std::vector<Member>& to, const std::vector<Member>& members) {
    to.insert(to.end(), members.begin(), members.end());
  }

  std::deque<Shape> shapes_;
  Shape fault_{.name = "fault",
               .doc = "Arms a fault; its one member is the fault's name.",
               .members = {},
               .is_choice = true};
};

}  // namespace

std::string FaultArguments::device() const {
  return members_.value("device", stage_.device_names().front());
}

StrikePlan FaultArguments::strike() const {
  StrikePlan plan;
  plan.after = members_.value("after", plan.after);
  plan.times = members_.value("times", plan.times);
  plan.probability = members_.value("probability", plan.probability);
  plan.seed = members_.value("seed", plan.seed);
  return plan;
}

const std::vector<FaultKind>& fault_catalog() {
  static const std::vector<FaultKind> kAll = [] {
    std::vector<FaultKind> all;
    for (const auto& part : {link_faults(), broker_faults(), cloud_faults(), device_faults()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return kAll;
}

const Shape& fault_shape() {
  static const Shapes kShapes;
  return kShapes.fault();
}

bool must_strike(const std::string& fault) {
  const auto& all = fault_catalog();
  const auto kind = std::ranges::find(all, fault, &FaultKind::name);
  return kind == all.end() || !kind->may_strike_nothing;
}

Result<Undo> carry_out(Stage& stage, const std::string& fault, const json& arguments,
                       const std::function<void(const std::string&)>& on_flash_damage) {
  const auto& all = fault_catalog();
  const auto kind = std::ranges::find(all, fault, &FaultKind::name);
  if (kind == all.end())
    return fail(ExitCode::kInternal, fmt::format("nobody carries out the fault '{}'", fault));
  const FaultArguments read(arguments, stage);
  if (kind->damages_flash) on_flash_damage(read.device());
  auto begun = kind->begin(stage, read);
  if (!begun) begun.error().message = fmt::format("the fault '{}': {}", fault, begun.error().message);
  return begun;
}

Member integer_member(std::string_view name, double min, double max, std::string_view doc) {
  return {.name = name, .kind = Kind::kInteger, .doc = doc, .min = min, .max = max};
}
Member text_member(std::string_view name, std::string_view doc) {
  return {.name = name, .kind = Kind::kText, .doc = doc};
}
Member choice_member(std::string_view name, std::vector<std::string_view> values, std::string_view doc) {
  return {.name = name, .kind = Kind::kText, .doc = doc, .values = std::move(values)};
}
Member flag_member(std::string_view name, std::string_view doc) {
  return {.name = name, .kind = Kind::kFlag, .doc = doc};
}

}  // namespace otasim::scenario
