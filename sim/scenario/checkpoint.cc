#include "sim/scenario/checkpoint.h"

#include <fmt/format.h>

#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/json.h"

namespace otasim::scenario {

using nlohmann::json;

Result<void> Checkpoint::save(const std::string& folder) const {
  const json value{{"step", step},           {"cursor", cursor},         {"lab_folder", lab_folder},
                   {"mqtt_port", mqtt_port}, {"devices_on", devices_on}, {"damaged", damaged},
                   {"updates", updates}};
  return write_file_atomic(folder + '/' + kFile, value.dump(2) + "\n");
}

Result<std::optional<Checkpoint>> Checkpoint::take(const std::string& folder) {
  auto checkpoint = look(folder);
  std::error_code ignored;
  std::filesystem::remove(folder + '/' + kFile, ignored);
  return checkpoint;
}

Result<std::optional<Checkpoint>> Checkpoint::look(const std::string& folder) {
  const std::string path = folder + '/' + kFile;
  if (!std::filesystem::exists(path)) return std::nullopt;
  const auto bytes = read_file(path);
  if (!bytes) return tl::unexpected(bytes.error());
  try {
    const json value = json::parse(*bytes);
    return Checkpoint{.step = value.at("step"),
                      .cursor = value.at("cursor"),
                      .lab_folder = value.at("lab_folder"),
                      .mqtt_port = value.at("mqtt_port"),
                      .devices_on = value.at("devices_on"),
                      .damaged = value.at("damaged"),
                      .updates = value.at("updates")};
  } catch (const json::exception& error) {
    return fail(ExitCode::kEnvironment, fmt::format("'{}' cannot be read: {}", path, error.what()));
  }
}

}  // namespace otasim::scenario
