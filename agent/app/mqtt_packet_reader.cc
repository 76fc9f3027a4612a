#include <algorithm>

#include "agent/app/mqtt_packet.h"

namespace app::mqtt {
namespace {

enum Type : std::uint8_t {
  kTypeConnack = 2,
  kTypePublish = 3,
  kTypePuback = 4,
  kTypeSuback = 9,
  kTypeUnsuback = 11,
  kTypePingresp = 13,
};

constexpr unsigned kMaxLengthBytes = 4;
constexpr std::uint32_t kFieldSize = 2;

std::uint8_t type_of(std::uint8_t first_byte) {
  return first_byte >> 4;
}
std::uint8_t qos_of(std::uint8_t first_byte) {
  return (first_byte >> 1) & 3U;
}

bool server_sends(std::uint8_t first_byte) {
  switch (type_of(first_byte)) {
    case kTypePublish:
      return qos_of(first_byte) <= 1;
    case kTypeConnack:
    case kTypePuback:
    case kTypeSuback:
    case kTypeUnsuback:
    case kTypePingresp:
      return (first_byte & 0x0FU) == 0;
    default:
      return false;
  }
}

/// The remaining length each answer must have; a SUBACK answers our one filter.
std::uint32_t body_length(std::uint8_t type) {
  switch (type) {
    case kTypePingresp:
      return 0;
    case kTypeSuback:
      return 3;
    default:
      return 2;
  }
}

}  // namespace

const char* to_string(ReadStatus status) {
  switch (status) {
    case ReadStatus::kOk:
      return "ok";
    case ReadStatus::kBadHeader:
      return "unexpected packet";
    case ReadStatus::kBadLength:
      return "malformed length";
  }
  return "unknown";
}

void PacketReader::reset() {
  stage_ = Stage::kFirstByte;
  error_ = ReadStatus::kOk;
}

ReadStatus PacketReader::broken(ReadStatus status) {
  stage_ = Stage::kBroken;
  error_ = status;
  return status;
}

ReadStatus PacketReader::feed(std::span<const std::uint8_t> bytes) {
  if (stage_ == Stage::kBroken) return error_;
  while (!bytes.empty()) {
    if (stage_ == Stage::kPayload) {
      take_payload(bytes);
      continue;
    }
    const ReadStatus status = take_byte(bytes.front());
    if (status != ReadStatus::kOk) return broken(status);
    bytes = bytes.subspan(1);
  }
  return ReadStatus::kOk;
}

ReadStatus PacketReader::take_byte(std::uint8_t byte) {
  switch (stage_) {
    case Stage::kFirstByte:
      if (!server_sends(byte)) return ReadStatus::kBadHeader;
      first_byte_ = byte;
      length_bytes_ = 0;
      remaining_ = 0;
      stage_ = Stage::kLength;
      return ReadStatus::kOk;
    case Stage::kLength:
      return take_length(byte);
    case Stage::kTopic:
      topic_[topic_read_++] = static_cast<char>(byte);
      --remaining_;
      if (topic_read_ < topic_length_) return ReadStatus::kOk;
      field_bytes_ = 0;
      packet_id_ = 0;
      if (qos_of(first_byte_) != 0) {
        stage_ = Stage::kPacketId;
      } else {
        begin_payload();
      }
      return ReadStatus::kOk;
    case Stage::kTopicLength:
    case Stage::kPacketId:
      field_ = static_cast<std::uint16_t>(field_ << 8 | byte);
      --remaining_;
      if (++field_bytes_ < kFieldSize) return ReadStatus::kOk;
      if (stage_ == Stage::kTopicLength) return check_topic_length();
      packet_id_ = field_;
      if (packet_id_ == 0) return ReadStatus::kBadHeader;
      begin_payload();
      return ReadStatus::kOk;
    case Stage::kBody:
      body_[body_read_++] = byte;
      return --remaining_ == 0 ? finish_body() : ReadStatus::kOk;
    case Stage::kPayload:
    case Stage::kBroken:
      break;
  }
  return ReadStatus::kBadHeader;
}

ReadStatus PacketReader::take_length(std::uint8_t byte) {
  remaining_ |= static_cast<std::uint32_t>(byte & 0x7FU) << (7 * length_bytes_);
  ++length_bytes_;
  if ((byte & 0x80U) == 0) return begin_body();
  return length_bytes_ < kMaxLengthBytes ? ReadStatus::kOk : ReadStatus::kBadLength;
}

ReadStatus PacketReader::begin_body() {
  if (type_of(first_byte_) == kTypePublish) {
    if (remaining_ < kFieldSize) return ReadStatus::kBadLength;
    field_bytes_ = 0;
    stage_ = Stage::kTopicLength;
    return ReadStatus::kOk;
  }
  if (remaining_ != body_length(type_of(first_byte_))) return ReadStatus::kBadLength;
  body_read_ = 0;
  stage_ = Stage::kBody;
  return remaining_ == 0 ? finish_body() : ReadStatus::kOk;
}

ReadStatus PacketReader::check_topic_length() {
  topic_length_ = field_;
  topic_read_ = 0;
  const std::uint32_t id_size = qos_of(first_byte_) != 0 ? kFieldSize : 0;
  if (topic_length_ == 0 || topic_length_ > topic_.size()) return ReadStatus::kBadLength;
  if (topic_length_ + id_size > remaining_) return ReadStatus::kBadLength;
  stage_ = Stage::kTopic;
  return ReadStatus::kOk;
}

void PacketReader::begin_payload() {
  sink_.on_publish({topic_.data(), topic_length_}, remaining_);
  stage_ = Stage::kPayload;
  if (remaining_ == 0) {
    stage_ = Stage::kFirstByte;
    sink_.on_publish_end(packet_id_);
  }
}

void PacketReader::take_payload(std::span<const std::uint8_t>& bytes) {
  const std::size_t count = std::min<std::size_t>(bytes.size(), remaining_);
  sink_.on_payload(bytes.first(count));
  bytes = bytes.subspan(count);
  remaining_ -= static_cast<std::uint32_t>(count);
  if (remaining_ != 0) return;
  stage_ = Stage::kFirstByte;
  sink_.on_publish_end(packet_id_);
}

ReadStatus PacketReader::finish_body() {
  stage_ = Stage::kFirstByte;
  const auto id = static_cast<std::uint16_t>(body_[0] << 8 | body_[1]);
  switch (type_of(first_byte_)) {
    case kTypeConnack:
      sink_.on_connack(body_[1]);
      break;
    case kTypePuback:
      sink_.on_answer(Answer::kPuback, id, 0);
      break;
    case kTypeSuback:
      sink_.on_answer(Answer::kSuback, id, body_[2]);
      break;
    case kTypeUnsuback:
      sink_.on_answer(Answer::kUnsuback, id, 0);
      break;
    default:
      sink_.on_pingresp();
      break;
  }
  return ReadStatus::kOk;
}

}  // namespace app::mqtt
