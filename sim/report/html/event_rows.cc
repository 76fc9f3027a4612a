#include "sim/report/html/event_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "sim/base/file_io.h"
#include "sim/report/event_log.h"
#include "sim/report/html/page.h"

namespace otasim::report::html {
namespace {

using nlohmann::json;

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
constexpr std::size_t kMostReasons = 200;

/// Numbers texts in the order in which they come up.
class Interned {
 public:
  explicit Interned(std::vector<std::string>& texts) : texts_(texts) {}

  std::size_t number(const std::string& text) {
    const auto [entry, is_new] = numbers_.try_emplace(text, texts_.size());
    if (is_new) texts_.push_back(text);
    return entry->second;
  }

 private:
  std::vector<std::string>& texts_;
  std::unordered_map<std::string, std::size_t> numbers_;
};

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

class Reader {
 public:
  Result<void> take(std::string_view line) {
    json event = json::parse(line, nullptr, false);
    if (!event.is_object()) {
      ++rows_.skipped_lines;
      return {};
    }
    const std::int64_t t_us = take_number(event, "t_us", last_us_);
    last_us_ = t_us;
    if (auto known = take_introduction(event, t_us); !known) return known;
    const std::string source = take_text(event, "source");
    const std::string name = source + '.' + take_text(event, "event");
    note_reason(event);
    const std::string device = take_text(event, "device");
    const auto number = take_number(event, "n", static_cast<std::int64_t>(rows_.count) + 1);
    json row{t_us, names_.number(name), device.empty() ? -1 : static_cast<int>(devices_.number(device))};
    const bool is_line = name == "uart.line" && event.size() == 1 && event.contains("text");
    row.push_back(is_line ? std::move(event["text"]) : std::move(event));
    if (number != static_cast<std::int64_t>(++rows_.count)) row.push_back(number);
    add(script_json(row));
    return {};
  }

  EventRows finish() {
    end_chunk();
    return std::move(rows_);
  }

 private:
  Result<void> take_introduction(json& event, std::int64_t t_us) {
    const std::int64_t version = take_number(event, "log_version", kEventLogVersion);
    if (version > kEventLogVersion) {
      return fail(
          ExitCode::kUsage,
          fmt::format("the event log is of version {}, this otasim reads {}", version, kEventLogVersion),
          "Build the report with the otasim that made the run.");
    }
    const std::int64_t epoch_us = take_number(event, "epoch_us", -1);
    if (epoch_us >= 0) rows_.anchors.push_back({t_us, epoch_us});
    return {};
  }

  void note_reason(const json& event) {
    const auto details = event.find("details");
    if (details == event.end() || !details->is_object()) return;
    const auto reason = details->find("reason");
    if (reason == details->end() || !reason->is_string()) return;
    const auto& text = reason->get_ref<const std::string&>();
    if (rows_.reasons.size() >= kMostReasons || std::ranges::count(rows_.reasons, text) != 0) return;
    rows_.reasons.push_back(text);
  }

  void add(const std::string& row) {
    chunk_ += chunk_.empty() ? "[" : ",\n";
    chunk_ += row;
    if (chunk_.size() >= kChunkBytes) end_chunk();
  }
  void end_chunk() {
    if (chunk_.empty()) return;
    chunk_ += ']';
    rows_.chunks.push_back(std::move(chunk_));
    chunk_.clear();
  }

  EventRows rows_;
  Interned names_{rows_.names};
  Interned devices_{rows_.devices};
  std::string chunk_;
  std::int64_t last_us_ = 0;
};

}  // namespace

std::optional<std::int64_t> event_time(const std::vector<ClockAnchor>& anchors, std::int64_t calendar_us) {
  if (anchors.empty()) return std::nullopt;
  for (std::size_t i = anchors.size(); i-- > 1;) {
    if (calendar_us - anchors[i].epoch_us >= anchors[i].t_us) return calendar_us - anchors[i].epoch_us;
  }
  return calendar_us - anchors.front().epoch_us;
}

Result<EventRows> read_event_rows(const std::string& path) {
  const auto bytes = read_file(path);
  if (!bytes) return tl::unexpected(bytes.error());
  std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  Reader reader;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end != 0) {
      if (auto taken = reader.take(text.substr(0, end)); !taken) return tl::unexpected(taken.error());
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.finish();
}

}  // namespace otasim::report::html
