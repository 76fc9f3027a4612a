#include "sim/lab/transfer_settings.h"

#include <fmt/format.h>

#include <bit>
#include <limits>

#include "sim/base/json_members.h"

namespace otasim::lab {
namespace {

using nlohmann::json;

constexpr const char* kProtocol = "protocol";
constexpr const char* kBlockSize = "block_size";
constexpr const char* kBlocksPerRequest = "blocks_per_request";
constexpr const char* kBlocksInFlight = "blocks_in_flight";
constexpr const char* kStreamFormat = "stream_format";
constexpr const char* kStartNext = "start_next";
constexpr const char* kMaxRequestMomentum = "max_request_momentum";
constexpr const char* kStatusFrequency = "status_frequency";

/// Reads members one after the other; the first that is wrong is remembered.
class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {}

  template <typename Number>
  void number(const char* name, std::uint32_t least, std::uint32_t most, std::optional<Number>& out) {
    if (!object_.contains(name)) return;
    const auto value = integer_member(object_, name);
    if (!value || *value < least || *value > most) {
      return complain(name, fmt::format("a number from {} to {}", least, most));
    }
    out = static_cast<Number>(*value);
  }

  /// @returns 0 or 1 for the first or second name; nothing if the member is not there, or wrong.
  std::optional<int> choice(const char* name, const char* first, const char* second) {
    if (!object_.contains(name)) return std::nullopt;
    const auto value = text_member(object_, name);
    if (value == first) return 0;
    if (value == second) return 1;
    complain(name, fmt::format("'{}' or '{}'", first, second));
    return std::nullopt;
  }

  void flag(const char* name, std::optional<bool>& out) {
    if (!object_.contains(name)) return;
    out = flag_member(object_, name);
    if (!out) complain(name, "true or false");
  }

  void complain(const char* name, const std::string& wanted) {
    if (problem_.empty()) problem_ = fmt::format("'{}' must be {}", name, wanted);
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  const json& object_;
  std::string problem_;
};

}  // namespace

json to_json(const TransferSettings& settings) {
  json object = json::object();
  if (settings.protocols) {
    object[kProtocol] = settings.protocols->primary == provisioning::kProtocolHttp ? "http" : "mqtt";
  }
  if (settings.block_size) object[kBlockSize] = *settings.block_size;
  if (settings.blocks_per_request) object[kBlocksPerRequest] = *settings.blocks_per_request;
  if (settings.blocks_in_flight) object[kBlocksInFlight] = *settings.blocks_in_flight;
  if (settings.stream_format) {
    object[kStreamFormat] = *settings.stream_format == provisioning::StreamFormat::kJson ? "json" : "cbor";
  }
  if (settings.start_next) object[kStartNext] = *settings.start_next;
  if (settings.max_request_momentum) object[kMaxRequestMomentum] = *settings.max_request_momentum;
  if (settings.status_frequency) object[kStatusFrequency] = *settings.status_frequency;
  return object;
}

Result<TransferSettings> transfer_settings_from(const json& object) {
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
  TransferSettings settings;
  Reader reader(object);
  reader.number(kBlockSize, provisioning::kMinBlockSize, provisioning::kMaxBlockSize, settings.block_size);
  if (settings.block_size && !std::has_single_bit(*settings.block_size)) {
    reader.complain(kBlockSize, "a power of two");
  }
  reader.number(kBlocksPerRequest, 1, provisioning::kMaxBlocksPerRequest, settings.blocks_per_request);
  reader.number(kBlocksInFlight, 1, provisioning::kMaxBlocksInFlight, settings.blocks_in_flight);
  reader.number(kMaxRequestMomentum, 1, kMost, settings.max_request_momentum);
  reader.number(kStatusFrequency, 1, kMost, settings.status_frequency);
  reader.flag(kStartNext, settings.start_next);
  if (const auto is_http = reader.choice(kProtocol, "mqtt", "http")) {
    settings.protocols = {
        .enabled = provisioning::kAllProtocols,
        .primary = *is_http == 1 ? provisioning::kProtocolHttp : provisioning::kProtocolMqtt};
  }
  if (const auto is_json = reader.choice(kStreamFormat, "cbor", "json")) {
    settings.stream_format =
        *is_json == 1 ? provisioning::StreamFormat::kJson : provisioning::StreamFormat::kCbor;
  }
  if (!reader.problem().empty()) return fail(ExitCode::kUsage, "wrong device setting: " + reader.problem());
  return settings;
}

}  // namespace otasim::lab
