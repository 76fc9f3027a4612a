#include "sim/scenario/fault_vocabulary.h"

#include <deque>
#include <string>

namespace otasim::scenario {
namespace {

const Shape kPattern{
    .name = "trigger",
    .doc = "A pattern of events, as a wait has it.",
    .members = {{.name = "event", .kind = Kind::kText, .doc = "Source and name", .is_required = true}},
    .is_open = true};

/// What every fault has.
std::vector<Member> common_members() {
  return {{.name = "id", .kind = Kind::kText, .doc = "For the step 'clear'"},
          {.name = "device", .kind = Kind::kText, .doc = "The device (default: the first)"},
          {.name = "when",
           .kind = Kind::kObject,
           .doc = "Begins with this event (default: now)",
           .shape = &kPattern},
          {.name = "when_times",
           .kind = Kind::kInteger,
           .doc = "Begins with so many of them (default: 1)",
           .min = 1,
           .max = 1e9},
          {.name = "after_ms",
           .kind = Kind::kInteger,
           .doc = "Begins so much later (default: 0)",
           .min = 0,
           .max = 86'400'000},
          {.name = "until",
           .kind = Kind::kObject,
           .doc = "Ends with this event (default: with the run)",
           .shape = &kPattern}};
}

/// All faults' shapes; they live as long as the program.
class Vocabulary {
 public:
  Vocabulary() {
    add("device.power_cut", "The power is cut now; the step 'power' switches it on again.", {});
    add("device.reset", "The reset line is pulled.", {});
  }
  [[nodiscard]] const Shape& fault() const { return fault_; }

 private:
  void add(std::string_view name, std::string_view doc, std::vector<Member> members) {
    std::vector<Member> all = common_members();
    all.insert(all.end(), members.begin(), members.end());
    shapes_.push_back({.name = name, .doc = doc, .members = std::move(all)});
    fault_.members.push_back({.name = name, .kind = Kind::kObject, .doc = doc, .shape = &shapes_.back()});
  }

  std::deque<Shape> shapes_;
  Shape fault_{.name = "fault",
               .doc = "Arms a fault; its one member is the fault's name.",
               .members = {},
               .is_choice = true};
};

}  // namespace

const Shape& fault_shape() {
  static const Vocabulary kVocabulary;
  return kVocabulary.fault();
}

}  // namespace otasim::scenario
