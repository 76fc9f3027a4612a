#include "sim/report/terminal_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/json_members.h"

namespace otasim::report {
namespace {

constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kBootColor = "\x1b[35m";
constexpr std::string_view kAppColor = "\x1b[36m";
constexpr std::string_view kCloudColor = "\x1b[33m";
constexpr std::string_view kRunColor = "\x1b[1m";
constexpr std::string_view kFailedColor = "\x1b[31m";

std::string describe_execution(const nlohmann::json& event, bool with_thing) {
  std::string text = fmt::format("job {} is {}", text_member(event, "job").value_or("?"),
                                 text_member(event, "status").value_or("?"));
  if (with_thing) text += fmt::format(" on {}", text_member(event, "thing").value_or("?"));
  for (const auto& [key, value] : object_of(event, "details").items()) {
    text += fmt::format(", {} {}", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

}  // namespace

void TerminalView::show(const nlohmann::json& event) {
  stages_.observe(event);
  show_line(event);
  const auto bar = stages_.bar();
  if (bar && (bar->total != 0 || !style_.stays)) return progress_.show(*bar);
  progress_.hide();
}

void TerminalView::show_line(const nlohmann::json& event) {
  const std::string source = text_of(event, "source");
  const std::string kind = text_of(event, "event");
  if (source == "uart" && kind == "line") {
    const std::string text = printable(text_of(event, "text"));
    const bool is_boot = text.starts_with("boot:");
    const std::string who =
        style_.fleet ? printable(text_member(event, "device").value_or("device")) : "device";
    print_line(event, who, is_boot ? kBootColor : kAppColor, text);
  } else if (source == "device" && style_.fleet) {
    show_power(event, kind);
  } else if (source == "broker" && style_.fleet) {
    show_client(event, kind);
  } else if (source == "cloud" && kind == "job_execution") {
    print_line(event, "cloud", kCloudColor, printable(describe_execution(event, style_.fleet)));
  } else if (source == "run") {
    show_run(event, kind);
  }
}

void TerminalView::show_run(const nlohmann::json& event, const std::string& kind) {
  const std::string text = text_of(event, "text");
  if (kind == "step") {
    print_line(event, "otasim", kRunColor, printable(text));
  } else if (kind == "clean_boot") {
    print_line(event, "otasim", kRunColor,
               fmt::format("clean boot {} of {}", integer_member(event, "number").value_or(0),
                           printable(text_member(event, "device").value_or("device"))));
  } else if (kind == "failed" || kind == "verdict") {
    if (kind == "failed") print_line(event, "failed", kFailedColor, printable(text));
    progress_.pin("first failure: " + text);
  }
}

void TerminalView::show_power(const nlohmann::json& event, const std::string& kind) {
  const std::string who = printable(text_member(event, "device").value_or("device"));
  if (kind == "power_on") {
    print_line(event, who, kRunColor, "power on");
  } else if (kind == "power_off") {
    print_line(event, who, kRunColor, "power off");
  } else if (kind == "exit") {
    print_line(event, who, kRunColor, printable("went off: " + text_of(event, "message")));
  }
}

void TerminalView::show_client(const nlohmann::json& event, std::string_view kind) {
  kind.remove_prefix(std::min(kind.find('_') + 1, kind.size()));  // "client_connected"
  std::string text(kind);
  const std::string reason = text_member(event, "disconnectReason").value_or("UNKNOWN");
  if (reason != "UNKNOWN") text += ", " + reason;
  for (const char* more : {"message", "action", "topic"}) {
    if (event.contains(more)) text += fmt::format(": {}", text_of(event, more));
  }
  print_line(event, printable(text_member(event, "clientId").value_or("?")), kCloudColor, printable(text));
}

void TerminalView::finish() {
  progress_.finish();
}

void TerminalView::print_line(const nlohmann::json& event, std::string_view who, std::string_view color,
                              std::string_view text) {
  constexpr int kWidth = 6;
  constexpr int kFleetWidth = 12;
  const int width = style_.fleet ? kFleetWidth : kWidth;
  const double seconds = static_cast<double>(integer_member(event, "t_us").value_or(0)) / 1e6;
  if (progress_.console().has_color) {
    progress_.line(
        fmt::format("{}{:8.3f}{} {}{:<{}}{} {}", kDim, seconds, kReset, color, who, width, kReset, text));
  } else {
    progress_.line(fmt::format("{:8.3f} {:<{}} {}", seconds, who, width, text));
  }
}

}  // namespace otasim::report
