#include "sim/scenario/lab_snapshots.h"

#include <fmt/format.h>

#include <filesystem>

#include "pal_sim/flash/controller_registers.h"
#include "pal_sim/flash/window.h"
#include "sim/base/file_io.h"
#include "sim/base/json_members.h"
#include "sim/cloud/database.h"
#include "sim/scenario/stage.h"

namespace otasim::scenario {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kIndex = "snapshots.json";
constexpr const char* kStore = "cloud.sqlite";

tl::unexpected<Error> cannot(const std::string& what, const std::error_code& error) {
  return fail(ExitCode::kEnvironment, fmt::format("cannot {}: {}", what, error.message()));
}

}  // namespace

Result<LabHistory> LabHistory::load(const std::string& run) {
  const std::string path = fmt::format("{}/{}/{}", run, kFolder, kIndex);
  const auto bytes = read_file(path);
  if (!bytes) {
    return fail(ExitCode::kUsage,
                fmt::format("{} has no snapshots of its lab, so its updates cannot be completed", run),
                "Record it with `otasim run SCENARIO --snapshots`, or let the sweep do so: --scenario NAME "
                "--complete.");
  }
  try {
    const json value = json::parse(*bytes);
    LabHistory history{.snapshots = {},
                       .updates = value.at("updates"),
                       .devices = value.at("devices"),
                       .images = value.at("images")};
    for (const json& one : value.at("snapshots")) {
      history.snapshots.push_back({.file = one.at("file"),
                                   .event = one.at("event"),
                                   .operation = one.at("operation"),
                                   .job = one.at("job"),
                                   .status = one.at("status")});
      const std::string& file = history.snapshots.back().file;
      if (file.find('/') != std::string::npos || !file.ends_with(".sqlite"))
        return fail(ExitCode::kUsage, fmt::format("{} names '{}', which is no snapshot", path, file));
    }
    return history;
  } catch (const json::exception& error) {
    return fail(ExitCode::kUsage, fmt::format("{} cannot be read: {}", path, error.what()));
  }
}

Result<std::unique_ptr<LabSnapshots>> LabSnapshots::begin(const std::string& run) {
  std::unique_ptr<LabSnapshots> snapshots(new LabSnapshots(fmt::format("{}/{}", run, LabHistory::kFolder)));
  std::error_code error;
  fs::create_directories(snapshots->folder_, error);
  // The lab's keys are in it.
  if (!error) fs::permissions(snapshots->folder_, fs::perms::owner_all, error);
  if (error) return cannot(fmt::format("make {}", snapshots->folder_), error);
  return snapshots;
}

void LabSnapshots::take(Stage& stage, const json& event) {
  if (!taken_ || stage.device_names().empty()) return;
  LabSnapshot snapshot{.file = fmt::format("{:04}.sqlite", history_.snapshots.size() + 1),
                       .event = event.at("n"),
                       .operation = flash::read_register(stage.device(stage.device_names().front()).flash(),
                                                         flash::controller::kRegSequence),
                       .job = text_of(event, "job"),
                       .status = text_of(event, "status")};
  auto store = cloud::Database::open(stage.lab_folder() + "/" + kStore);
  taken_ = store ? (*store)->execute("VACUUM INTO ?", {folder_ + "/" + snapshot.file})
                 : Result<void>(tl::unexpected(store.error()));
  if (taken_) history_.snapshots.push_back(std::move(snapshot));
}

/// All but the store and sockets.
Result<void> LabSnapshots::copy_lab(const Stage& stage) const {
  const fs::path from = stage.lab_folder();
  std::error_code error;
  for (auto at = fs::recursive_directory_iterator(from, error); !error && at != fs::end(at);
       at.increment(error)) {
    if (!at->is_regular_file(error) || at->path().filename().string().starts_with(kStore)) continue;
    const fs::path to = fs::path(folder_) / "lab" / fs::relative(at->path(), from, error);
    if (!error) fs::create_directories(to.parent_path(), error);
    if (!error) fs::copy_file(at->path(), to, error);
    if (error) break;
  }
  if (error) return cannot("keep the lab's files", error);
  return {};
}

Result<void> LabSnapshots::finish(Stage& stage, const Scenario& scenario) {
  if (!taken_) return taken_;
  if (auto copied = copy_lab(stage); !copied) return copied;
  if (auto saved = stage.save_images(folder_); !saved) return saved;
  json value{{"updates", stage.updates()},
             {"devices", scenario.devices},
             {"images", json::array()},
             {"snapshots", json::array()}};
  for (const auto& [name, image] : stage.images()) value["images"].push_back(name);
  for (const LabSnapshot& one : history_.snapshots) {
    value["snapshots"].push_back({{"file", one.file},
                                  {"event", one.event},
                                  {"operation", one.operation},
                                  {"job", one.job},
                                  {"status", one.status}});
  }
  return write_file_atomic(folder_ + "/" + kIndex, value.dump(2) + "\n");
}

}  // namespace otasim::scenario
