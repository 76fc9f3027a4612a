#include "sim/report/html/event_rows.h"

#include <algorithm>
#include <utility>

#include "sim/report/html/page.h"

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
  note_reason(event);
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

void EventRows::note_reason(const json& event) {
  const auto details = event.find("details");
  if (details == event.end() || !details->is_object()) return;
  const auto reason = details->find("reason");
  if (reason == details->end() || !reason->is_string()) return;
  const auto& text = reason->get_ref<const std::string&>();
  if (reasons_.size() >= kMostReasons || std::ranges::count(reasons_, text) != 0) return;
  reasons_.push_back(text);
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
