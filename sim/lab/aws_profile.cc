#include "sim/lab/aws_profile.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "sim/base/file_io.h"
#include "sim/cloud/arn.h"

namespace otasim::lab {

namespace {

constexpr int kPrivateFile = 0600;

/// As one word of a shell's.
std::string shell_quoted(std::string_view text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

}  // namespace

std::string shown_host(const std::string& host) {
  return host == kEndpointHost ? "localhost" : host;
}

std::string aws_endpoint(const std::string& host, std::uint16_t https_port) {
  return fmt::format("https://{}:{}", shown_host(host), https_port);
}

Result<std::string> write_aws_environment(const Lab& lab, const std::string& endpoint) {
  const std::string path = lab.folder() + "/env.sh";
  std::string text = fmt::format(
      "# Written by otasim for the lab in this folder. It holds the lab's access key. Use: . {}\n"
      "unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE\n",
      shell_quoted(path));
  const std::array<std::pair<const char*, std::string>, 8> variables{{
      {"OTASIM_LAB", lab.folder()},
      {"AWS_ENDPOINT_URL", endpoint},
      {"AWS_CA_BUNDLE", lab.authority().certificate_path},
      {"AWS_ACCESS_KEY_ID", lab.access_key().id},
      {"AWS_SECRET_ACCESS_KEY", lab.access_key().secret},
      {"AWS_REGION", std::string(cloud::kRegion)},
      {"AWS_DEFAULT_REGION", std::string(cloud::kRegion)},
      {"AWS_EC2_METADATA_DISABLED", "true"},
  }};
  for (const auto& [name, value] : variables)
    text += fmt::format("export {}={}\n", name, shell_quoted(value));
  text += "aws() { command aws --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"; }\n";
  if (auto written = write_file_atomic(path, text, kPrivateFile); !written) {
    return tl::unexpected(written.error());
  }
  return path;
}

}  // namespace otasim::lab
