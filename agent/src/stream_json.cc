#include "agent/src/stream_json.h"

#include "agent/src/base64.h"
#include "agent/src/json_document.h"
#include "agent/src/json_values.h"

namespace ota::stream_json {
namespace {

bool take_number(JsonDocument& json, const char* key, std::uint32_t& out) {
  const JsonDocument::Token value = json.find(JsonDocument::kRoot, key);
  return !json.is_string(value) && parse_u32(json.text(value), out);
}

}  // namespace

bool decode_block(std::span<std::uint8_t> message, std::span<std::uint8_t> buffer, Block& out) {
  JsonDocument json;
  std::uint32_t length = 0;
  if (!json.parse({reinterpret_cast<const char*>(message.data()), message.size()}) ||
      !take_number(json, "f", out.file_id) || !take_number(json, "i", out.index) ||
      !take_number(json, "l", length)) {
    return false;
  }
  const JsonDocument::Token payload = json.find(JsonDocument::kRoot, "p");
  if (!json.is_string(payload)) return false;

  // JSON may write base64's '/' as "\/". Without its escapes a text is never longer, and its NUL falls on the
  // closing quote at the latest: it fits where it stands.
  const std::string_view raw = json.text(payload);
  const auto offset =
      static_cast<std::size_t>(reinterpret_cast<const std::uint8_t*>(raw.data()) - message.data());
  const auto text = message.subspan(offset, raw.size() + 1);
  if (!copy_string(raw, text)) return false;
  const std::size_t size = base64_decode(reinterpret_cast<const char*>(text.data()), buffer);
  if (size == kNotBase64 || size != length) return false;
  out.payload = buffer.first(size);
  return true;
}

}  // namespace ota::stream_json
