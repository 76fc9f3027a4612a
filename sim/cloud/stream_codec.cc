#include "sim/cloud/stream_codec.h"

#include <fmt/format.h>

#include "sim/base/json.h"
#include "sim/cloud/base64.h"
#include "sim/cloud/cbor.h"
#include "sim/cloud/json_body.h"

namespace otasim::cloud {

namespace {

using Json = nlohmann::ordered_json;
using Bytes = std::vector<std::uint8_t>;

constexpr std::int64_t kMaxFileId = 255;
constexpr std::int64_t kMaxVersion = 65'535;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// A bitmap in JSON: hex digits, with or without `0x`.
std::optional<Bytes> read_hex(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return bytes;
}

/// A JSON body in the form of a CBOR one, so that fields are checked once.
ServiceResult<CborMap> read_json(std::string_view payload) {
  const auto json = nlohmann::json::parse(payload, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return refuse(ErrorCode::kInvalidJson, "The body is not JSON.");
  if (!json.is_object()) return refuse(ErrorCode::kInvalidRequest, "The body is not a JSON object.");
  CborMap fields;
  for (const auto& [key, value] : json.items()) {
    CborValue& field = fields[key];
    if (value.is_string() && key == "b") {
      if (auto bytes = read_hex(value.get_ref<const std::string&>())) field = std::move(*bytes);
    } else if (value.is_string()) {
      field = value.get<std::string>();
    } else if (value.is_number_integer() &&
               (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX)) {
      field = value.get<std::int64_t>();
    }
  }
  return fields;
}

ServiceResult<CborMap> read_fields(Encoding encoding, std::string_view payload) {
  if (payload.empty()) return CborMap{};
  if (encoding == Encoding::kJson) return read_json(payload);
  auto fields = read_cbor_map(payload);
  if (!fields) return refuse(ErrorCode::kInvalidCbor, "The body is not a CBOR map with text keys.");
  return std::move(*fields);
}

template <typename T>
ServiceResult<std::optional<T>> get(const CborMap& fields, const char* key, const char* expected) {
  const auto found = fields.find(key);
  if (found == fields.end()) return std::nullopt;
  if (const T* value = std::get_if<T>(&found->second)) return *value;
  return refuse(ErrorCode::kInvalidRequest, fmt::format("{} must be {}.", key, expected));
}

ServiceResult<std::optional<std::int64_t>> integer(const CborMap& fields, const char* key) {
  return get<std::int64_t>(fields, key, "an integer");
}

ServiceResult<std::int64_t> required_integer(const CborMap& fields, const char* key) {
  const auto value = integer(fields, key);
  if (!value) return tl::unexpected(value.error());
  if (!*value) return refuse(ErrorCode::kInvalidRequest, fmt::format("{} is missing.", key));
  return **value;
}

ServiceResult<std::optional<std::string>> read_token(const CborMap& fields) {
  auto token = get<std::string>(fields, "c", "text");
  if (token && *token && (*token)->size() > kMaxClientToken) {
    return refuse(ErrorCode::kInvalidRequest, "c must be at most 64 bytes long.");
  }
  return token;
}

void text_pair(CborWriter& writer, const char* key, std::string_view value) {
  writer.text(key);
  writer.text(value);
}

void integer_pair(CborWriter& writer, const char* key, std::int64_t value) {
  writer.text(key);
  writer.integer(value);
}

/// Starts a map of `pairs` and the token, if there is one.
CborWriter cbor_map(std::uint64_t pairs, const std::optional<std::string>& client_token) {
  CborWriter writer;
  writer.map(pairs + (client_token ? 1 : 0));
  if (client_token) text_pair(writer, "c", *client_token);
  return writer;
}

Json json_map(const std::optional<std::string>& client_token) {
  return client_token ? Json{{"c", *client_token}} : Json::object();
}

/// A data message's fields.
struct Data {
  std::int64_t file_id;
  std::int64_t length;
  std::int64_t index;
  std::span<const std::uint8_t> bytes;
};

std::string encode_data(Encoding encoding, const std::optional<std::string>& client_token, const Data& data) {
  if (encoding == Encoding::kJson) {
    Json json = json_map(client_token);
    json.update(
        Json{{"f", data.file_id}, {"l", data.length}, {"i", data.index}, {"p", base64_encode(data.bytes)}});
    return to_text(json);
  }
  CborWriter writer = cbor_map(4, client_token);
  integer_pair(writer, "f", data.file_id);
  integer_pair(writer, "l", data.length);
  integer_pair(writer, "i", data.index);
  writer.text("p");
  writer.bytes(data.bytes);
  return writer.result();
}

}  // namespace

ServiceResult<std::optional<std::string>> decode_describe(Encoding encoding, std::string_view payload) {
  const auto fields = read_fields(encoding, payload);
  if (!fields) return tl::unexpected(fields.error());
  return read_token(*fields);
}

ServiceResult<GetStreamRequest> decode_get(Encoding encoding, std::string_view payload,
                                           std::optional<std::string>& client_token) {
  const auto fields = read_fields(encoding, payload);
  if (!fields) return tl::unexpected(fields.error());
  const auto token = read_token(*fields);
  if (!token) return tl::unexpected(token.error());
  client_token = *token;

  const auto file_id = required_integer(*fields, "f");
  if (!file_id) return tl::unexpected(file_id.error());
  const auto block_size = required_integer(*fields, "l");
  if (!block_size) return tl::unexpected(block_size.error());
  const auto offset = integer(*fields, "o");
  if (!offset) return tl::unexpected(offset.error());
  const auto count = integer(*fields, "n");
  if (!count) return tl::unexpected(count.error());
  const auto version = integer(*fields, "s");
  if (!version) return tl::unexpected(version.error());
  auto bitmap = get<Bytes>(*fields, "b", "a bitmap");
  if (!bitmap) return tl::unexpected(bitmap.error());
  if (*file_id < 0 || *file_id > kMaxFileId) return refuse(ErrorCode::kInvalidRequest, "f must be 0 to 255.");
  if (*version && (**version < 0 || **version > kMaxVersion)) {
    return refuse(ErrorCode::kInvalidRequest, "s must be 0 to 65535.");
  }
  return GetStreamRequest{*file_id, *block_size, offset->value_or(0), *count, std::move(*bitmap), *version};
}

std::string encode_block(Encoding encoding, const std::optional<std::string>& client_token,
                         std::int64_t file_id, const StreamBlock& block) {
  return encode_data(encoding, client_token,
                     {file_id, static_cast<std::int64_t>(block.data.size()), block.index, block.data});
}

std::string encode_reply(const StreamReply& reply) {
  return encode_data(reply.encoding, reply.client_token,
                     {reply.file_id, reply.length, reply.index, reply.data});
}

std::string encode_description(Encoding encoding, const std::optional<std::string>& client_token,
                               const StreamInfo& description) {
  if (encoding == Encoding::kJson) {
    Json files = Json::array();
    for (const StreamFileInfo& file : description.files)
      files.push_back({{"f", file.file_id}, {"z", file.size}});
    Json json = json_map(client_token);
    json.update(Json{{"s", description.version}, {"d", description.description}, {"r", std::move(files)}});
    return to_text(json);
  }
  CborWriter writer = cbor_map(3, client_token);
  integer_pair(writer, "s", description.version);
  text_pair(writer, "d", description.description);
  writer.text("r");
  writer.array(description.files.size());
  for (const StreamFileInfo& file : description.files) {
    writer.map(2);
    integer_pair(writer, "f", file.file_id);
    integer_pair(writer, "z", file.size);
  }
  return writer.result();
}

std::string encode_rejection(Encoding encoding, const std::optional<std::string>& client_token,
                             const ServiceError& error) {
  if (encoding == Encoding::kJson) {
    Json json{{"o", to_string(error.code)}, {"m", error.message}};
    json.update(json_map(client_token));
    return to_text(json);
  }
  CborWriter writer = cbor_map(2, client_token);
  text_pair(writer, "o", to_string(error.code));
  text_pair(writer, "m", error.message);
  return writer.result();
}

}  // namespace otasim::cloud
