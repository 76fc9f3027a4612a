// Bodies of file stream messages, in CBOR and in JSON: the same fields under the same one-letter keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/publisher.h"
#include "sim/cloud/request_topic.h"
#include "sim/cloud/service_error.h"
#include "sim/cloud/streams_service.h"

namespace otasim::cloud {

/// One data message and where it goes. What it says of its block is true unless a fault has struck it.
struct StreamReply {
  ClientAddress client;
  std::string topic;
  std::string stream;
  Encoding encoding = Encoding::kJson;
  std::optional<std::string> client_token = {};
  std::int64_t file_id = 0;
  std::int64_t index = 0;
  std::int64_t length = 0;  ///< as declared
  std::vector<std::uint8_t> data = {};
};

/// Reads a body's client token alone.
/// @returns kInvalidCbor, kInvalidJson, kInvalidRequest
[[nodiscard]] ServiceResult<std::optional<std::string>> decode_describe(Encoding encoding,
                                                                        std::string_view payload);
/// @param client_token  set as soon as it is known, for the rejection
/// @returns kInvalidCbor, kInvalidJson, kInvalidRequest for a field that is missing or malformed
[[nodiscard]] ServiceResult<GetStreamRequest> decode_get(Encoding encoding, std::string_view payload,
                                                         std::optional<std::string>& client_token);

[[nodiscard]] std::string encode_block(Encoding encoding, const std::optional<std::string>& client_token,
                                       std::int64_t file_id, const StreamBlock& block);
[[nodiscard]] std::string encode_reply(const StreamReply& reply);
[[nodiscard]] std::string encode_description(Encoding encoding,
                                             const std::optional<std::string>& client_token,
                                             const StreamInfo& description);
[[nodiscard]] std::string encode_rejection(Encoding encoding, const std::optional<std::string>& client_token,
                                           const ServiceError& error);

}  // namespace otasim::cloud
