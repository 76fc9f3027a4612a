#include "sim/report/cast/narration.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/json_members.h"
#include "sim/report/reasons.h"

namespace otasim::report::cast {
namespace {

using nlohmann::json;

Told sentence(std::string caption, Ink ink, std::string marker = {}) {
  return {
      .caption = std::move(caption), .ink = ink, .dwell_s = kSentenceSeconds, .marker = std::move(marker)};
}

/// Of a run with several devices, whose it is.
std::string who(const json& event) {
  const std::string name = text_of(event, "device");
  return name.empty() ? "The device" : name;
}

Told tell_run(const json& event, const std::string& kind) {
  if (kind == "do") {
    const json& arguments = object_of(event, "arguments");
    const std::string id = text_of(arguments, "id");
    const std::string name = text_of(event, "step") + (id.empty() ? "" : ' ' + id);
    return sentence(fmt::format("The scenario's next step: {}.", name), Ink::kText, name);
  }
  if (kind == "step") return sentence(text_of(event, "text") + '.', Ink::kText);
  if (kind == "fault") {
    return sentence(fmt::format("A fault is armed: {}.", text_of(event, "fault")), Ink::kFault,
                    "fault armed: " + text_of(event, "fault"));
  }
  if (kind == "fault_over")
    return sentence(fmt::format("The fault {} is over.", text_of(event, "fault")), Ink::kText);
  if (kind == "failed" || kind == "verdict" || kind == "fault_failed")
    return sentence(text_of(event, "text"), Ink::kBad, kind);
  if (kind != "clean_boot") return {};
  const auto number = integer_member(event, "number").value_or(1);
  return sentence(fmt::format("The steps are done. Check {}: what does {} start on its own?", number,
                              text_of(event, "device")),
                  Ink::kAccent, fmt::format("clean boot {}", number));
}

Told tell_power(const json& event, const std::string& kind) {
  if (kind == "power_on")
    return sentence(fmt::format("{} is switched on. The boot ROM starts.", who(event)), Ink::kBoot,
                    "power on");
  if (kind == "power_off")
    return sentence(fmt::format("{} is without power.", who(event)), Ink::kText, "power off");
  if (kind == "exit")
    return sentence(fmt::format("{} went off: {}.", who(event), text_of(event, "message")), Ink::kBad,
                    "exit");
  if (kind != "reset") return {};
  const std::string cause = text_of(event, "cause");
  if (cause == "watchdog")
    return sentence(fmt::format("{} hangs, and its watchdog resets it.", who(event)), Ink::kFault,
                    "watchdog reset");
  return sentence(fmt::format("{} restarts ({} reset).", who(event), cause), Ink::kBoot, "reset");
}

Told tell_start(const json& event) {
  const std::string slot = text_of(event, "slot");
  const std::string version = text_of(event, "version");
  const std::string state = text_of(event, "state");
  if (state == "trial") {
    return sentence(fmt::format("Slot {} starts {} on trial: it proves itself, or the old image comes back.",
                                slot, version),
                    Ink::kAccent, fmt::format("{} on trial", version));
  }
  return sentence(fmt::format("Slot {} starts {}, the {} image.", slot, version, state), Ink::kGood,
                  fmt::format("{} starts", version));
}

Told tell_boot(const json& event, const std::string& kind) {
  const std::string slot = text_of(event, "slot");
  const std::string result = text_of(event, "result");
  if (kind == "start") return tell_start(event);
  if (kind == "verify" && result == "ok")
    return sentence(fmt::format("The bootloader verifies slot {}: {} is signed, whole and not too old.", slot,
                                text_of(event, "version")),
                    Ink::kBoot);
  if (kind == "verify")
    return sentence(fmt::format("The bootloader refuses slot {}: {}.", slot, result), Ink::kBad,
                    fmt::format("slot {} refused", slot));
  if (kind == "commit")
    return sentence(
        fmt::format("The bootloader commits slot {}: there is no way back to an older image.", slot),
        Ink::kGood, fmt::format("slot {} committed", slot));
  if (kind == "reject")
    return sentence(fmt::format("The bootloader rejects slot {}: back to the image before.", slot), Ink::kBad,
                    fmt::format("slot {} rejected", slot));
  if (kind == "halt" || kind == "failure" || kind == "refused")
    return sentence(fmt::format("The bootloader says {}.", kind), Ink::kBad, kind);
  return {};
}

Told tell_execution(const json& event) {
  const std::string job = text_of(event, "job");
  const std::string status = text_of(event, "status");
  const json& details = object_of(event, "details");
  const std::string reason = text_of(details, "reason");
  const std::string marker = fmt::format("{} {}", job, status);
  if (status == "QUEUED")
    return sentence(fmt::format("The cloud has a job for {}: {}.", text_of(event, "thing"), job), Ink::kCloud,
                    marker);
  if (status == "SUCCEEDED")
    return sentence(fmt::format("The job has succeeded: {}.", reason), Ink::kGood, marker);
  if (status == "IN_PROGRESS") {
    const std::string test = text_of(details, "self_test");
    if (test == "ready")
      return sentence("Every block is there and the signature holds: ready for the self test.", Ink::kCloud,
                      "image received");
    if (test == "active")
      return sentence("The new image has reached the cloud, and tests itself.", Ink::kCloud, "self test");
    if (text_of(details, "receive").empty()) return {.dwell_s = kLineSeconds};
    return sentence("The image comes in blocks and goes to the slot that is not in use.", Ink::kCloud);
  }
  const std::string words = explain_reason(reason);
  return sentence(fmt::format("The job is {}: {}", status, words.empty() ? reason : words), Ink::kBad,
                  marker);
}

Told tell_fault(const json& event) {
  const std::string fault = text_of(event, "fault");
  return sentence(fmt::format("The fault strikes: {}.", fault), Ink::kFault, fault);
}

Told tell_broker(const json& event, const std::string& kind) {
  const std::string client = text_of(event, "clientId");
  if (kind == "client_connected")
    return sentence(fmt::format("{} is connected: MQTT over TLS, with its own certificate.", client),
                    Ink::kAccent);
  if (kind == "client_disconnected") return {.dwell_s = kLineSeconds};
  if (kind == "client_refused" || kind == "client_denied")
    return sentence(fmt::format("The broker refuses {}.", client), Ink::kBad);
  return {};
}

}  // namespace

Told tell(const json& event) {
  const std::string source = text_of(event, "source");
  const std::string kind = text_of(event, "event");
  if (source == "uart") return {.dwell_s = kLineSeconds};
  if (kind == "fault" && source != "run") return tell_fault(event);
  if (source == "run") return tell_run(event, kind);
  if (source == "device") return tell_power(event, kind);
  if (source == "boot") return tell_boot(event, kind);
  if (source == "broker") return tell_broker(event, kind);
  if (kind == "job_execution") return tell_execution(event);
  if (kind == "update_refused")
    return sentence(fmt::format("The cloud refuses the update: {}.", text_of(event, "message")), Ink::kBad,
                    "update refused");
  if (source == "link" && kind == "dhcp_ack")
    return sentence(fmt::format("{} has the address {}.", who(event), text_of(event, "address")), Ink::kText);
  return {};
}

}  // namespace otasim::report::cast
