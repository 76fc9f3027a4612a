#include "sim/scenario/judge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>
#include <set>

#include "sim/base/json_members.h"
#include "sim/image/version.h"
#include "sim/scenario/event_pattern.h"
#include "sim/scenario/run_figures.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;

/// "0x000000e3: 0x0000000a", main status of the PAL (AWS: ota_pal, 0xe0 to 0xff) and sub-status; or both in
/// one word, if the image was rejected when it was to be activated: "rejected: 0xec00000f".
bool is_pal_reason(const std::string& reason) {
  static const std::regex kReason("0x000000[ef][0-9a-f]: 0x[0-9a-f]{8}|rejected: 0x[ef][0-9a-f]{7}");
  return std::regex_match(reason, kReason);
}

class Judge {
 public:
  Judge(const Scenario& scenario, const Evidence& evidence) : scenario_(scenario), evidence_(evidence) {}

  std::vector<std::string> run() {
    const json& expect = scenario_.expect;
    for (const json& job : expect.value("jobs", json::array())) judge_job(job);
    for (const json& device : expect.value("devices", json::array())) judge_device(device);
    judge_trace(expect.value("trace", json::array()));
    for (const json& pattern : expect.value("never", json::array())) judge_never(pattern);
    if (expect.contains("refused_by")) judge_refusal(expect.at("refused_by"));
    return std::move(failures_);
  }

 private:
  template <typename... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) {
    failures_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  [[nodiscard]] std::string device_of(const json& item) const {
    return item.value("device", evidence_.devices.front().name);
  }

  void judge_job(const json& wanted) {
    const std::string job = wanted.at("job");
    const std::string device = device_of(wanted);
    const json executions = evidence_.executions();
    const auto found = std::ranges::find_if(executions, [&](const json& execution) {
      return execution.at("job") == job && execution.at("device") == device;
    });
    if (found == executions.end()) return complain("{} has no execution of the job {}", device, job);
    if (found->at("status") != wanted.at("status")) {
      return complain("the job {} of {} is {} ({}), expected {}", job, device, text_of(*found, "status"),
                      text_of(*found, "reason"), text_of(wanted, "status"));
    }
    if (wanted.contains("reason") && !value_matches(found->at("reason"), wanted.at("reason"))) {
      complain("the job {} of {} has the reason '{}', expected {}", job, device, text_of(*found, "reason"),
               wanted.at("reason").dump());
    }
  }

  void judge_device(const json& wanted) {
    const std::string name = device_of(wanted);
    const DeviceEvidence& device = evidence_.device(name);
    const auto next = starts_next(device.flash_at_end, *evidence_.boot_key);
    const auto standing = next ? next->standing : "none";
    if (wanted.contains("standing") && wanted.at("standing") != standing) {
      complain("the flash of {} says that the image which starts next is '{}', expected '{}'", name, standing,
               text_of(wanted, "standing"));
    }
    const std::string running = running_version(evidence_.step_events(), name);
    if (wanted.contains("running") && running != text_of(wanted, "running")) {
      complain("{} runs {}, expected {}", name, running, text_of(wanted, "running"));
    }
    if (wanted.contains("slot") && (!next || slot_letter(next->slot) != text_of(wanted, "slot"))) {
      complain("{} starts next from slot {}, expected {}", name, next ? slot_letter(next->slot) : "none",
               text_of(wanted, "slot"));
    }
    if (!wanted.contains("image")) return;
    const Bytes& image = evidence_.images->at(text_of(wanted, "image"));
    if (!next || !slot_holds(device.flash_at_end, next->slot, image)) {
      complain("the flash of {} does not approve the image '{}', but {}", name, text_of(wanted, "image"),
               next ? image::to_string(next->info.version) + " in slot " + slot_letter(next->slot) : "none");
    }
  }

  void judge_trace(const json& trace) {
    const std::span<const json> events = evidence_.step_events();
    std::size_t at = 0;
    for (std::size_t i = 0; i < trace.size(); ++i) {
      const auto pattern = EventPattern::parse(trace[i]);
      while (at < events.size() && !pattern->matches(events[at])) ++at;
      if (at == events.size()) {
        return complain("the trace ends before its event {} of {}: {}", i + 1, trace.size(), pattern->text());
      }
      ++at;
    }
  }

  void judge_never(const json& wanted) {
    const auto pattern = EventPattern::parse(wanted);
    for (const json& event : evidence_.step_events()) {
      if (!pattern->matches(event)) continue;
      return complain("this was never to happen: {}", event.dump());
    }
  }

  void judge_refusal(const json& wanted) {
    const auto names = wanted.get<std::vector<std::string>>();
    const std::set<std::string> expected(names.begin(), names.end());
    const std::vector<std::string> found = who_refused(evidence_.step_events());
    const std::set<std::string> actual(found.begin(), found.end());
    if (actual != expected) {
      complain("refused by: {}; expected: {}",
               actual.empty() ? "nobody" : fmt::format("{}", fmt::join(actual, ", ")),
               expected.empty() ? "nobody" : fmt::format("{}", fmt::join(expected, ", ")));
    }
  }

  const Scenario& scenario_;
  const Evidence& evidence_;
  std::vector<std::string> failures_;
};

}  // namespace

std::vector<std::string> who_refused(std::span<const json> events) {
  std::set<std::string> who;
  for (const json& event : events) {
    const std::string name = text_of(event, "source") + '.' + text_of(event, "event");
    if (name == "cloud.job_execution") {
      const std::string status = text_of(event, "status");
      if (status != "FAILED" && status != "REJECTED") continue;
      const std::string reason = text_of(object_of(event, "details"), "reason");
      who.insert(is_pal_reason(reason) ? "pal" : "agent");
    } else if (name == "boot.reject" || name == "boot.refused" ||
               (name == "boot.verify" && text_of(event, "result") != "ok")) {
      who.insert("bootloader");
    } else if (name == "cloud.update_refused" ||
               (name == "cloud.mqtt_request" && text_of(event, "result") != "accepted" &&
                text_of(event, "result") != "silent")) {
      who.insert("cloud");
    } else if (name == "uart.line" && text_of(event, "text").find("certificate") != std::string::npos &&
               text_of(event, "text").starts_with("app: ")) {
      who.insert("tls");
    }
  }
  return {who.begin(), who.end()};
}

std::vector<std::string> judge(const Scenario& scenario, const Evidence& evidence) {
  return Judge(scenario, evidence).run();
}

}  // namespace otasim::scenario
