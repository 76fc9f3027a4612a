#include "sim/sweep/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>
#include <span>
#include <utility>

#include "pal_sim/flash/op_log.h"
#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/scenario/oracle.h"
#include "sim/scenario/stage.h"

namespace otasim::sweep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using scenario::LabHistory;
using scenario::LabSnapshot;

constexpr const char* kStore = "cloud.sqlite";
constexpr const char* kOver = "SUCCEEDED|FAILED|REJECTED|CANCELED|REMOVED|TIMED_OUT";

/// Snapshots that were taken before the operation was begun.
std::size_t snapshots_before(const LabHistory& history, const flash::LoggedOperation& operation) {
  const auto later = std::ranges::find_if(history.snapshots, [&](const LabSnapshot& snapshot) {
    return snapshot.operation >= operation.sequence;
  });
  return static_cast<std::size_t>(later - history.snapshots.begin());
}

/// The events that the run had seen: through that of the last snapshot, or before that of the one that is
/// lost.
Result<std::vector<json>> events_until(const std::string& path, std::uint64_t last) {
  const auto bytes = read_file(path);
  if (!bytes) return tl::unexpected(bytes.error());
  std::vector<json> events;
  std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    json event = json::parse(line, nullptr, false);
    const auto number = event.is_object() ? event.find("n") : event.end();
    if (!event.is_object() || number == event.end() || !number->is_number_unsigned() || *number > last) break;
    events.push_back(std::move(event));
  }
  return events;
}

Result<void> write_events(const std::string& path, const std::vector<json>& events) {
  std::string text;
  for (const json& event : events) text += event.dump() + "\n";
  return write_file_atomic(path, text);
}

Result<void> keep_copy(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  if (!error) fs::copy_file(from, to, error);
  if (!error) return {};
  return fail(ExitCode::kEnvironment,
              fmt::format("cannot copy {} to {}: {}", from.string(), to.string(), error.message()));
}

/// Flash as the cut has left it, and the log of what led there.
Result<void> write_flash(const Recording& recording, const CompletionCase& wanted,
                         const std::string& folder) {
  const auto operations = recording.history.operations();
  flash_file::FlashHistory history = recording.history;
  history.seek(wanted.operation);
  FlashState state(history.window(), history.part());
  const flash::LoggedOperation& cut = operations[wanted.operation];
  state.tear(cut, {.bytes = wanted.bytes});
  if (auto written = write_file_atomic(folder + "/flash.bin", state.window()); !written) return written;
  auto log = flash::OpLogWriter::open(folder + "/flash.ops");
  if (!log) return fail(ExitCode::kEnvironment, fmt::format("cannot make the op log {}/flash.ops", folder));
  for (std::size_t i = 0; i <= wanted.operation; ++i) {
    flash::LoggedOperation one = operations[i];
    if (i == wanted.operation) {
      one.applied = std::min(wanted.bytes, one.length);
      one.status = flash::Status::kNoDevice;
    }
    log->on_operation({.sequence = one.sequence,
                       .kind = one.kind,
                       .offset = one.offset,
                       .length = one.length,
                       .applied = one.applied,
                       .data = one.data,
                       .status = one.status,
                       .source = one.source,
                       .time_us = one.time_us});
  }
  if (log->error() != 0)
    return fail(ExitCode::kEnvironment, fmt::format("cannot write the op log {}/flash.ops", folder));
  return {};
}

/// A lab's folder with this store; whoever goes on with it removes it.
Result<std::string> make_lab(const Recording& recording, const LabSnapshot& snapshot) {
  const fs::path kept = fs::path(recording.folder) / LabHistory::kFolder;
  auto temp = TempDir::create();
  if (!temp) return tl::unexpected(temp.error());
  std::error_code error;
  fs::copy(kept / "lab", temp->path(), fs::copy_options::recursive | fs::copy_options::skip_symlinks, error);
  if (error)
    return fail(ExitCode::kEnvironment, fmt::format("cannot copy the lab's files: {}", error.message()));
  if (auto copied = keep_copy(kept / snapshot.file, temp->path() / kStore); !copied)
    return tl::unexpected(copied.error());
  temp->keep();
  return temp->path().string();
}

/// Ends when each job that the cloud knew of has ended on the device.
scenario::Scenario completion_of(const Recording& recording, const LabHistory& history,
                                 const std::set<std::string>& jobs) {
  json patterns = json::array();
  for (const std::string& job : jobs) {
    patterns.push_back({{"event", "cloud.job_execution"},
                        {"job", job},
                        {"thing", recording.device},
                        {"status", {{"matches", kOver}}}});
  }
  scenario::Scenario scenario;
  scenario.name = recording.name;
  scenario.limit_s = kCompletionLimitSeconds + 10;
  for (const std::string& image : history.images) scenario.images[image] = json::object();
  scenario.devices = history.devices;
  scenario.groups = json::object();
  scenario.expect = json::object();
  scenario.steps = {{.name = "wait",
                     .arguments = {{"for_all", std::move(patterns)}, {"limit_s", kCompletionLimitSeconds}},
                     .where = "L1: the update"}};
  return scenario;
}

/// An image whose attempt may be on record, and whose acceptance may not, has had its only trial.
bool may_lose_trial(const Recording& recording, const CompletionCase& wanted) {
  flash_file::FlashHistory history = recording.history;
  for (const std::size_t done : {wanted.operation, wanted.operation + 1}) {
    history.seek(done);
    const auto record = scenario::state_in_force(history.window());
    if (!record) continue;
    if (record->state.staged_state == boot::StagedState::kTrial) return true;
    if (record->state.staged_state == boot::StagedState::kAccepted && !record->is_settled) return true;
  }
  return false;
}

std::set<std::string> ends_allowed(const Recording& recording, const LabHistory& history,
                                   const CompletionCase& wanted) {
  std::set<std::string> ends;
  for (const LabSnapshot& snapshot : history.snapshots) {
    if (snapshot.status != "QUEUED" && snapshot.status != "IN_PROGRESS") ends.insert(snapshot.status);
  }
  if (may_lose_trial(recording, wanted)) ends.insert({"FAILED", "REJECTED"});
  return ends;
}

}  // namespace

std::string CompletionCase::name() const {
  return fmt::format("{}:{}", operation, bytes);
}

std::vector<CompletionCase> sample_completions(const Recording& recording, const LabHistory& history,
                                               std::size_t cuts, std::uint64_t seed) {
  const auto operations = recording.history.operations();
  std::vector<std::size_t> eligible;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (cell_bytes(operations[i]) != 0 && snapshots_before(history, operations[i]) != 0)
      eligible.push_back(i);
  }
  std::mt19937_64 random(seed);
  std::vector<std::size_t> chosen;
  std::ranges::sample(eligible, std::back_inserter(chosen), static_cast<std::ptrdiff_t>(cuts), random);
  std::vector<CompletionCase> cases;
  for (const std::size_t operation : chosen) {
    const auto length = cell_bytes(operations[operation]);
    const std::uint32_t points[] = {0, length / 2, length};
    const std::uint32_t bytes = points[random() % std::size(points)];
    cases.push_back({.operation = operation, .bytes = bytes});
    if (snapshots_before(history, operations[operation]) > 1)
      cases.push_back({.operation = operation, .bytes = bytes, .is_delivered = false});
  }
  return cases;
}

std::vector<std::string> wrong_ends(const json& jobs, const std::set<std::string>& may_end) {
  std::vector<std::string> wrong;
  for (const json& job : jobs) {
    const std::string status = job.value("status", "");
    const std::string reason = job.value("reason", "");
    if (!may_end.contains(status)) {
      wrong.push_back(fmt::format("L1: the job {} has ended {} ({}), and was to end {}", job.value("job", ""),
                                  status, reason, fmt::join(may_end, " or ")));
    } else if (status != "SUCCEEDED" && reason.empty()) {
      wrong.push_back(
          fmt::format("L1: the job {} has ended {} without a reason", job.value("job", ""), status));
    }
  }
  return wrong;
}

Result<PreparedCompletion> prepare_completion(const Recording& recording, const LabHistory& history,
                                              const CompletionCase& wanted, const std::string& folder) {
  const auto operations = recording.history.operations();
  if (wanted.operation >= operations.size() || cell_bytes(operations[wanted.operation]) == 0 ||
      wanted.bytes > cell_bytes(operations[wanted.operation])) {
    return fail(ExitCode::kUsage, fmt::format("{} has no operation {} that changes {} bytes of flash",
                                              recording.folder, wanted.operation, wanted.bytes));
  }
  const std::size_t delivered = snapshots_before(history, operations[wanted.operation]);
  if (delivered < (wanted.is_delivered ? 1U : 2U)) {
    return fail(ExitCode::kUsage,
                fmt::format("the cloud knows of no job {}before operation {}",
                            wanted.is_delivered ? "" : "and a later message ", wanted.operation));
  }
  const LabSnapshot& last = history.snapshots[delivered - 1];
  const LabSnapshot& snapshot = wanted.is_delivered ? last : history.snapshots[delivered - 2];
  const scenario::Cell cell{.board = recording.board, .data = recording.data, .seed = recording.seed};
  std::set<std::string> jobs;
  for (std::size_t i = 0; &history.snapshots[i] <= &snapshot; ++i) jobs.insert(history.snapshots[i].job);
  auto events =
      events_until(recording.folder + "/events.jsonl", wanted.is_delivered ? last.event : last.event - 1);
  if (!events) return tl::unexpected(events.error());
  if (auto written = write_events(folder + "/events.jsonl", *events); !written)
    return tl::unexpected(written.error());

  const std::string device = fmt::format("{}/devices/{}", folder, recording.device);
  const std::string factory = fmt::format("devices/{}/{}", recording.device, scenario::kFactoryFlashFile);
  if (auto copied = keep_copy(recording.folder + "/" + factory, folder + "/" + factory); !copied)
    return tl::unexpected(copied.error());
  if (auto written = write_flash(recording, wanted, device); !written) return tl::unexpected(written.error());
  for (const std::string& name : history.images) {
    const std::string file = name + ".img";
    if (auto copied = keep_copy(fmt::format("{}/{}/{}", recording.folder, LabHistory::kFolder, file),
                                folder + "/" + file);
        !copied) {
      return tl::unexpected(copied.error());
    }
  }
  auto lab = make_lab(recording, snapshot);
  if (!lab) return tl::unexpected(lab.error());
  return PreparedCompletion{.plan = {.scenario = completion_of(recording, history, jobs),
                                     .cell = cell,
                                     .folder = folder,
                                     .checkpoint = scenario::Checkpoint{.step = 0,
                                                                        .cursor = 0,
                                                                        .lab_folder = std::move(*lab),
                                                                        .mqtt_port = 0,
                                                                        .devices_on = {recording.device},
                                                                        .damaged = {},
                                                                        .updates = history.updates},
                                     .earlier_events = std::move(*events)},
                            .may_end = ends_allowed(recording, history, wanted)};
}

}  // namespace otasim::sweep
