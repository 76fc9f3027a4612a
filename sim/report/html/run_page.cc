// The page of one run: docs/report.md, "A run".
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/report/html/event_rows.h"
#include "sim/report/html/flash_track.h"
#include "sim/report/html/frame_rows.h"
#include "sim/report/html/html_report.h"
#include "sim/report/html/page.h"
#include "sim/report/reasons.h"

namespace otasim::report::html {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct DeviceFolder {
  std::string name;
  fs::path path;
};

/// A run keeps its devices in folders; a demo has one, in the run's own.
std::vector<DeviceFolder> devices_of(const fs::path& run) {
  std::vector<DeviceFolder> devices;
  std::error_code error;
  for (fs::directory_iterator entry(run / "devices", error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory(error)) devices.push_back({entry->path().filename().string(), entry->path()});
  }
  std::ranges::sort(devices, {}, &DeviceFolder::name);
  std::error_code ignored;  // then it is not there
  if (devices.empty() && fs::exists(run / "flash.ops", ignored)) devices.push_back({"device", run});
  return devices;
}

/// What the run came to; null if it did not come to an end.
json result_of(const fs::path& run) {
  for (const char* name : {"result.json", "summary.json"}) {
    const auto bytes = read_file((run / name).string());
    if (!bytes) continue;
    json value = json::parse(*bytes, nullptr, false);
    if (value.is_object()) return value;
  }
  return nullptr;
}

std::string text_member(const json& value, const char* member) {
  const auto found = value.is_object() ? value.find(member) : value.end();
  return value.is_object() && found != value.end() && found->is_string() ? found->get<std::string>()
                                                                         : std::string();
}

std::string title_of(const json& result, const fs::path& run) {
  const std::string scenario = text_member(result, "scenario");
  if (scenario.empty()) return fmt::format("Run {}", run.filename().string());
  return fmt::format("{} on {} over {}: {}", scenario, text_member(result, "board"),
                     text_member(result, "data"), text_member(result, "result"));
}

json words_of(const std::vector<std::string>& reasons) {
  json words = json::object();
  for (const std::string& reason : reasons) {
    std::string text = explain_reason(reason);
    if (!text.empty()) words[reason] = std::move(text);
  }
  return words;
}

}  // namespace

Result<std::string> build_run_page(const std::string& folder, const inspect::Keys& keys) {
  const fs::path run = fs::absolute(folder).lexically_normal();
  auto events = read_event_rows((run / "events.jsonl").string());
  if (!events) return tl::unexpected(events.error());
  const json result = result_of(run);
  json devices = json::array();
  json flash = json::array();
  json frames = json::array();
  for (const DeviceFolder& device : devices_of(run)) {
    devices.push_back(device.name);
    flash.push_back(read_flash_track(device.path.string(), events->anchors, keys));
    frames.push_back(read_frame_rows((device.path / "link.pcap").string(), events->anchors));
  }
  const json summary{
      {"kind", "run"},
      {"folder", run.filename().empty() ? run.parent_path().filename().string() : run.filename().string()},
      {"result", result},
      {"devices", std::move(devices)},
      {"names", events->names},
      {"event_devices", events->devices},
      {"event_count", events->count},
      {"skipped_lines", events->skipped_lines},
      {"epoch_us", events->anchors.empty() ? json(nullptr) : json(events->anchors[0].epoch_us)},
      {"words", words_of(events->reasons)}};
  Page page(title_of(result, run), fmt::format("{}\n{}\nThe rest of this report needs JavaScript.",
                                               text_member(result, "reason"), text_member(result, "repeat")));
  page.add_style("base.css");
  page.add_style("run.css");
  for (const char* script : {"base.js", "run_model.js", "run_panels.js", "run.js"}) page.add_script(script);
  page.add_data("summary", script_json(summary));
  page.add_data("flash", script_json(flash));
  page.add_data("frames", script_json(frames));
  for (std::string& chunk : events->chunks) page.add_data("events", std::move(chunk));
  return page.html();
}

}  // namespace otasim::report::html
