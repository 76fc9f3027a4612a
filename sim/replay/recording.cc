#include "sim/replay/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sim/base/file_io.h"
#include "sim/base/json.h"

namespace otasim::replay {
namespace {

using device::BootEnd;
using nlohmann::json;

constexpr std::string_view kFormat = "otasim-recording";
constexpr std::size_t kMaxFileBytes = std::size_t{16} * 1024 * 1024;
/// A device that resets itself all the time fills disks, not numbers.
constexpr std::size_t kMaxBoots = 100'000;

constexpr std::array<std::pair<BootEnd, std::string_view>, 5> kEnds{
    {{BootEnd::kPowerCut, "power_cut"},
     {BootEnd::kPowerCutInFlash, "power_cut_in_flash"},
     {BootEnd::kShutDown, "shut_down"},
     {BootEnd::kReset, "reset"},
     {BootEnd::kExit, "exit"}}};

json to_json(const ByteRange& range) {
  return {{"begin", range.begin}, {"end", range.end}};
}
ByteRange range_from(const json& value) {
  return {value.at("begin"), value.at("end")};
}
json to_json(const Program& program) {
  return {{"path", program.path}, {"sha256", program.sha256}};
}
Program program_from(const json& value) {
  return {value.at("path"), value.at("sha256")};
}

json to_json(const RecordedBoot& boot) {
  return {{"number", boot.number},
          {"cause", boot.cause},
          {"end", to_string(boot.end)},
          {"whole", boot.is_whole},
          {"console", to_json(boot.console)},
          {"operations", to_json(boot.operations)}};
}

RecordedBoot boot_from(const json& value) {
  RecordedBoot boot{.number = value.at("number"),
                    .cause = value.at("cause"),
                    .is_whole = value.at("whole"),
                    .console = range_from(value.at("console")),
                    .operations = range_from(value.at("operations"))};
  const auto end = value.at("end").get<std::string>();
  const auto* const known = std::ranges::find(kEnds, end, &std::pair<BootEnd, std::string_view>::second);
  if (known == kEnds.end()) throw std::invalid_argument("no boot ends with '" + end + "'");
  boot.end = known->first;
  return boot;
}

Recording recording_from(const json& value) {
  Recording recording{.device = value.at("device"),
                      .board = value.at("board"),
                      .qemu = value.at("qemu"),
                      .icount_shift = value.at("icount_shift"),
                      .seed = value.at("seed"),
                      .window_address = value.at("window_address"),
                      .nic_model = value.at("nic").at("model"),
                      .mac = value.at("nic").at("mac"),
                      .bootloader = program_from(value.at("bootloader")),
                      .application = program_from(value.at("application")),
                      .plugin = program_from(value.at("plugin"))};
  for (const json& piece : value.at("memory"))
    recording.memory.push_back({piece.at("address"), piece.at("size")});
  for (const json& boot : value.at("boots")) recording.boots.push_back(boot_from(boot));
  return recording;
}

/// What the rest of the code takes for granted.
void check(const Recording& recording) {
  const auto memory = kept_memory(recording.board);
  if (memory.empty()) throw std::invalid_argument("no board '" + recording.board + "' can be recorded");
  for (const MemoryRange& piece : recording.memory) {
    const bool is_inside = std::ranges::any_of(memory, [&](const MemoryRange& range) {
      const std::uint64_t end = std::uint64_t{piece.address} + piece.size;
      return piece.address >= range.address && end <= std::uint64_t{range.address} + range.size;
    });
    if (!is_inside) throw std::invalid_argument("memory that the board does not have");
  }
  if (recording.boots.empty()) throw std::invalid_argument("it has no boots");
  if (recording.boots.size() > kMaxBoots) throw std::invalid_argument("more boots than are possible");
  for (std::size_t i = 0; i < recording.boots.size(); ++i) {
    const RecordedBoot& boot = recording.boots[i];
    if (boot.number != i + 1) throw std::invalid_argument("the boots are not numbered from 1");
    if (boot.console.begin > boot.console.end || boot.operations.begin > boot.operations.end)
      throw std::invalid_argument("a range that ends before it begins");
  }
}

}  // namespace

std::string_view to_string(BootEnd end) {
  return std::ranges::find(kEnds, end, &std::pair<BootEnd, std::string_view>::first)->second;
}

Result<Recording> Recording::load(const std::string& folder) {
  const std::string file = folder + "/recording.json";
  const auto bytes = read_regular_file(file, kMaxFileBytes);
  if (!bytes) return tl::unexpected(bytes.error());
  const json value = json::parse(*bytes, nullptr, false);
  if (!value.is_object() || value.value("format", json()) != kFormat)
    return fail(ExitCode::kUsage, fmt::format("{} is not a recording's", file));
  if (const json version = value.value("version", json()); version != kRecordingVersion) {
    return fail(ExitCode::kEnvironment,
                fmt::format("{} is of version {}; this otasim replays version {}", file, version.dump(),
                            kRecordingVersion),
                "Replay it with the otasim that recorded it, or record the run again.");
  }
  try {
    Recording recording = recording_from(value);
    recording.folder = folder;
    check(recording);
    return recording;
  } catch (const std::exception& error) {  // what the JSON library throws, and the checks
    return fail(ExitCode::kUsage, fmt::format("{} cannot be understood: {}", file, error.what()),
                "It is damaged: record the run again.");
  }
}

Result<void> Recording::save() const {
  json pieces = json::array();
  for (const MemoryRange& piece : memory)
    pieces.push_back({{"address", piece.address}, {"size", piece.size}});
  json list = json::array();
  for (const RecordedBoot& boot : boots) list.push_back(to_json(boot));
  const json value = {{"format", kFormat},
                      {"version", kRecordingVersion},
                      {"device", device},
                      {"board", board},
                      {"qemu", qemu},
                      {"icount_shift", icount_shift},
                      {"seed", seed},
                      {"window_address", window_address},
                      {"nic", {{"model", nic_model}, {"mac", mac}}},
                      {"bootloader", to_json(bootloader)},
                      {"application", to_json(application)},
                      {"plugin", to_json(plugin)},
                      {"memory", std::move(pieces)},
                      {"boots", std::move(list)}};
  return write_file_atomic(folder + "/recording.json", value.dump(2) + "\n");
}

std::string Recording::path(unsigned boot, std::string_view what) const {
  return fmt::format("{}/boot-{:03}.{}", folder, boot, what);
}

std::string Recording::memory_path(unsigned boot, std::size_t piece) const {
  return path(boot, fmt::format("memory-{}", piece));
}

const RecordedBoot* Recording::boot(unsigned number) const {
  return number == 0 || number > boots.size() ? nullptr : &boots[number - 1];
}

}  // namespace otasim::replay
