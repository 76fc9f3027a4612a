#include "sim/report/cast/recorded_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <optional>

#include "agent/boot/image_format.h"
#include "sim/base/file_io.h"
#include "sim/flash/flash_history.h"
#include "sim/inspect/boot_journal.h"
#include "sim/inspect/text.h"
#include "sim/report/event_log.h"
#include "sim/report/html/event_rows.h"
#include "sim/report/html/frame_rows.h"

namespace otasim::report::cast {
namespace {

namespace fs = std::filesystem;
using flash::LoggedOperation;
using flash::OpKind;
using flash_file::FlashHistory;
using html::ClockAnchor;
using nlohmann::json;
using Window = flash::ConstWindow;

template <typename Take>
Result<void> for_each_line(const std::vector<std::uint8_t>& bytes, Take take) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (auto taken = take(text.substr(0, end)); !taken) return taken;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

/// "0.9.1", of the image header at the begin of a slot; empty if there is none.
std::string version_in(Window window, const flash::Partition& slot) {
  boot::image::Header header{};
  std::memcpy(&header, window.data() + slot.offset, sizeof header);
  if (header.magic != boot::image::kMagic) return {};
  return fmt::format("{}.{}.{}", header.version.major, header.version.minor, header.version.revision);
}

RecordText record_in(Window window) {
  const auto journal = inspect::read_boot_journal(window);
  const boot::BootRecord* const record = journal.record_in_force();
  if (record == nullptr) return {};
  return {.committed = std::string(boot::slot_name(record->state.committed_slot)),
          .staged = std::string(boot::slot_name(record->state.staged_slot)),
          .state = std::string(boot::to_string(record->state.staged_state))};
}

FlashBefore read_before(const FlashHistory& history) {
  const Window window = history.before();
  FlashBefore before;
  const std::uint32_t pages = history.part().size / flash::kPageSize;
  before.pages.resize(pages);
  for (std::uint32_t page = 0; page < pages; ++page)
    before.pages[page] =
        !inspect::is_erased(window.subspan(std::size_t{page} * flash::kPageSize, flash::kPageSize));
  for (std::size_t slot = 0; slot < kShownSlots.size(); ++slot)
    before.versions[slot] = version_in(window, kShownSlots[slot]);
  before.record = record_in(window);
  return before;
}

/// What the operation before `history`'s position has done; nothing if it changed no cell of the array.
std::optional<FlashChange> change_by(const LoggedOperation& operation, FlashHistory& history,
                                     std::size_t done) {
  const bool is_erase = operation.kind == OpKind::kEraseSector || operation.kind == OpKind::kEraseBlock;
  if (operation.applied == 0 || (!is_erase && operation.kind != OpKind::kProgram)) return std::nullopt;
  FlashChange change{
      .is_erase = is_erase, .offset = flash_file::first_cell(operation), .length = operation.applied};
  change.has_record =
      flash::kBootControl0.contains(change.offset, 1) || flash::kBootControl1.contains(change.offset, 1);
  for (std::size_t slot = 0; slot < kShownSlots.size(); ++slot)
    if (change.offset == kShownSlots[slot].offset) change.slot = static_cast<int>(slot);
  if (!change.has_record && change.slot < 0) return change;
  history.seek(done);
  if (change.has_record) change.record = record_in(history.window());
  if (change.slot >= 0)
    change.version = version_in(history.window(), kShownSlots[static_cast<std::size_t>(change.slot)]);
  return change;
}

class Reader {
 public:
  explicit Reader(fs::path folder) : folder_(std::move(folder)) {}

  Result<RecordedRun> read() {
    const auto bytes = read_file((folder_ / "events.jsonl").string());
    if (!bytes) return tl::unexpected(bytes.error());
    auto taken = for_each_line(*bytes, [this](std::string_view line) { return take_event(line); });
    if (!taken) return tl::unexpected(taken.error());
    if (!anchors_.empty()) run_.epoch_us = anchors_.front().epoch_us;
    for (const fs::path& device : device_folders()) read_device(device);
    std::ranges::stable_sort(run_.moments, {}, &Moment::t_us);
    const auto result = read_file((folder_ / "result.json").string());
    if (result) run_.result = json::parse(*result, nullptr, false);
    if (!run_.result.is_object()) run_.result = nullptr;
    return std::move(run_);
  }

 private:
  static std::int64_t number(const json& event, const char* member, std::int64_t otherwise) {
    const auto found = event.find(member);
    return found != event.end() && found->is_number_integer() ? found->get<std::int64_t>() : otherwise;
  }

  Result<void> take_event(std::string_view line) {
    json event = json::parse(line, nullptr, false);
    if (!event.is_object()) return {};
    if (number(event, "log_version", kEventLogVersion) > kEventLogVersion) {
      return fail(ExitCode::kUsage, "the event log is of a later version than this otasim reads",
                  "Record it with the otasim that made the run.");
    }
    last_us_ = std::max(last_us_, number(event, "t_us", last_us_));
    const std::int64_t epoch_us = number(event, "epoch_us", -1);
    if (epoch_us >= 0) anchors_.push_back({last_us_, epoch_us});
    run_.moments.push_back({.t_us = last_us_, .kind = Moment::Kind::kEvent, .index = run_.events.size()});
    run_.events.push_back(std::move(event));
    return {};
  }

  [[nodiscard]] std::vector<fs::path> device_folders() const {
    std::vector<fs::path> folders;
    std::error_code error;
    for (fs::directory_iterator entry(folder_ / "devices", error), end; !error && entry != end;
         entry.increment(error))
      if (entry->is_directory(error)) folders.push_back(entry->path());
    std::ranges::sort(folders);
    return folders;
  }

  void read_device(const fs::path& folder) {
    run_.devices.push_back({.name = folder.filename().string()});
    read_flash(folder, run_.devices.back());
    read_frames(folder, run_.devices.back());
  }

  void read_flash(const fs::path& folder, RecordedDevice& device) {
    auto history = FlashHistory::load((folder / "factory.bin").string(), (folder / "flash.ops").string());
    if (!history) {
      device.flash_problem = history.error().message;
      return;
    }
    device.before = read_before(*history);
    const auto operations = history->operations();
    std::int64_t t_us = 0;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const auto when = static_cast<std::int64_t>(operations[i].time_us);
      if (when != 0) t_us = std::max(t_us, html::event_time(anchors_, when).value_or(t_us));
      auto change = change_by(operations[i], *history, i + 1);
      if (!change) continue;
      add_moment(t_us, Moment::Kind::kFlash, device.changes.size());
      device.changes.push_back(std::move(*change));
    }
  }

  void read_frames(const fs::path& folder, RecordedDevice& device) {
    const json frames = html::read_frame_rows((folder / "link.pcap").string(), anchors_);
    for (const json& row : frames.at("rows")) {
      add_moment(row.at(0).get<std::int64_t>(), Moment::Kind::kFrame, device.frames.size());
      device.frames.push_back(
          {.is_from_device = row.at(1).get<int>() == 0, .bytes = row.at(3).get<std::uint32_t>()});
    }
  }

  void add_moment(std::int64_t t_us, Moment::Kind kind, std::size_t index) {
    run_.moments.push_back({.t_us = std::max<std::int64_t>(t_us, 0),
                            .kind = kind,
                            .device = run_.devices.size() - 1,
                            .index = index});
  }

  fs::path folder_;
  RecordedRun run_;
  std::vector<ClockAnchor> anchors_;
  std::int64_t last_us_ = 0;
};

}  // namespace

Result<RecordedRun> read_recorded_run(const std::string& folder) {
  return Reader(folder).read();
}

}  // namespace otasim::report::cast
