#include "sim/report/html/flash_track.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "sim/flash/flash_fault.h"
#include "sim/flash/flash_history.h"
#include "sim/flash/flash_range.h"
#include "sim/inspect/cell_report.h"
#include "sim/inspect/explain.h"
#include "sim/inspect/flash_image.h"
#include "sim/inspect/flash_report.h"
#include "sim/inspect/text.h"

namespace otasim::report::html {
namespace {

using flash::LoggedOperation;
using flash::OpKind;
using flash_file::FlashHistory;
using nlohmann::json;

constexpr std::array kKinds{OpKind::kProgram, OpKind::kEraseSector, OpKind::kOtpProgram,
                            OpKind::kLock,    OpKind::kOtpLock,     OpKind::kEraseBlock};
constexpr std::uint32_t kStatuses = static_cast<std::uint32_t>(flash::Status::kBusy) + 1;
constexpr std::array kSources{flash::OpSource::kUnknown, flash::OpSource::kBoot, flash::OpSource::kAgent,
                              flash::OpSource::kApplication};

/// Which kind of state an operation can change.
enum class Subject : std::uint8_t { kNone, kBootControl, kOtp, kSlot };

struct Touched {
  Subject subject = Subject::kNone;
  std::size_t slot = 0;

  bool operator==(const Touched&) const = default;
};

Touched touched_by(const LoggedOperation& operation) {
  if (operation.applied == 0) return {};
  const std::uint32_t at = flash_file::first_cell(operation);
  if (at >= flash::kOtpOffset) return {Subject::kOtp};
  for (std::size_t i = 0; i < inspect::kSlots.size(); ++i) {
    if (inspect::kSlots[i].contains(at, 1)) return {Subject::kSlot, i};
  }
  if (flash::kBootControl0.contains(at, 1) || flash::kBootControl1.contains(at, 1))
    return {Subject::kBootControl};
  return {};
}

json programmed_pages(flash::ConstWindow window, const flash::Geometry& part) {
  json ranges = json::array();
  std::uint32_t begin = 0;
  bool is_in_range = false;
  const std::uint32_t pages = part.size / flash::kPageSize;
  for (std::uint32_t page = 0; page <= pages; ++page) {
    const bool is_programmed = page < pages && !inspect::is_erased(window.subspan(
                                                   std::size_t{page} * flash::kPageSize, flash::kPageSize));
    if (is_programmed == is_in_range) continue;
    if (is_programmed) {
      begin = page;
    } else {
      ranges.push_back({begin, page - begin});
    }
    is_in_range = is_programmed;
  }
  return ranges;
}

/// What an operation did, where its place and length do not say it.
std::string text_of(const LoggedOperation& operation) {
  const auto touched = touched_by(operation);
  const bool is_slot_data = touched.subject == Subject::kSlot && operation.kind == OpKind::kProgram &&
                            operation.offset != inspect::kSlots[touched.slot].offset;
  const bool is_erase = operation.kind == OpKind::kEraseSector || operation.kind == OpKind::kEraseBlock;
  return is_slot_data || is_erase ? std::string() : inspect::what_it_did(operation);
}

class Track {
 public:
  Track(FlashHistory history, const std::vector<std::int64_t>& times, const inspect::Keys& keys)
      : history_(std::move(history)), times_(times), keys_(keys) {}

  json tell() {
    json track = frame();
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
  [[nodiscard]] json frame() const {
    const flash::Geometry& part = history_.part();
    json partitions = json::array();
    for (const flash::Partition& one : flash::kPartitions)
      partitions.push_back({one.name, one.offset, one.size, one.purpose});
    json kinds = json::object();
    for (const OpKind kind : kKinds)
      kinds[std::to_string(static_cast<unsigned>(kind))] = flash_file::to_string(kind);
    json statuses = json::array();
    for (std::uint32_t status = 0; status < kStatuses; ++status)
      statuses.push_back(flash::to_string(static_cast<flash::Status>(status)));
    json sources = json::array();
    for (const flash::OpSource source : kSources) sources.push_back(flash_file::to_string(source));
    return {{"part",
             {{"name", inspect::part_name(part)},
              {"size", part.size},
              {"sector", part.sector_size},
              {"page", part.page_size},
              {"fuses", part.has_fuses}}},
            {"partitions", std::move(partitions)},
            {"kinds", std::move(kinds)},
            {"statuses", std::move(statuses)},
            {"sources", std::move(sources)},
            {"torn", history_.is_torn()}};
  }

  [[nodiscard]] json row_of(const LoggedOperation& operation, std::size_t place) const {
    // One that was logged after the times were read is as late as the last of those.
    const std::int64_t t_us = times_.empty() ? 0 : times_[std::min(place, times_.size() - 1)];
    json row{t_us,
             static_cast<unsigned>(operation.kind),
             static_cast<unsigned>(operation.status),
             static_cast<unsigned>(operation.source),
             operation.offset,
             operation.length,
             operation.applied,
             operation.sequence};
    std::string text = text_of(operation);
    if (!text.empty()) row.push_back(std::move(text));
    return row;
  }

  void decode(const Touched& touched) {
    const flash::ConstWindow window = history_.window();
    switch (touched.subject) {
      case Subject::kNone:
        return;
      case Subject::kBootControl:
        return note("boot-control", inspect::to_json(inspect::read_boot_journal(window)));
      case Subject::kOtp:
        return note("otp", inspect::to_json(
                               inspect::read_otp_bank(window.subspan(flash::kOtpOffset, flash::kOtpSize))));
      case Subject::kSlot: {
        const flash::Partition& slot = inspect::kSlots[touched.slot];
        ++slot_states_[touched.slot];
        return note(std::string(slot.name),
                    inspect::to_json(inspect::read_slot(window.subspan(slot.offset, slot.size),
                                                        history_.part().sector_size, keys_)));
      }
    }
  }

  void note(const std::string& subject, json state) {
    json& states = states_[subject];
    if (!states.empty() && states.back().at(1) == state) return;
    states.push_back({history_.position(), std::move(state)});
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
