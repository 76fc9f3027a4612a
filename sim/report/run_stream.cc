#include "sim/report/run_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "pal_sim/flash/op_log.h"
#include "sim/base/json_members.h"
#include "sim/base/json_nesting.h"
#include "sim/flash/flash_fault.h"
#include "sim/flash/flash_history.h"
#include "sim/flash/flash_range.h"
#include "sim/report/event_log.h"
#include "sim/report/frame_summary.h"
#include "sim/report/growing_file.h"
#include "sim/report/pcap_reader.h"

namespace otasim::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Timed {
  std::int64_t t_us = 0;
  json event = {};
};

/// One of the files: its events, in order.
class Source {
 public:
  virtual ~Source() = default;
  /// @returns nothing if there is none (yet)
  [[nodiscard]] virtual std::optional<Timed> next() = 0;
  /// What has gone wrong; empty: nothing.
  [[nodiscard]] virtual std::string problem() const { return {}; }

 protected:
  /// A clock that was set back does not take the order back.
  std::int64_t in_order(std::int64_t t_us) { return last_us_ = std::max(last_us_, t_us); }
  [[nodiscard]] std::int64_t last_us() const { return last_us_; }

 private:
  std::int64_t last_us_ = 0;
};

/// Says version and calendar time, or cannot be read by this otasim.
Result<std::optional<ClockAnchor>> introduction_of(const json& event) {
  const auto version = integer_member(event, "log_version").value_or(kEventLogVersion);
  if (version > kEventLogVersion) {
    return fail(
        ExitCode::kUsage,
        fmt::format("the event log is of version {}, this otasim reads {}", version, kEventLogVersion),
        "Use the otasim that made the run.");
  }
  const auto epoch_us = integer_member(event, "epoch_us");
  if (!epoch_us || *epoch_us < 0) return std::nullopt;
  return ClockAnchor{.t_us = integer_member(event, "t_us").value_or(0), .epoch_us = *epoch_us};
}

/// Where the log begins, and where it was gone on with: what lies before the merge can begin.
Result<std::vector<ClockAnchor>> read_anchors(GrowingFile log) {
  std::vector<ClockAnchor> anchors;
  while (const auto line = log.line(true)) {
    const bool may_say = line->find("\"epoch_us\"") != std::string_view::npos ||
                         line->find("\"log_version\"") != std::string_view::npos;
    if (!may_say) continue;
    const json event = parse_shallow_json(*line);
    if (!event.is_object()) continue;
    const auto anchor = introduction_of(event);
    if (!anchor) return tl::unexpected(anchor.error());
    if (*anchor) anchors.push_back(**anchor);
  }
  return anchors;
}

class LogSource final : public Source {
 public:
  LogSource(GrowingFile file, std::vector<ClockAnchor>& anchors, bool is_under_way)
      : file_(std::move(file)), anchors_(anchors), is_over_(!is_under_way) {}

  std::optional<Timed> next() override {
    while (problem_.empty()) {
      const auto line = file_.line(is_over_);
      if (!line) return std::nullopt;
      if (line->empty()) continue;
      json event = parse_shallow_json(*line);
      if (!event.is_object()) {
        ++skipped_lines_;
        continue;
      }
      if (auto taken = take(std::move(event))) return taken;
    }
    return std::nullopt;
  }

  void end() { is_over_ = true; }
  [[nodiscard]] std::uint64_t skipped_lines() const { return skipped_lines_; }
  [[nodiscard]] std::string problem() const override {
    if (file_.read_error() != 0)
      return fmt::format("events.jsonl ends early: {}", std::strerror(file_.read_error()));
    return problem_.empty() ? std::string() : "events.jsonl: " + problem_;
  }

 private:
  std::optional<Timed> take(json event) {
    const auto anchor = introduction_of(event);
    if (!anchor) {
      problem_ = anchor.error().message;
      return std::nullopt;
    }
    if (*anchor && std::ranges::count(anchors_, **anchor) == 0) anchors_.push_back(**anchor);
    const std::int64_t t_us = in_order(integer_member(event, "t_us").value_or(last_us()));
    event["t_us"] = t_us;
    // By its number an event of the log is told from what a device's files say.
    ++count_;
    if (!integer_member(event, "n")) event["n"] = count_;
    for (const char* name : {"source", "event"}) {
      json& member = event[name];
      if (!member.is_string()) member = "";
    }
    return Timed{t_us, std::move(event)};
  }

  GrowingFile file_;
  std::vector<ClockAnchor>& anchors_;
  bool is_over_;
  std::uint64_t count_ = 0;
  std::uint64_t skipped_lines_ = 0;
  std::string problem_ = {};
};

json to_event(const flash::LoggedOperation& operation, const std::string& device, std::uint64_t place) {
  return {{"source", "flash"},
          {"event", "operation"},
          {"device", device},
          {"place", place},
          {"number", operation.sequence},
          {"kind", flash_file::to_string(operation.kind)},
          {"offset", operation.offset},
          {"length_bytes", operation.length},
          {"applied_bytes", operation.applied},
          {"partition", flash_file::partition_at(flash_file::first_cell(operation))},
          {"writer", flash_file::to_string(operation.source)},
          {"result", flash::to_string(operation.status)}};
}

class FlashSource final : public Source {
 public:
  FlashSource(GrowingFile file, std::string device, const std::vector<ClockAnchor>& anchors)
      : file_(std::move(file)), device_(std::move(device)), anchors_(anchors) {}

  std::optional<Timed> next() override {
    if (!problem_.empty() || !has_header()) return std::nullopt;
    const auto bytes = file_.peek(flash::kOpLogMostRecord);
    const auto operation = flash::parse_op_log_record(bytes);
    is_torn_ = !operation && !bytes.empty();
    // One that has all bytes a record can have will not become whole.
    if (is_torn_ && bytes.size() == flash::kOpLogMostRecord)
      problem_ = "it is damaged, and was read up to there";
    if (!operation) return std::nullopt;
    file_.skip(flash::kOpLogRecordSize + operation->data.size());
    // One without a time stands with the one before.
    const auto at = operation->time_us == 0
                        ? std::nullopt
                        : event_time(anchors_, static_cast<std::int64_t>(operation->time_us));
    const std::int64_t t_us = in_order(at.value_or(last_us()));
    json event = to_event(*operation, device_, place_++);
    event["t_us"] = t_us;
    return Timed{t_us, std::move(event)};
  }

  [[nodiscard]] std::string problem() const override {
    if (file_.read_error() != 0)
      return fmt::format("the op log of {}: {}", device_, std::strerror(file_.read_error()));
    if (!problem_.empty()) return fmt::format("the op log of {}: {}", device_, problem_);
    return is_torn_ ? fmt::format("the op log of {}: its last record is torn", device_) : std::string();
  }

 private:
  bool has_header() {
    if (has_header_) return true;
    const auto header = file_.peek(flash::kOpLogHeaderSize);
    if (header.size() < flash::kOpLogHeaderSize) return false;
    has_header_ = flash::is_op_log_header(header);
    if (!has_header_) problem_ = "it is no op log of this version";
    file_.skip(flash::kOpLogHeaderSize);
    return has_header_;
  }

  GrowingFile file_;
  std::string device_;
  const std::vector<ClockAnchor>& anchors_;
  std::uint64_t place_ = 0;
  bool has_header_ = false;
  bool is_torn_ = false;
  std::string problem_ = {};
};

json to_event(const CapturedFrame& captured, const std::string& device) {
  const FrameSummary frame = sum_up_frame(captured.bytes);
  json event{{"source", "link"},           {"event", "frame"},
             {"device", device},           {"direction", name_of(frame.direction)},
             {"protocol", frame.protocol}, {"length_bytes", captured.wire_bytes},
             {"summary", frame.text()}};
  if (frame.host_port == 0 && frame.device_port == 0) return event;
  event["device_port"] = frame.device_port;
  event["host_port"] = frame.host_port;
  event["payload_bytes"] = frame.payload_bytes;
  if (!frame.flags.empty()) event["flags"] = frame.flags;
  return event;
}

class LinkSource final : public Source {
 public:
  LinkSource(PcapReader capture, std::string device, const std::vector<ClockAnchor>& anchors)
      : capture_(std::move(capture)), device_(std::move(device)), anchors_(anchors) {}

  std::optional<Timed> next() override {
    const auto frame = capture_.next();
    if (!frame) return std::nullopt;
    constexpr std::int64_t kNsPerUs = 1000;
    const auto at = event_time(anchors_, frame->calendar_ns / kNsPerUs);
    has_no_clock_ = has_no_clock_ || !at;
    const std::int64_t t_us = in_order(at.value_or(last_us()));
    json event = to_event(*frame, device_);
    event["t_us"] = t_us;
    return Timed{t_us, std::move(event)};
  }

  [[nodiscard]] std::string problem() const override {
    if (const std::string text = capture_.problem(); !text.empty())
      return fmt::format("the capture of {}: {}", device_, text);
    return has_no_clock_ ? fmt::format(
                               "the capture of {}: the event log does not say when its clock read 0, "
                               "so all frames stand at its start",
                               device_)
                         : std::string();
  }

 private:
  PcapReader capture_;
  std::string device_;
  const std::vector<ClockAnchor>& anchors_;
  bool has_no_clock_ = false;
};

bool is_there(const fs::path& path) {
  std::error_code ignored;  // then it is not there
  return fs::exists(path, ignored);
}

}  // namespace

std::vector<RunDevice> devices_of_run(const std::string& folder) {
  std::vector<RunDevice> devices;
  std::error_code error;
  for (fs::directory_iterator entry(fs::path(folder) / "devices", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;  // then it is none
    if (entry->is_directory(ignored))
      devices.push_back({entry->path().filename().string(), entry->path().string()});
  }
  std::ranges::sort(devices, {}, &RunDevice::name);
  if (devices.empty() && is_there(fs::path(folder) / "flash.ops")) devices.push_back({"device", folder});
  return devices;
}

class RunStream::Merge {
 public:
  Merge(std::string folder, const Options& options, GrowingFile log, std::vector<ClockAnchor> anchors)
      : folder_(std::move(folder)), options_(options), anchors_(std::move(anchors)) {
    auto source = std::make_unique<LogSource>(std::move(log), anchors_, options_.is_under_way);
    log_ = source.get();
    entries_.push_back({.source = std::move(source)});
    take_up_devices();
  }
  Merge(const Merge&) = delete;
  Merge& operator=(const Merge&) = delete;

  std::optional<json> next() {
    Entry* first = nullptr;
    for (Entry& entry : entries_) {
      if (!entry.head) entry.head = entry.source->next();
      if (entry.head && (first == nullptr || entry.head->t_us < first->head->t_us)) first = &entry;
    }
    if (first == nullptr) return std::nullopt;
    json event = std::move(first->head->event);
    first->head.reset();
    return event;
  }

  void look_again(bool is_over) {
    if (is_over) log_->end();
    take_up_devices();
  }

  [[nodiscard]] const std::vector<ClockAnchor>& anchors() const { return anchors_; }
  [[nodiscard]] std::uint64_t skipped_lines() const { return log_->skipped_lines(); }
  [[nodiscard]] std::vector<std::string> problems() const {
    std::vector<std::string> problems = problems_;
    for (const Entry& entry : entries_) {
      if (std::string text = entry.source->problem(); !text.empty()) problems.push_back(std::move(text));
    }
    return problems;
  }

 private:
  struct Entry {
    std::unique_ptr<Source> source = {};
    std::optional<Timed> head = {};
  };

  void take_up_devices() {
    for (const RunDevice& device : devices_of_run(folder_)) {
      if (options_.with_flash) {
        take_up(device.folder + "/flash.ops", [&](GrowingFile file) {
          return std::make_unique<FlashSource>(std::move(file), device.name, anchors_);
        });
      }
      if (options_.with_frames) {
        take_up(device.folder + "/link.pcap", [&](GrowingFile file) {
          return std::make_unique<LinkSource>(PcapReader(std::move(file)), device.name, anchors_);
        });
      }
    }
  }

  template <typename Make>
  void take_up(const std::string& path, const Make& make) {
    if (std::ranges::count(taken_up_, path) != 0 || !is_there(path)) return;
    taken_up_.push_back(path);
    auto file = GrowingFile::open(path);
    if (!file) return problems_.push_back(file.error().message);
    entries_.push_back({.source = make(std::move(*file))});
  }

  std::string folder_;
  Options options_;
  std::vector<ClockAnchor> anchors_;
  std::vector<Entry> entries_ = {};
  std::vector<std::string> taken_up_ = {};
  std::vector<std::string> problems_ = {};
  LogSource* log_ = nullptr;
};

RunStream::RunStream(std::unique_ptr<Merge> merge) : merge_(std::move(merge)) {}
RunStream::RunStream(RunStream&&) noexcept = default;
RunStream& RunStream::operator=(RunStream&&) noexcept = default;
RunStream::~RunStream() = default;

Result<RunStream> RunStream::open(const std::string& folder, const Options& options) {
  const std::string path = (fs::path(folder) / "events.jsonl").string();
  auto first_pass = GrowingFile::open(path);
  if (!first_pass) return tl::unexpected(first_pass.error());
  auto anchors = read_anchors(std::move(*first_pass));
  if (!anchors) return tl::unexpected(anchors.error());
  auto log = GrowingFile::open(path);
  if (!log) return tl::unexpected(log.error());
  return RunStream(std::make_unique<Merge>(folder, options, std::move(*log), std::move(*anchors)));
}

std::optional<json> RunStream::next() {
  return merge_->next();
}
void RunStream::look_again(bool is_over) {
  merge_->look_again(is_over);
}
const std::vector<ClockAnchor>& RunStream::anchors() const {
  return merge_->anchors();
}
std::uint64_t RunStream::skipped_lines() const {
  return merge_->skipped_lines();
}
std::vector<std::string> RunStream::problems() const {
  return merge_->problems();
}

}  // namespace otasim::report
