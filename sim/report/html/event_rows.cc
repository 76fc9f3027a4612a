#include "sim/report/html/event_rows.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "sim/report/html/page.h"
#include "sim/report/reasons.h"

namespace otasim::report::html {
namespace {

using nlohmann::json;

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
constexpr std::size_t kMostReasons = 200;

std::string take_text(json& event, const char* member) {
  const auto found = event.find(member);
  if (found == event.end() || !found->is_string()) return {};
  std::string text = std::move(found->get_ref<std::string&>());
  event.erase(found);
  return text;
}

std::int64_t take_number(json& event, const char* member, std::int64_t otherwise) {
  const auto found = event.find(member);
  if (found == event.end() || !found->is_number_integer()) return otherwise;
  const auto number = found->get<std::int64_t>();
  event.erase(found);
  return number;
}

/// Where the number that begins there with "0x" ends.
std::size_t end_of_number(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of("0123456789abcdefABCDEF", at + 2), text.size());
}

/// The reason of a job whose first number is at a place of a text: "rejected: 0x10", "0x1: 0x2"; empty: none.
std::string reason_at(const std::string& text, std::size_t at) {
  constexpr std::string_view kFurther = ": 0x";
  const std::size_t end = end_of_number(text, at);
  for (const std::string_view verdict : {"rejected: ", "aborted: "}) {
    if (at >= verdict.size() && text.compare(at - verdict.size(), verdict.size(), verdict) == 0)
      return text.substr(at - verdict.size(), end - at + verdict.size());
  }
  if (text.compare(end, kFurther.size(), kFurther) != 0) return {};
  return text.substr(at, end_of_number(text, end + 2) - at);
}

}  // namespace

std::size_t EventRows::Interned::number(const std::string& text) {
  const auto [entry, is_new] = numbers.try_emplace(text, texts.size());
  if (is_new) texts.push_back(text);
  return entry->second;
}

void EventRows::take(json event) {
  const std::int64_t t_us = take_number(event, "t_us", 0);
  for (const char* introduction : {"log_version", "epoch_us"}) event.erase(introduction);
  const std::string source = take_text(event, "source");
  const std::string name = source + '.' + take_text(event, "event");
  note_reasons(event);
  const std::string device = take_text(event, "device");
  ++count_;
  const auto place = static_cast<std::int64_t>(count_);
  const auto number = take_number(event, "n", place);
  json row{t_us, names_.number(name), device.empty() ? -1 : static_cast<int>(devices_.number(device))};
  const bool is_line = name == "uart.line" && event.size() == 1 && event.contains("text");
  row.push_back(is_line ? std::move(event["text"]) : std::move(event));
  if (number != place) row.push_back(number);
  add(script_json(row));
}

void EventRows::note_reasons(const json& value) {
  if (value.is_string()) return note_reasons_in(value.get_ref<const std::string&>());
  if (!value.is_structured()) return;
  for (const json& one : value) note_reasons(one);
}

void EventRows::note_reasons_in(const std::string& text) {
  std::size_t begin = 0;
  for (std::size_t at = text.find("0x"); at != std::string::npos; at = text.find("0x", begin)) {
    const std::string reason = reason_at(text, at);
    begin = at + 2;
    const bool is_new = !reason.empty() && std::ranges::count(reasons_, reason) == 0;
    if (!is_new || reasons_.size() >= kMostReasons || explain_reason(reason).empty()) continue;
    reasons_.push_back(reason);
  }
}

void EventRows::add(const std::string& row) {
  chunk_ += chunk_.empty() ? "[" : ",\n";
  chunk_ += row;
  if (chunk_.size() >= kChunkBytes) finish();
}

void EventRows::finish() {
  if (chunk_.empty()) return;
  chunk_ += ']';
  chunks_.push_back(std::move(chunk_));
  chunk_.clear();
}

}  // namespace otasim::report::html
