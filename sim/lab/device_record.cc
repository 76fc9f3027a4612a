#include "sim/lab/device_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/json_members.h"

namespace otasim::lab {
namespace {

using State = DeviceRecord::State;

constexpr std::array<std::pair<State, std::string_view>, 3> kStates{
    {{State::kEquipping, "equipping"}, {State::kReady, "ready"}, {State::kRemoving, "removing"}}};

std::string path_in(const std::string& folder) {
  return fmt::format("{}/{}", folder, DeviceRecord::kFile);
}

std::string_view name_of(State state) {
  return std::ranges::find(kStates, state, &std::pair<State, std::string_view>::first)->second;
}

std::optional<State> parse_state(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  const auto* const found = std::ranges::find(kStates, *name, &std::pair<State, std::string_view>::second);
  return found == kStates.end() ? std::nullopt : std::optional(found->first);
}

/// Six pairs of hex digits with colons between them, as to_string() writes it.
std::optional<link::MacAddress> parse_mac(const std::optional<std::string>& text) {
  link::MacAddress mac{};
  if (!text || text->size() != mac.size() * 3 - 1) return std::nullopt;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const char* const at = text->data() + i * 3;
    if (std::from_chars(at, at + 2, mac[i], 16).ptr != at + 2) return std::nullopt;
    if (i + 1 < mac.size() && at[2] != ':') return std::nullopt;
  }
  return mac;
}

/// A lab of an earlier version has none.
std::optional<TransferSettings> load_transfer(const nlohmann::json& content) {
  if (!content.is_object() || !content.contains("transfer")) return TransferSettings{};
  if (!content["transfer"].is_object()) return std::nullopt;
  const auto settings = transfer_settings_from(content["transfer"]);
  return settings ? std::optional(*settings) : std::nullopt;
}

/// A device of an earlier version has no recovery image.
std::optional<std::string> load_recovery_version(const nlohmann::json& content) {
  if (!content.is_object() || !content.contains("recovery_version")) return std::string();
  return text_member(content, "recovery_version");
}

}  // namespace

bool DeviceRecord::exists(const std::string& folder) {
  std::error_code ignored;
  return std::filesystem::exists(path_in(folder), ignored);
}

Result<DeviceRecord> DeviceRecord::load(const std::string& folder) {
  const std::string path = path_in(folder);
  const auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  const nlohmann::json content = parse_json({reinterpret_cast<const char*>(text->data()), text->size()});
  const auto name = text_member(content, "name");
  const auto board = text_member(content, "board");
  const auto mac = parse_mac(text_member(content, "mac"));
  const auto seed = integer_member(content, "seed");
  const auto is_on = flag_member(content, "on");
  const auto state = parse_state(text_member(content, "state"));
  const auto version = text_member(content, "factory_version");
  const auto recovery = load_recovery_version(content);
  const auto groups = texts_member(content, "groups");
  const auto transfer = load_transfer(content);
  if (!name || !board || !mac || !seed || !is_on || !state || !version || !recovery || !groups || !transfer ||
      *name != std::filesystem::path(folder).filename().string()) {
    return fail(ExitCode::kEnvironment, fmt::format("'{}' is damaged", path),
                "Put the file back, or remove the device's folder to go on without the device.");
  }
  return DeviceRecord{.name = *name,
                      .board = *board,
                      .mac = *mac,
                      .seed = static_cast<std::uint64_t>(*seed),
                      .transfer = *transfer,
                      .is_on = *is_on,
                      .state = *state,
                      .factory_version = *version,
                      .recovery_version = *recovery,
                      .groups = *groups};
}

Result<void> DeviceRecord::save(const std::string& folder) const {
  const nlohmann::json content{{"name", name},
                               {"board", board},
                               {"mac", link::to_string(mac)},
                               {"seed", static_cast<std::int64_t>(seed)},
                               {"transfer", to_json(transfer)},
                               {"on", is_on},
                               {"state", name_of(state)},
                               {"factory_image", kFactoryImage},
                               {"factory_version", factory_version},
                               {"recovery_version", recovery_version},
                               {"groups", groups}};
  return write_file_atomic(path_in(folder), content.dump(2) + "\n");
}

}  // namespace otasim::lab
