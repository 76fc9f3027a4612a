#include "agent/src/stream_cbor.h"

#include <cbor.h>

#include <optional>

namespace ota::stream_cbor {
namespace {

constexpr std::size_t kRequestKeys = 6;
constexpr std::size_t kMaxBlockKeys = 16;
constexpr std::size_t kMaxKeySize = 8;

/// The fields of a block as they turn up.
struct Fields {
  std::optional<std::uint32_t> file_id;
  std::optional<std::uint32_t> index;
  std::optional<std::uint32_t> length;
  std::optional<std::size_t> payload_size;
};

/// Reads an unsigned number that fits 32 bits and steps past it.
bool take_number(CborValue& at, std::optional<std::uint32_t>& out) {
  std::uint64_t value = 0;
  if (out || !cbor_value_is_unsigned_integer(&at)) return false;
  if (cbor_value_get_uint64(&at, &value) != CborNoError || value > UINT32_MAX) return false;
  out = static_cast<std::uint32_t>(value);
  return cbor_value_advance_fixed(&at) == CborNoError;
}

bool take_payload(CborValue& at, std::span<std::uint8_t> buffer, std::optional<std::size_t>& out) {
  if (out || !cbor_value_is_byte_string(&at)) return false;
  std::size_t size = buffer.size();
  CborValue next;
  if (cbor_value_copy_byte_string(&at, buffer.data(), &size, &next) != CborNoError) return false;
  at = next;
  out = size;
  return true;
}

/// Reads one key and its value. Nested values of unknown keys are refused: no peer sends them, and skipping
/// them would recurse as deep as the message says.
bool take_entry(CborValue& at, std::span<std::uint8_t> buffer, Fields& fields) {
  char key[kMaxKeySize];
  std::size_t size = sizeof key;
  CborValue next;
  if (!cbor_value_is_text_string(&at)) return false;
  const CborError copied = cbor_value_copy_text_string(&at, key, &size, &next);
  if (copied == CborErrorOutOfMemory) size = 0;  // a longer key than any we know; `next` is behind it
  if (copied != CborNoError && copied != CborErrorOutOfMemory) return false;
  at = next;
  switch (size == 1 ? key[0] : '\0') {
    case 'f':
      return take_number(at, fields.file_id);
    case 'i':
      return take_number(at, fields.index);
    case 'l':
      return take_number(at, fields.length);
    case 'p':
      return take_payload(at, buffer, fields.payload_size);
    default:
      break;
  }
  if (cbor_value_is_container(&at) || cbor_value_is_tag(&at)) return false;
  return cbor_value_advance(&at) == CborNoError;
}

}  // namespace

std::size_t encode_request(const BlockRequest& request, std::span<std::uint8_t> out) {
  CborEncoder encoder;
  CborEncoder map;
  cbor_encoder_init(&encoder, out.data(), out.size(), 0);
  const bool is_encoded =
      cbor_encoder_create_map(&encoder, &map, kRequestKeys) == CborNoError &&
      cbor_encode_text_stringz(&map, "c") == CborNoError &&
      cbor_encode_text_stringz(&map, "rdy") == CborNoError &&
      cbor_encode_text_stringz(&map, "f") == CborNoError &&
      cbor_encode_uint(&map, request.file_id) == CborNoError &&
      cbor_encode_text_stringz(&map, "l") == CborNoError &&
      cbor_encode_uint(&map, request.block_size) == CborNoError &&
      cbor_encode_text_stringz(&map, "o") == CborNoError &&
      cbor_encode_uint(&map, request.offset) == CborNoError &&
      cbor_encode_text_stringz(&map, "b") == CborNoError &&
      cbor_encode_byte_string(&map, request.bitmap.data(), request.bitmap.size()) == CborNoError &&
      cbor_encode_text_stringz(&map, "n") == CborNoError &&
      cbor_encode_uint(&map, request.block_count) == CborNoError &&
      cbor_encoder_close_container_checked(&encoder, &map) == CborNoError;
  return is_encoded ? cbor_encoder_get_buffer_size(&encoder, out.data()) : 0;
}

bool decode_block(std::span<const std::uint8_t> message, std::span<std::uint8_t> buffer, Block& out) {
  if (message.empty()) return false;  // perhaps without memory, from which TinyCBOR would count
  CborParser parser;
  CborValue root;
  CborValue at;
  if (cbor_parser_init(message.data(), message.size(), 0, &parser, &root) != CborNoError) return false;
  if (!cbor_value_is_map(&root) || cbor_value_enter_container(&root, &at) != CborNoError) return false;
  Fields fields;
  for (std::size_t i = 0; !cbor_value_at_end(&at); ++i) {
    if (i == kMaxBlockKeys || !take_entry(at, buffer, fields)) return false;
  }
  if (cbor_value_leave_container(&root, &at) != CborNoError) return false;
  if (!fields.file_id || !fields.index || !fields.length || !fields.payload_size) return false;
  if (*fields.length != *fields.payload_size) return false;
  out = {*fields.file_id, *fields.index, buffer.first(*fields.payload_size)};
  return true;
}

}  // namespace ota::stream_cbor
