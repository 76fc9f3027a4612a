#include "sim/cloud/arn.h"

#include <fmt/format.h>

namespace otasim::cloud {

namespace {

std::string prefix() {
  return fmt::format("arn:aws:iot:{}:{}:", kRegion, kAccount);
}

}  // namespace

std::string iot_arn(std::string_view kind, std::string_view name) {
  return fmt::format("{}{}/{}", prefix(), kind, name);
}

std::optional<IotResource> parse_iot_arn(std::string_view arn) {
  const std::string start = prefix();
  if (!arn.starts_with(start)) return std::nullopt;
  arn.remove_prefix(start.size());
  const std::size_t slash = arn.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == arn.size()) return std::nullopt;
  return IotResource{std::string(arn.substr(0, slash)), std::string(arn.substr(slash + 1))};
}

std::optional<std::string> name_in_arn(std::string_view arn, std::string_view kind) {
  auto resource = parse_iot_arn(arn);
  if (!resource || resource->kind != kind) return std::nullopt;
  return std::move(resource->name);
}

}  // namespace otasim::cloud
