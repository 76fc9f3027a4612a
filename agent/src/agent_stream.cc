// Blocks over MQTT: a subscription to the stream's data, and requests for blocks in CBOR or JSON.
#include <algorithm>

#include "agent/src/agent.h"
#include "agent/src/stream_cbor.h"
#include "agent/src/stream_json.h"

namespace ota {
namespace {

/// CBOR around the bitmap in a request.
constexpr std::size_t kMaxRequestOverhead = 64;

}  // namespace

bool Agent::open_stream() {
  is_subscribed_to_stream_ = exchange(Exchange::kSubscribe, Topic::kStreamData, {}, 0);
  return is_subscribed_to_stream_;
}

bool Agent::close_stream() {
  if (!is_subscribed_to_stream_) return true;
  is_subscribed_to_stream_ = false;
  return exchange(Exchange::kUnsubscribe, Topic::kStreamData, {}, 0);
}

bool Agent::request_stream_blocks() {
  const bool is_json = settings_.stream_format == OTA_STREAM_JSON;
  const auto shape = is_json ? BlockWindow::Shape::kContiguous : BlockWindow::Shape::kScattered;
  BlockWindow::Request request;
  while (window_.next(shape, request)) {  // at most a window of them
    if (!(is_json ? publish_json_request(request) : publish_cbor_request(request))) return false;
  }
  return true;
}

bool Agent::publish_json_request(const BlockWindow::Request& request) {
  Text<stream_json::kMaxRequest> message;
  const TextValue values[] = {file_.serverFileID, settings_.block_size, request.first, request.count};
  message.format(stream_json::kRequest, values);
  return exchange(Exchange::kPublish, Topic::kStreamGet, message.text(), 0);
}

/// One request at a time carries the whole file's bitmap from block 0 on, as AWS's library does. Of several
/// on their way, each names its own blocks only.
bool Agent::publish_cbor_request(const BlockWindow::Request& request) {
  const bool is_only_one = window_.is_one_request_at_a_time();
  const std::uint32_t first_byte = request.first / 8;
  const std::uint32_t size = request.last / 8 - first_byte + 1;
  std::array<std::uint8_t, OTA_MAX_BLOCK_BITMAP_SIZE> bitmap;
  const auto source = is_only_one ? window_.wanted() : window_.in_flight();
  std::copy_n(source.data() + first_byte, size, bitmap.data());
  bitmap[0] &= static_cast<std::uint8_t>(0xFFU << (request.first % 8));

  std::array<std::uint8_t, OTA_MAX_BLOCK_BITMAP_SIZE + kMaxRequestOverhead> message;
  const std::size_t message_size =
      stream_cbor::encode_request({.file_id = file_.serverFileID,
                                   .block_size = settings_.block_size,
                                   .offset = first_byte * 8,
                                   .bitmap = std::span(bitmap).first(size),
                                   .block_count = is_only_one ? window_.per_request() : request.count},
                                  message);
  if (message_size == 0) return false;
  return exchange(Exchange::kPublish, Topic::kStreamGet,
                  {reinterpret_cast<const char*>(message.data()), message_size}, 0);
}

bool Agent::decode_stream_block(std::span<std::uint8_t> message, Block& out) {
  const std::span buffer(file_.pDecodeMem, file_.decodeMemMaxSize);
  const bool is_decoded = settings_.stream_format == OTA_STREAM_JSON
                              ? stream_json::decode_block(message, buffer, out)
                              : stream_cbor::decode_block(message, buffer, out);
  if (!is_decoded) environment_.on_note(Note::kBlockMalformed);
  return is_decoded;
}

}  // namespace ota
