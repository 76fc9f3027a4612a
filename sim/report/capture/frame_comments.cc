#include "sim/report/capture/frame_comments.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "sim/base/json.h"
#include "sim/base/json_members.h"
#include "sim/base/json_nesting.h"
#include "sim/base/stable_sort.h"

namespace otasim::report::capture {
namespace {

using nlohmann::json;

constexpr std::int64_t kNsPerUs = 1000;

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
  std::size_t place = 0;
  for (std::string line; std::getline(log, line);) {
    const json event = parse_shallow_json(line);
    if (!event.is_object()) continue;
    epoch_us = integer_member(event, "epoch_us").value_or(epoch_us);
    std::string text = comment_on(event);
    if (epoch_us < 0 || text.empty()) continue;
    std::string device = text_of(event, "device");
    if (device.empty()) device = text_of(event, "thing");
    std::int64_t when = 0;
    if (__builtin_add_overflow(epoch_us, integer_member(event, "t_us").value_or(0), &when) ||
        __builtin_mul_overflow(when, kNsPerUs, &when))
      continue;  // no time that a frame can have
    comments.queues_[device].comments.push_back(
        {.calendar_ns = when, .place = place++, .text = std::move(text)});
  }
  for (auto& [device, queue] : comments.queues_)
    otasim::stable_sort(queue.comments, {}, &Comment::calendar_ns);
  return comments;
}

const FrameComments::Comment* FrameComments::Queue::due(std::int64_t calendar_ns) const {
  return next < comments.size() && comments[next].calendar_ns <= calendar_ns ? &comments[next] : nullptr;
}

std::string FrameComments::take(std::string_view device, std::int64_t calendar_ns) {
  std::string text;
  const auto own = queues_.find(device);
  Queue& nobodys = queues_[""];
  Queue& its = own == queues_.end() ? nobodys : own->second;
  for (;;) {
    const Comment* const first = its.due(calendar_ns);
    const Comment* const other = nobodys.due(calendar_ns);
    if (first == nullptr && other == nullptr) return text;
    const bool is_its = other == nullptr || (first != nullptr && *first < *other);
    Queue& queue = is_its ? its : nobodys;
    text += text.empty() ? "" : "\n";
    text += queue.comments[queue.next++].text;
  }
}

std::string FrameComments::take_rest(std::string_view device) {
  const auto queue = queues_.find(device);
  if (queue == queues_.end()) return {};
  std::string text;
  for (Queue& its = queue->second; its.next < its.comments.size(); ++its.next)
    text += (text.empty() ? "after this frame: " : "\nafter this frame: ") + its.comments[its.next].text;
  return text;
}

}  // namespace otasim::report::capture
