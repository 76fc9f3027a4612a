#include "sim/report/html/flash_rows.h"

#include <algorithm>
#include <array>

#include "sim/flash/flash_fault.h"
#include "sim/flash/flash_history.h"
#include "sim/flash/flash_range.h"
#include "sim/inspect/explain.h"
#include "sim/inspect/flash_image.h"
#include "sim/inspect/flash_report.h"
#include "sim/inspect/text.h"

namespace otasim::report::html {
namespace {

using flash::LoggedOperation;
using flash::OpKind;
using nlohmann::json;

constexpr std::array kKinds{OpKind::kProgram, OpKind::kEraseSector, OpKind::kOtpProgram,
                            OpKind::kLock,    OpKind::kOtpLock,     OpKind::kEraseBlock};
constexpr std::uint32_t kStatuses = static_cast<std::uint32_t>(flash::Status::kBusy) + 1;
constexpr std::array kSources{flash::OpSource::kUnknown, flash::OpSource::kBoot, flash::OpSource::kAgent,
                              flash::OpSource::kApplication};

/// What an operation did, where its place and length do not say it.
std::string text_of(const LoggedOperation& operation) {
  const auto touched = touched_by(operation);
  const bool is_slot_data = touched.subject == Subject::kSlot && operation.kind == OpKind::kProgram &&
                            operation.offset != inspect::kSlots[touched.slot].offset;
  const bool is_erase = operation.kind == OpKind::kEraseSector || operation.kind == OpKind::kEraseBlock;
  return is_slot_data || is_erase ? std::string() : inspect::what_it_did(operation);
}

void note(json& states, const std::string& subject, std::size_t done, json state) {
  json& of_subject = states[subject];
  if (!of_subject.empty() && of_subject.back().at(1) == state) return;
  of_subject.push_back({done, std::move(state)});
}

}  // namespace

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

json describe_part(const flash::Geometry& part) {
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
          {"sources", std::move(sources)}};
}

json operation_row(const LoggedOperation& operation, std::int64_t t_us) {
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

void add_state(json& states, const Touched& touched, flash::ConstWindow window, std::size_t done,
               const flash::Geometry& part, const inspect::Keys& keys) {
  switch (touched.subject) {
    case Subject::kNone:
      return;
    case Subject::kBootControl:
      return note(states, "boot-control", done, inspect::to_json(inspect::read_boot_journal(window)));
    case Subject::kOtp:
      return note(
          states, "otp", done,
          inspect::to_json(inspect::read_otp_bank(window.subspan(flash::kOtpOffset, flash::kOtpSize))));
    case Subject::kSlot: {
      const flash::Partition& slot = inspect::kSlots[touched.slot];
      return note(states, std::string(slot.name), done,
                  inspect::to_json(
                      inspect::read_slot(window.subspan(slot.offset, slot.size), part.sector_size, keys)));
    }
  }
}

}  // namespace otasim::report::html
