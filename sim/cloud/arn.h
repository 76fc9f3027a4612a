// Amazon Resource Names of the lab's account: `arn:aws:iot:us-east-1:000000000000:thing/NAME`.
//
// An ARN of another partition, region or account names nothing here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otasim::cloud {

inline constexpr std::string_view kAccount = "000000000000";
inline constexpr std::string_view kRegion = "us-east-1";

/// What an ARN of AWS IoT names: `thing`, `thinggroup`, `job`, `jobtemplate`, `stream`, `otaupdate`, `cert`,
/// `policy`.
struct IotResource {
  std::string kind;
  std::string name;
  bool operator==(const IotResource&) const = default;
};

[[nodiscard]] std::string iot_arn(std::string_view kind, std::string_view name);
/// @returns nothing for what is no ARN of AWS IoT in this account
[[nodiscard]] std::optional<IotResource> parse_iot_arn(std::string_view arn);
/// The name in an ARN of this kind, nothing for any other.
[[nodiscard]] std::optional<std::string> name_in_arn(std::string_view arn, std::string_view kind);

}  // namespace otasim::cloud
