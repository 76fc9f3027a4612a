// A run at a moment, as a recording shows it: what the devices, their flash and their link are, what was said
// and done so far.
//
//   Scene scene(run);
//   for (const Moment& moment : run.moments) { scene.apply(moment); draw(scene, ...); }
//
// It is made from what the run has left alone; the device's word is shown as console text and counted as
// progress, never as what its flash holds.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "sim/report/cast/cells.h"
#include "sim/report/cast/narration.h"
#include "sim/report/cast/recorded_run.h"

namespace otasim::report::cast {

struct ConsoleLine {
  std::int64_t t_us = 0;
  std::string device = {};
  std::string text = {};
  bool is_rule = false;  ///< power or reset: what comes after is another life
};

struct TimelineEntry {
  std::int64_t t_us = 0;
  std::string text = {};
  Ink ink = Ink::kText;
  char32_t bullet = U'\u25CF';
};

struct SceneFlash {
  std::vector<bool> pages = {};  ///< which are programmed; empty: there is no flash to show
  std::array<std::string, kShownSlots.size()> versions = {};
  RecordText record = {};
  std::uint64_t programs = 0;
  std::uint64_t erases = 0;
  std::int64_t last_page = -1;  ///< changed last; -1: none
  bool last_is_erase = false;
};

struct SceneDevice {
  std::string name = {};
  std::string board = {};
  bool is_on = false;
  bool is_connected = false;
  std::int64_t connection = 0;  ///< the broker's number of the last one
  std::string version = {};     ///< that runs; empty: none yet
  std::string slot = {};
  std::string state = {};
  std::string address = {};
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
  std::int64_t done = 0;  ///< blocks
  std::int64_t total = 0;
  SceneFlash flash = {};
};

class Scene {
 public:
  /// Lines of the console that are kept: more than any picture shows.
  static constexpr std::size_t kMostLines = 200;
  static constexpr std::size_t kMostEntries = 200;

  /// @param run  outlives the scene
  explicit Scene(const RecordedRun& run);

  void apply(const Moment& moment);
  /// The run is over, and this is what came of it.
  void end();

  [[nodiscard]] const std::deque<ConsoleLine>& console() const { return console_; }
  [[nodiscard]] const std::deque<TimelineEntry>& timeline() const { return timeline_; }
  [[nodiscard]] const std::vector<SceneDevice>& devices() const { return devices_; }
  [[nodiscard]] const std::string& job() const { return job_; }
  [[nodiscard]] const Told& caption() const { return caption_; }
  /// Disturbances of link, broker and cloud that are not over. (Others strike and are gone.)
  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }
  [[nodiscard]] bool is_over() const { return is_over_; }
  /// "passed", "failed"; empty: it did not come to an end.
  [[nodiscard]] std::string verdict() const;
  [[nodiscard]] const RecordedRun& run() const { return run_; }

 private:
  void apply_event(const nlohmann::json& event, std::int64_t t_us);
  void apply_flash(SceneDevice& device, const FlashChange& change);
  void apply_console(const nlohmann::json& event, std::int64_t t_us);
  void apply_power(const nlohmann::json& event, const std::string& kind, std::int64_t t_us);
  void apply_execution(const nlohmann::json& event, std::int64_t t_us);
  void apply_client(const nlohmann::json& event, const std::string& kind);
  void apply_fault(const nlohmann::json& event, const std::string& kind, std::int64_t t_us);
  SceneDevice& device(const std::string& name);
  void add_line(ConsoleLine line);
  void add_entry(TimelineEntry entry);

  const RecordedRun& run_;
  std::deque<ConsoleLine> console_;
  std::deque<TimelineEntry> timeline_;
  std::vector<SceneDevice> devices_;
  std::string job_;
  Told caption_;
  std::vector<std::string> faults_;
  bool is_over_ = false;
};

}  // namespace otasim::report::cast
