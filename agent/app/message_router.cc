#include "agent/app/message_router.h"

#include <algorithm>

#include "agent/app/console.h"
#include "agent/include/ota.h"

namespace app {
namespace {

constexpr std::string_view kThings = "$aws/things/";
constexpr std::string_view kStreams = "/streams/";
constexpr std::string_view kCborBlock = "/data/cbor";
constexpr std::string_view kJsonBlock = "/data/json";
static_assert(kCborBlock.size() == kJsonBlock.size());

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool is_block_of_one_stream(std::string_view stream_topic) {
  if (!stream_topic.ends_with(kCborBlock) && !stream_topic.ends_with(kJsonBlock)) return false;
  stream_topic.remove_suffix(kCborBlock.size());
  return !stream_topic.empty() && stream_topic.find('/') == std::string_view::npos;
}

}  // namespace

std::optional<OtaEvent_t> MessageRouter::event_for(std::string_view topic) const {
  if (topic.empty()) return std::nullopt;
  if (topic == stream()) return OtaAgentEventReceivedFileBlock;
  if (!take_prefix(topic, kThings) || !take_prefix(topic, thing_name_)) return std::nullopt;
  const bool is_job = topic == "/jobs/notify-next" || topic == "/jobs/$next/get/accepted" ||
                      topic == "/jobs/start-next/accepted";
  if (!is_job) return std::nullopt;
  return OtaAgentEventReceivedJobDocument;
}

bool MessageRouter::is_data_topic(std::string_view topic) const {
  return take_prefix(topic, kThings) && take_prefix(topic, thing_name_) && take_prefix(topic, kStreams) &&
         is_block_of_one_stream(topic);
}

void MessageRouter::on_subscribe(std::string_view filter) {
  if (!is_data_topic(filter)) return;
  if (filter == stream()) return;  // once more, after an answer that got lost
  leave_stream();
  if (filter.size() > stream_topic_.size()) return;  // no message has a topic as long as that
  std::copy(filter.begin(), filter.end(), stream_topic_.begin());
  stream_topic_size_ = filter.size();
}

void MessageRouter::on_unsubscribe(std::string_view filter) {
  if (is_data_topic(filter)) leave_stream();
}

void MessageRouter::leave_stream() {
  stream_topic_size_ = 0;
  if (event_ == OtaAgentEventReceivedFileBlock) give_up_message();
}

void MessageRouter::on_message_begin(std::string_view topic, std::uint32_t size) {
  give_up_message();
  const std::optional<OtaEvent_t> event = event_for(topic);
  if (!event) return;
  if (size > OTA_DATA_BLOCK_SIZE) {
    console::log("message of ", size, " bytes on ", topic, " dropped: longer than ", OTA_DATA_BLOCK_SIZE);
    ++dropped_;
    return;
  }
  filling_ = buffers_.acquire();
  event_ = *event;
  if (filling_ == nullptr) ++dropped_;
}

void MessageRouter::on_message_data(std::span<const std::uint8_t> piece) {
  if (filling_ == nullptr) return;
  if (piece.size() > OTA_DATA_BLOCK_SIZE - filling_->dataLength) {
    give_up_message();
    return;
  }
  std::copy(piece.begin(), piece.end(), filling_->data + filling_->dataLength);
  filling_->dataLength += static_cast<std::uint32_t>(piece.size());
}

void MessageRouter::on_message_end() {
  if (filling_ == nullptr) return;
  OtaEventMsg_t message{};
  message.pEventData = filling_;
  message.eventId = event_;
  if (!OTA_SignalEvent(&message)) {
    buffers_.release(filling_);
    ++dropped_;
  }
  filling_ = nullptr;
}

void MessageRouter::reset() {
  give_up_message();
  leave_stream();
}

void MessageRouter::give_up_message() {
  buffers_.release(filling_);
  filling_ = nullptr;
}

}  // namespace app
