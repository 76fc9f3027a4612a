// The page of one run: docs/report.md, "A run".
#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "sim/base/file_io.h"
#include "sim/base/json_members.h"
#include "sim/base/json_nesting.h"
#include "sim/report/html/event_rows.h"
#include "sim/report/html/flash_track.h"
#include "sim/report/html/frame_rows.h"
#include "sim/report/html/html_report.h"
#include "sim/report/html/page.h"
#include "sim/report/reasons.h"
#include "sim/report/run_stream.h"

namespace otasim::report::html {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// What the run came to; null if it did not come to an end.
json result_of(const fs::path& run) {
  const auto bytes = read_file((run / "result.json").string());
  if (!bytes) return nullptr;
  json value = parse_shallow_json(*bytes);
  return value.is_object() ? value : json(nullptr);
}

std::string title_of(const json& result, const fs::path& run) {
  const std::string scenario = text_of(result, "scenario");
  if (scenario.empty()) return fmt::format("Run {}", run.filename().string());
  return fmt::format("{} on {} over {}: {}", scenario, text_of(result, "board"), text_of(result, "data"),
                     text_of(result, "result"));
}

json words_of(const std::vector<std::string>& reasons) {
  json words = json::object();
  for (const std::string& reason : reasons) {
    std::string text = explain_reason(reason);
    if (!text.empty()) words[reason] = std::move(text);
  }
  return words;
}

/// Its text, or null if there is none that fits a page.
json recording_of(const fs::path& run) {
  constexpr std::size_t kMostBytes = std::size_t{8} << 20;
  const auto bytes = read_regular_file((run / "demo.cast").string(), kMostBytes);
  if (!bytes) return nullptr;
  return std::string(bytes->begin(), bytes->end());
}

/// The stream, sorted by what the page's parts show.
struct RunRows {
  EventRows events = {};
  std::map<std::string, std::vector<std::int64_t>> operations = {};  ///< by device: when each was done
  std::map<std::string, FrameRows> frames = {};
};

RunRows read_rows(RunStream& stream) {
  RunRows rows;
  while (auto event = stream.next()) {
    const bool has_number = event->contains("n");  // else it is from a device's files
    if (!has_number && event->at("event") == "operation") {
      rows.operations[event->at("device")].push_back(event->at("t_us"));
    } else if (!has_number && event->at("event") == "frame") {
      // Where the clocks are not known, all frames would stand at the run's start.
      if (!stream.anchors().empty()) rows.frames[event->at("device")].take(*event);
    } else {
      rows.events.take(std::move(*event));
    }
  }
  rows.events.finish();
  return rows;
}

}  // namespace

Result<std::string> build_run_page(const std::string& folder, const inspect::Keys& keys) {
  const fs::path run = fs::absolute(folder).lexically_normal();
  auto stream = RunStream::open(run.string());
  if (!stream) return tl::unexpected(stream.error());
  RunRows rows = read_rows(*stream);
  const json result = result_of(run);
  rows.events.note_reasons(result);
  json devices = json::array();
  json flash = json::array();
  json frames = json::array();
  for (const RunDevice& device : devices_of_run(run.string())) {
    devices.push_back(device.name);
    flash.push_back(read_flash_track(device.folder, rows.operations[device.name], keys));
    frames.push_back(rows.frames[device.name].tell());
  }
  const json summary{
      {"kind", "run"},
      {"folder", run.filename().empty() ? run.parent_path().filename().string() : run.filename().string()},
      {"result", result},
      {"devices", std::move(devices)},
      {"names", rows.events.names()},
      {"event_devices", rows.events.devices()},
      {"event_count", rows.events.count()},
      {"skipped_lines", stream->skipped_lines()},
      {"problems", stream->problems()},
      {"epoch_us", stream->anchors().empty() ? json(nullptr) : json(stream->anchors()[0].epoch_us)},
      {"words", words_of(rows.events.reasons())}};
  Page page(title_of(result, run), fmt::format("{}\n{}\nThe rest of this report needs JavaScript.",
                                               text_of(result, "reason"), text_of(result, "repeat")));
  page.add_style("base.css");
  page.add_style("run.css");
  page.add_style("player.css");
  for (const char* script :
       {"base.js", "run_model.js", "run_panels.js", "event_page.js", "player.js", "run.js"})
    page.add_script(script);
  page.add_data("summary", script_json(summary));
  page.add_data("cast", script_json(recording_of(run)));
  page.add_data("flash", script_json(flash));
  page.add_data("frames", script_json(frames));
  for (std::string& chunk : rows.events.chunks()) page.add_data("events", std::move(chunk));
  return page.html();
}

}  // namespace otasim::report::html
