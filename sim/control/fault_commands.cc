// fault.*: faults of a device's link, armed until they are cleared or the cable is taken up.
//
// Which there are and what they do: sim/link/fault.h, docs/faults.md. Here they have one measure at most: a
// share of the frames, a latency or a rate.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "sim/control/lab_commands.h"
#include "sim/link/fault.h"

namespace otasim::control {
namespace {

namespace faults = link::faults;

constexpr std::int64_t kMinRate = 1'000;
constexpr std::int64_t kMaxRate = 1'000'000'000;
/// Of faults that are armed at once on all devices.
constexpr std::size_t kMostFaults = 256;

/// What a fault is measured in: the argument of this name.
struct Measure {
  const char* name;
  std::int64_t least;
  std::int64_t most;
  std::int64_t otherwise;
};

constexpr Measure kPercent{"percent", 1, 100, 10};
constexpr Measure kLatency{"latency_ms", 0, faults::kMaxLatencyMs, 200};
constexpr Measure kRate{"bits_per_second", kMinRate, kMaxRate, 64'000};
constexpr Measure kNothing{nullptr, 0, 0, 0};

StrikePlan share(std::int64_t percent) {
  return {.probability = static_cast<double>(percent) / 100.0};
}

struct Kind {
  std::string_view name;
  Measure measure;
  link::LinkFault (*make)(std::int64_t value);
  bool is_over_at_once = false;
};

constexpr std::array<Kind, 8> kKinds{{
    {faults::Blackhole::kName, kNothing, [](std::int64_t) -> link::LinkFault { return faults::Blackhole{}; }},
    {faults::Loss::kName, kPercent,
     [](std::int64_t value) -> link::LinkFault { return faults::Loss{.strike = share(value)}; }},
    {faults::Corrupt::kName, kPercent,
     [](std::int64_t value) -> link::LinkFault { return faults::Corrupt{.strike = share(value)}; }},
    {faults::Duplicate::kName, kPercent,
     [](std::int64_t value) -> link::LinkFault { return faults::Duplicate{.strike = share(value)}; }},
    {faults::Latency::kName, kLatency,
     [](std::int64_t value) -> link::LinkFault {
       return faults::Latency{.latency_ms = static_cast<std::uint32_t>(value)};
     }},
    {faults::Rate::kName, kRate,
     [](std::int64_t value) -> link::LinkFault {
       return faults::Rate{.bits_per_second = static_cast<std::uint64_t>(value)};
     }},
    {faults::HalfOpen::kName, kNothing, [](std::int64_t) -> link::LinkFault { return faults::HalfOpen{}; }},
    {faults::Reset::kName, kNothing, [](std::int64_t) -> link::LinkFault { return faults::Reset{}; }, true},
}};

Result<Kind> find_kind(const std::string& name) {
  const auto* const found = std::ranges::find(kKinds, name, &Kind::name);
  if (found != kKinds.end()) return *found;
  std::vector<std::string_view> names;
  for (const Kind& kind : kKinds) names.push_back(kind.name);
  return fail(ExitCode::kUsage, fmt::format("'{}' is no fault of a link", name),
              fmt::format("They are {}.", fmt::join(names, ", ")));
}

class FaultCommands {
 public:
  explicit FaultCommands(lab::Fleet& fleet) : fleet_(fleet) {}

  Answer arm(Arguments& arguments, const ReplyPtr&) {
    Armed armed{.id = last_id_ + 1, .device = arguments.text("device"), .fault = arguments.text("fault")};
    const auto kind = find_kind(armed.fault);
    if (!kind) return tl::unexpected(kind.error());
    std::optional<std::int64_t> value;
    if (kind->measure.name != nullptr) value = arguments.optional_integer(kind->measure.name);
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    armed.measure = kind->measure;
    armed.value = value.value_or(kind->measure.otherwise);
    if (armed.value < kind->measure.least || armed.value > kind->measure.most) {
      return fail(ExitCode::kUsage, fmt::format("'{}' is {} to {}, not {}", kind->measure.name,
                                                kind->measure.least, kind->measure.most, armed.value));
    }
    forget_past();
    if (armed_.size() >= kMostFaults)
      return fail(ExitCode::kUsage, fmt::format("{} faults are armed already", kMostFaults),
                  "Clear some of them.");
    const auto device = fleet_.find(armed.device);
    if (!device) return tl::unexpected(device.error());
    const auto link = (*device)->link();
    if (!link) return tl::unexpected(link.error());
    const auto id = (*link)->arm(kind->make(armed.value));
    if (!id) return tl::unexpected(id.error());
    armed.link_id = *id;
    armed.cable = (*device)->cable();
    ++last_id_;
    nlohmann::json told = armed.tell();
    if (!kind->is_over_at_once) armed_.push_back(std::move(armed));
    return told;
  }

  Answer clear(Arguments& arguments, const ReplyPtr&) {
    const std::int64_t id = arguments.optional_integer("id").value_or(0);
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    forget_past();
    const auto found = std::ranges::find(armed_, id, &Armed::id);
    if (found == armed_.end())
      return fail(ExitCode::kUsage, fmt::format("no fault {} is armed", id),
                  "It was cleared before, or went with the device's cable when it was stopped.");
    const auto device = fleet_.find(found->device);
    if (!device) return tl::unexpected(device.error());
    const auto link = (*device)->link();
    if (!link) return tl::unexpected(link.error());
    (*link)->clear(found->link_id);
    nlohmann::json told = found->tell();
    armed_.erase(found);
    return told;
  }

  Answer list(Arguments& arguments, const ReplyPtr&) {
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    forget_past();
    nlohmann::json list = nlohmann::json::array();
    for (const Armed& armed : armed_) list.push_back(armed.tell());
    return list;
  }

 private:
  struct Armed {
    std::int64_t id = 0;
    std::string device;
    std::string fault;
    Measure measure = kNothing;
    std::int64_t value = 0;
    link::FaultId link_id = {};
    std::uint64_t cable = 0;

    [[nodiscard]] nlohmann::json tell() const {
      nlohmann::json told{{"id", id}, {"device", device}, {"fault", fault}};
      if (measure.name != nullptr) told[measure.name] = value;
      return told;
    }
  };

  /// A fault is its cable's: another cable has none.
  void forget_past() {
    std::erase_if(armed_, [this](const Armed& armed) {
      const auto device = fleet_.find(armed.device);
      return !device || (*device)->cable() != armed.cable;
    });
  }

  lab::Fleet& fleet_;
  std::vector<Armed> armed_;
  std::int64_t last_id_ = 0;
};

}  // namespace

void add_fault_commands(CommandTable& table, lab::Fleet& fleet) {
  const auto commands = std::make_shared<FaultCommands>(fleet);
  const auto add = [&](const char* name, Answer (FaultCommands::*command)(Arguments&, const ReplyPtr&)) {
    table.add(name, [commands, command](Arguments& arguments, const ReplyPtr& reply) {
      return (*commands.*command)(arguments, reply);
    });
  };
  add("fault.arm", &FaultCommands::arm);
  add("fault.clear", &FaultCommands::clear);
  add("fault.list", &FaultCommands::list);
}

}  // namespace otasim::control
