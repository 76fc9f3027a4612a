#include "sim/report/capture/frame_comments.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sim/base/json_members.h"
#include "sim/base/stable_sort.h"

namespace otasim::report::capture {
namespace {

using nlohmann::json;

constexpr std::int64_t kNsPerUs = 1000;

std::string text_of(const json& event, const char* member) {
  return text_member(event, member).value_or("");
}

/// Empty: nothing that a reader of frames would look for.
std::string comment_on(const json& event) {
  const std::string source = text_of(event, "source");
  const std::string kind = text_of(event, "event");
  if (kind == "fault" || kind == "fault_over") {
    const char* const verb = kind == "fault_over" ? "is over" : source == "run" ? "is armed" : "strikes";
    return fmt::format("fault {} {}", text_of(event, "fault"), verb);
  }
  if (source == "run" && kind == "step") return text_of(event, "text");
  if (source == "run" && kind == "clean_boot") return "clean boot";
  if (source == "device" && kind == "power_on") return "power on";
  if (source == "device" && kind == "power_off") return "power off";
  if (source == "device" && kind == "reset") return "reset, " + text_of(event, "cause");
  if (source == "boot" && kind == "start")
    return fmt::format("boots {} from slot {}", text_of(event, "version"), text_of(event, "slot"));
  if (source == "cloud" && kind == "job_execution")
    return fmt::format("job {} is {}", text_of(event, "job"), text_of(event, "status"));
  return {};
}

}  // namespace

FrameComments FrameComments::read(const std::string& folder) {
  FrameComments comments;
  std::ifstream log(folder + "/events.jsonl", std::ios::binary);
  std::int64_t epoch_us = -1;
  for (std::string line; std::getline(log, line);) {
    const json event = json::parse(line, nullptr, false);
    if (!event.is_object()) continue;
    epoch_us = integer_member(event, "epoch_us").value_or(epoch_us);
    std::string text = comment_on(event);
    if (epoch_us < 0 || text.empty()) continue;
    std::string device = text_of(event, "device");
    if (device.empty()) device = text_of(event, "thing");
    const std::int64_t when = (epoch_us + integer_member(event, "t_us").value_or(0)) * kNsPerUs;
    comments.comments_.push_back({.calendar_ns = when, .device = std::move(device), .text = std::move(text)});
  }
  otasim::stable_sort(comments.comments_, {}, &Comment::calendar_ns);
  return comments;
}

std::string FrameComments::take(std::string_view device, std::int64_t calendar_ns) {
  std::string text;
  for (std::size_t i = first_untold_; i < comments_.size() && comments_[i].calendar_ns <= calendar_ns; ++i) {
    Comment& comment = comments_[i];
    if (comment.is_told || (!comment.device.empty() && comment.device != device)) continue;
    comment.is_told = true;
    text += text.empty() ? "" : "\n";
    text += comment.text;
  }
  while (first_untold_ < comments_.size() && comments_[first_untold_].is_told) ++first_untold_;
  return text;
}

}  // namespace otasim::report::capture
