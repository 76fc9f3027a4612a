#include "sim/report/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/json_members.h"
#include "sim/base/json_nesting.h"
#include "sim/report/event_text.h"

namespace otasim::report {
namespace {

using nlohmann::json;

/// Different ones; more are nobody's to read.
constexpr std::size_t kMaxFindings = 100;

/// An event of the bootloader as it stood on the console.
std::string boot_line(const json& event) {
  static const std::set<std::string> kOwn{"t_us",   "n",           "source",  "event",
                                          "device", "log_version", "epoch_us"};
  std::string line = "boot: " + text_of(event, "event");
  for (const auto& [key, value] : event.items()) {
    if (kOwn.contains(key)) continue;
    line += fmt::format(" {}={}", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return line;
}

std::optional<std::string> of_boot(const json& event, const std::string& kind) {
  const bool is_bad = kind == "reject" || kind == "halt" || kind == "refused" || kind == "failure" ||
                      (kind == "reset" && text_of(event, "reason") == "watchdog") ||
                      ((kind == "verify" || kind == "commit") && text_of(event, "result") != "ok");
  if (!is_bad) return std::nullopt;
  return boot_line(event);
}

std::optional<std::string> of_cloud(const json& event, const std::string& kind) {
  if (kind == "update_refused")
    return fmt::format("the update {} is refused: {}: {}", text_of(event, "update"), text_of(event, "error"),
                       text_of(event, "message"));
  if (kind == "mqtt_request" || kind == "stream_request") {
    const std::string result = text_of(event, "result");
    if (result == "accepted" || result == "silent" || result == "ok" || result.empty()) return std::nullopt;
    return fmt::format("the cloud refuses a request of {}: {}", text_of(event, "client"), result);
  }
  if (kind == "object_request" && !text_of(event, "error").empty())
    return fmt::format("an object request ends with {}", text_of(event, "error"));
  if (kind != "job_execution") return std::nullopt;
  static const std::set<std::string> kBad{"FAILED", "REJECTED", "TIMED_OUT", "CANCELED", "REMOVED"};
  const std::string status = text_of(event, "status");
  if (!kBad.contains(status)) return std::nullopt;
  const std::string reason = text_of(object_of(event, "details"), "reason");
  return fmt::format("the job {} is {}{}", text_of(event, "job"), status,
                     reason.empty() ? "" : fmt::format(" ({})", reason));
}

std::optional<std::string> of_broker(const json& event, const std::string& kind) {
  if (kind == "client_refused" || kind == "client_denied")
    return fmt::format("{} of {}: {}", kind == "client_refused" ? "refused connection" : "denied action",
                       text_of(event, "clientId"),
                       text_of(event, kind == "client_refused" ? "message" : "topic"));
  if (kind != "client_disconnected") return std::nullopt;
  const std::string reason = text_of(event, "disconnectReason");
  if (reason.empty() || reason == "CLIENT_INITIATED_DISCONNECT") return std::nullopt;
  return fmt::format("{} disconnected: {}", text_of(event, "clientId"), reason);
}

/// Complaints of agent and application, as far as they are known.
std::optional<std::string> of_console(const json& event) {
  const std::string text = text_of(event, "text");
  if (!text.starts_with("agent: ") && !text.starts_with("app: ")) return std::nullopt;
  for (const Explained& one : explain(text)) {
    const std::string_view topic = one.topic->name;
    if (topic == "console" || topic == "agent-note" || topic == "device-stop" || topic == "self-test" ||
        topic == "connection" || topic == "download" || topic == "time") {
      return text;
    }
  }
  return std::nullopt;
}

std::optional<std::string> what_is_found(const json& event) {
  const std::string source = text_of(event, "source");
  const std::string kind = text_of(event, "event");
  if (kind == "fault" && source != "run") return fmt::format("the fault {} strikes", text_of(event, "fault"));
  if (source == "boot") return of_boot(event, kind);
  if (source == "cloud") return of_cloud(event, kind);
  if (source == "broker") return of_broker(event, kind);
  if (source == "uart" && kind == "line") return of_console(event);
  if (source == "device" && kind == "exit") return "went off by itself: " + text_of(event, "message");
  if (source != "run") return std::nullopt;
  if (kind == "failed" || kind == "fault_failed") return text_of(event, "text");
  if (kind == "fault") return fmt::format("the fault {} begins", text_of(event, "fault"));
  return std::nullopt;
}

std::vector<Explained> words_of(const std::string& what) {
  // A status is known by its name alone; the sentence around it is ours.
  std::vector<Explained> words = explain(what);
  if (!words.empty()) return words;
  const std::size_t last = what.find_last_of(' ');
  return last == std::string::npos ? words : explain(std::string_view(what).substr(last + 1));
}

void read_events(const std::string& path, RunFindings& out) {
  std::ifstream file(path);
  std::map<std::pair<std::string, std::string>, std::size_t> known;
  for (std::string line; std::getline(file, line);) {
    const json event = parse_shallow_json(line);
    if (!event.is_object()) continue;
    const auto what = what_is_found(event);
    if (!what) continue;
    const std::string text = printable_text(*what);
    const bool is_failure =
        std::ranges::any_of(out.failures, [&](const Failure& one) { return one.text == text; });
    if (is_failure) continue;
    const std::string device = printable_text(text_of(event, "device"));
    const auto [place, is_new] = known.try_emplace({device, text}, out.findings.size());
    if (!is_new) {
      if (place->second < out.findings.size()) ++out.findings[place->second].count;
      continue;
    }
    if (out.findings.size() == kMaxFindings) {
      known.erase(place);
      ++out.left_out;
      continue;
    }
    const auto time = event.find("t_us");
    out.findings.push_back(
        {.t_us = time != event.end() && time->is_number_integer() ? time->get<std::int64_t>() : 0,
         .device = device,
         .what = text,
         .count = 1,
         .words = words_of(*what)});
  }
}

void read_result(const json& result, RunFindings& out) {
  out.result = printable_text(text_of(result, "result"));
  out.repeat = printable_text(text_of(result, "repeat"));
  if (const std::string scenario = text_of(result, "scenario"); !scenario.empty())
    out.name = printable_text(
        fmt::format("{} on {} over {}", scenario, text_of(result, "board"), text_of(result, "data")));
  const auto failures = result.find("failures");
  if (failures == result.end() || !failures->is_array()) return;
  for (const json& failure : *failures) {
    if (!failure.is_string()) continue;
    const auto text = failure.get<std::string>();
    out.failures.push_back({printable_text(text), explain(text)});
  }
}

}  // namespace

Result<RunFindings> read_findings(const std::string& folder) {
  const std::string events = folder + "/events.jsonl";
  std::error_code error;
  if (!std::filesystem::is_regular_file(events, error)) {
    return fail(ExitCode::kUsage,
                fmt::format("'{}' is no run's folder: there is no events.jsonl in it", folder),
                "Name a folder that `otasim run` has left, by default one in otasim-runs/.");
  }
  RunFindings found;
  if (const auto bytes = read_file(folder + "/result.json")) {
    const json result = parse_shallow_json(*bytes);
    if (result.is_object()) read_result(result, found);
  }
  read_events(events, found);
  return found;
}

}  // namespace otasim::report
