#include "sim/report/cast/recorded_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "agent/boot/image_format.h"
#include "agent/boot/slots.h"
#include "sim/base/file_io.h"
#include "sim/base/json_nesting.h"
#include "sim/flash/flash_history.h"
#include "sim/inspect/boot_journal.h"
#include "sim/inspect/text.h"
#include "sim/report/run_stream.h"

namespace otasim::report::cast {
namespace {

using flash::LoggedOperation;
using flash::OpKind;
using flash_file::FlashHistory;
using nlohmann::json;
using Window = flash::ConstWindow;

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
  explicit Reader(std::string folder) : folder_(std::move(folder)) {}

  Result<RecordedRun> read() {
    auto stream = RunStream::open(folder_);
    if (!stream) return tl::unexpected(stream.error());
    for (const RunDevice& device : devices_of_run(folder_)) take_up(device);
    while (auto event = stream->next()) take(std::move(*event));
    if (!stream->anchors().empty()) run_.epoch_us = stream->anchors().front().epoch_us;
    run_.result = read_run_result(folder_);
    return std::move(run_);
  }

 private:
  void take_up(const RunDevice& device) {
    RecordedDevice& recorded = run_.devices.emplace_back(RecordedDevice{.name = device.name});
    auto history = FlashHistory::load(device.folder + "/factory.bin", device.folder + "/flash.ops");
    if (history) {
      recorded.before = read_before(*history);
      histories_.emplace_back(std::move(*history));
    } else {
      recorded.flash_problem = history.error().message;
      histories_.emplace_back(std::nullopt);
    }
  }

  void take(json event) {
    const std::string kind = event.at("event").get<std::string>();
    const bool is_of_a_device = !event.contains("n");  // of its files, not of the log
    const bool is_operation = is_of_a_device && kind == "operation";
    const bool is_frame = is_of_a_device && kind == "frame";
    const std::int64_t t_us = std::max<std::int64_t>(event.at("t_us").get<std::int64_t>(), 0);
    if (!is_operation && !is_frame) {
      run_.moments.push_back({.t_us = t_us, .kind = Moment::Kind::kEvent, .index = run_.events.size()});
      run_.events.push_back(std::move(event));
      return;
    }
    const auto device =
        std::ranges::find(run_.devices, event.at("device").get<std::string>(), &RecordedDevice::name);
    if (device == run_.devices.end()) return;
    const auto index = static_cast<std::size_t>(device - run_.devices.begin());
    if (is_operation) return take_operation(index, t_us, event.at("place").get<std::size_t>());
    run_.moments.push_back(
        {.t_us = t_us, .kind = Moment::Kind::kFrame, .device = index, .index = device->frames.size()});
    device->frames.push_back({.is_from_device = event.at("direction") == "from_device",
                              .bytes = event.at("length_bytes").get<std::uint32_t>()});
  }

  void take_operation(std::size_t index, std::int64_t t_us, std::size_t place) {
    auto& history = histories_[index];
    if (!history || place >= history->operations().size()) return;
    auto change = change_by(history->operations()[place], *history, place + 1);
    if (!change) return;
    RecordedDevice& device = run_.devices[index];
    run_.moments.push_back(
        {.t_us = t_us, .kind = Moment::Kind::kFlash, .device = index, .index = device.changes.size()});
    device.changes.push_back(std::move(*change));
  }

  std::string folder_;
  RecordedRun run_;
  std::vector<std::optional<FlashHistory>> histories_;
};

}  // namespace

json read_run_result(const std::string& folder) {
  const auto bytes = read_file(folder + "/result.json");
  if (!bytes) return nullptr;
  json result = parse_shallow_json(*bytes);
  return result.is_object() ? result : json(nullptr);
}

Result<RecordedRun> read_recorded_run(const std::string& folder) {
  return Reader(folder).read();
}

}  // namespace otasim::report::cast
