#include "sim/sweep/recording.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/cloud/identifiers.h"
#include "sim/scenario/stage.h"
#include "sim/sweep/cut.h"

namespace otasim::sweep {
namespace {

using nlohmann::json;

constexpr const char* kResultFile = "result.json";

tl::unexpected<Error> no_recording(const std::string& folder, const std::string& why) {
  return fail(
      ExitCode::kUsage, fmt::format("{} cannot be swept: {}", folder, why),
      "Give a folder that `otasim run` has made and left whole, or let the sweep make one: --scenario NAME.");
}

/// Where the flash of the run differs from what its operations have made of it.
std::optional<std::size_t> first_difference(flash::ConstWindow made, std::span<const std::uint8_t> left) {
  for (std::size_t at = 0; at < flash::kOtpOffset + flash::kOtpSize; ++at) {
    if (made[at] != left[at]) return at;
  }
  return std::nullopt;
}

}  // namespace

Result<Recording> Recording::load(const std::string& folder) {
  const auto bytes = read_file(folder + "/" + kResultFile);
  if (!bytes) return no_recording(folder, "it has no result.json");
  const json result = json::parse(*bytes, nullptr, false);
  const auto text = [&result](const char* name) {
    const auto found = result.is_object() ? result.find(name) : result.end();
    return result.is_object() && found != result.end() && found->is_string() ? found->get<std::string>()
                                                                             : std::string();
  };
  const json devices = result.is_object() ? result.value("devices", json::array()) : json();
  if (text("scenario").empty() || text("board").empty() || !devices.is_array() || devices.empty() ||
      !devices.front().is_object() || !devices.front().contains("device")) {
    return no_recording(folder, "its result.json is no run's");
  }
  const std::string device =
      devices.front().at("device").is_string() ? devices.front().at("device").get<std::string>() : "";
  if (!cloud::ThingName::parse(device)) return no_recording(folder, "the name of its device is none");
  const std::string files = folder + "/devices/" + device + "/";
  auto history = flash_file::FlashHistory::load(files + scenario::kFactoryFlashFile, files + "flash.ops");
  if (!history) return no_recording(folder, history.error().message);
  if (history->is_torn()) return no_recording(folder, "its op log is torn");
  if (std::ranges::none_of(history->operations(),
                           [](const auto& operation) { return cell_bytes(operation) != 0; }))
    return no_recording(folder, "no operation has changed its flash");
  const auto left = read_file(files + "flash.bin");
  if (!left || left->size() != flash::kWindowSize)
    return no_recording(folder, "its flash.bin is missing or no flash file");
  history->seek(history->operations().size());
  if (const auto at = first_difference(history->window(), *left)) {
    return no_recording(
        folder, fmt::format("flash holds {:#04x} at {:#x}, its operations have made {:#04x} of it: it was "
                            "changed at rest, or holds marginal bits",
                            (*left)[*at], *at, history->window()[*at]));
  }
  const json seed = result.value("seed", json(1));
  return Recording{.name = text("scenario"),
                   .folder = folder,
                   .board = text("board"),
                   .data = text("data"),
                   .device = device,
                   .seed = seed.is_number_unsigned() ? seed.get<std::uint64_t>() : 1,
                   .history = std::move(*history)};
}

}  // namespace otasim::sweep
