#include "sim/report/html/flash_track.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "sim/flash/flash_history.h"
#include "sim/inspect/cell_report.h"
#include "sim/inspect/flash_image.h"
#include "sim/inspect/flash_report.h"
#include "sim/report/html/flash_rows.h"

namespace otasim::report::html {
namespace {

using flash::LoggedOperation;
using flash_file::FlashHistory;
using nlohmann::json;

class Track {
 public:
  Track(FlashHistory history, const std::vector<std::int64_t>& times, const inspect::Keys& keys)
      : history_(std::move(history)), times_(times), keys_(keys) {}

  json tell() {
    json track = describe_part(history_.part());
    track["torn"] = history_.is_torn();
    track["before"] = programmed_pages(history_.window(), history_.part());
    for (std::size_t slot = 0; slot < inspect::kSlots.size(); ++slot) decode({Subject::kSlot, slot});
    decode({Subject::kBootControl});
    decode({Subject::kOtp});
    json operations = json::array();
    const auto all = history_.operations();
    for (std::size_t i = 0; i < all.size(); ++i) {
      operations.push_back(row_of(all[i], i));
      const Touched touched = touched_by(all[i]);
      // An image is looked at when the writing of it pauses.
      const bool goes_on = touched.subject == Subject::kSlot && i + 1 < all.size() &&
                           touched_by(all[i + 1]) == touched && all[i + 1].kind == all[i].kind;
      if (touched.subject == Subject::kNone || goes_on) continue;
      const bool is_last = std::none_of(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end(),
                                        [&](const auto& later) { return touched_by(later) == touched; });
      if (touched.subject == Subject::kSlot && slot_states_[touched.slot] >= kMostSlotStates && !is_last)
        continue;
      history_.seek(i + 1);
      decode(touched);
    }
    track["operations"] = std::move(operations);
    track["states"] = std::move(states_);
    return track;
  }

 private:
  [[nodiscard]] json row_of(const LoggedOperation& operation, std::size_t place) const {
    // One that was logged after the times were read is as late as the last of those.
    return operation_row(operation, times_.empty() ? 0 : times_[std::min(place, times_.size() - 1)]);
  }

  void decode(const Touched& touched) {
    if (touched.subject == Subject::kSlot) ++slot_states_[touched.slot];
    add_state(states_, touched, history_.window(), history_.position(), history_.part(), keys_);
  }

  FlashHistory history_;
  const std::vector<std::int64_t>& times_;
  const inspect::Keys& keys_;
  json states_ = json::object();
  std::array<std::size_t, inspect::kSlots.size()> slot_states_ = {};
};

}  // namespace

json read_flash_track(const std::string& folder, const std::vector<std::int64_t>& times,
                      const inspect::Keys& keys) {
  const std::filesystem::path path(folder);
  auto history = FlashHistory::load((path / "factory.bin").string(), (path / "flash.ops").string());
  if (!history) return {{"problem", history.error().message}};
  json track = Track(std::move(*history), times, keys).tell();
  const auto part = inspect::read_flash_file((path / "factory.bin").string());
  const auto cells = inspect::read_cells_beside((path / "flash.bin").string());
  if (part && cells && *cells) track["cells"] = inspect::to_json(inspect::report_cells(**cells, part->part));
  return track;
}

}  // namespace otasim::report::html
