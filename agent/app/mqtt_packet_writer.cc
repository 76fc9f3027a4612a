#include <algorithm>

#include "agent/app/mqtt_packet.h"

namespace app::mqtt {
namespace {

constexpr std::uint8_t kConnect = 0x10;
constexpr std::uint8_t kPublish = 0x30;
constexpr std::uint8_t kPuback = 0x40;
constexpr std::uint8_t kSubscribe = 0x82;
constexpr std::uint8_t kUnsubscribe = 0xA2;
constexpr std::uint8_t kPingreq = 0xC0;
constexpr std::uint8_t kDisconnect = 0xE0;
constexpr std::uint8_t kProtocolLevel = 4;
constexpr std::uint8_t kCleanSession = 0x02;
constexpr std::size_t kMaxString = 0xFFFF;
constexpr std::size_t kStringHeader = 2;
constexpr std::size_t kPacketIdSize = 2;

/// Writes fields one after the other; remembers if one did not fit.
class ByteWriter {
 public:
  explicit ByteWriter(std::span<std::uint8_t> out) : out_(out) {}

  void u8(std::uint8_t value) {
    if (at_ < out_.size()) {
      out_[at_++] = value;
    } else {
      fits_ = false;
    }
  }
  void u16(std::size_t value) {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value));
  }
  void bytes(std::span<const std::uint8_t> data) {
    if (data.size() > out_.size() - at_) {
      fits_ = false;
      return;
    }
    std::copy(data.begin(), data.end(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += data.size();
  }
  void string(std::string_view text) {
    if (text.size() > kMaxString) fits_ = false;
    u16(text.size());
    bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  /// Fixed header: type with flags, then the remaining length in groups of seven bits.
  void header(std::uint8_t first_byte, std::size_t remaining) {
    if (remaining > kMaxRemainingLength) fits_ = false;
    u8(first_byte);
    do {
      const std::size_t group = remaining & 0x7FU;
      remaining >>= 7;
      u8(static_cast<std::uint8_t>(group | (remaining != 0 ? 0x80U : 0U)));
    } while (remaining != 0);
  }
  [[nodiscard]] std::size_t size() const { return fits_ ? at_ : 0; }

 private:
  std::span<std::uint8_t> out_;
  std::size_t at_ = 0;
  bool fits_ = true;
};

}  // namespace

std::size_t write_connect(std::span<std::uint8_t> out, const ConnectOptions& options) {
  constexpr std::string_view kProtocolName = "MQTT";
  ByteWriter writer(out);
  writer.header(kConnect,
                kStringHeader + kProtocolName.size() + 4 + kStringHeader + options.client_id.size());
  writer.string(kProtocolName);
  writer.u8(kProtocolLevel);
  writer.u8(kCleanSession);
  writer.u16(options.keep_alive_seconds);
  writer.string(options.client_id);
  return writer.size();
}

std::size_t write_publish(std::span<std::uint8_t> out, std::string_view topic,
                          std::span<const std::uint8_t> payload, std::uint8_t qos, std::uint16_t packet_id) {
  if (qos > 1 || topic.empty()) return 0;
  ByteWriter writer(out);
  const std::size_t id_size = qos == 0 ? 0 : kPacketIdSize;
  writer.header(static_cast<std::uint8_t>(kPublish | qos << 1),
                kStringHeader + topic.size() + id_size + payload.size());
  writer.string(topic);
  if (qos != 0) writer.u16(packet_id);
  writer.bytes(payload);
  return writer.size();
}

std::size_t write_subscribe(std::span<std::uint8_t> out, std::string_view filter, std::uint8_t qos,
                            std::uint16_t packet_id) {
  if (qos > 1 || filter.empty()) return 0;
  ByteWriter writer(out);
  writer.header(kSubscribe, kPacketIdSize + kStringHeader + filter.size() + 1);
  writer.u16(packet_id);
  writer.string(filter);
  writer.u8(qos);
  return writer.size();
}

std::size_t write_unsubscribe(std::span<std::uint8_t> out, std::string_view filter, std::uint16_t packet_id) {
  if (filter.empty()) return 0;
  ByteWriter writer(out);
  writer.header(kUnsubscribe, kPacketIdSize + kStringHeader + filter.size());
  writer.u16(packet_id);
  writer.string(filter);
  return writer.size();
}

std::size_t write_puback(std::span<std::uint8_t> out, std::uint16_t packet_id) {
  ByteWriter writer(out);
  writer.header(kPuback, kPacketIdSize);
  writer.u16(packet_id);
  return writer.size();
}

std::size_t write_pingreq(std::span<std::uint8_t> out) {
  ByteWriter writer(out);
  writer.header(kPingreq, 0);
  return writer.size();
}

std::size_t write_disconnect(std::span<std::uint8_t> out) {
  ByteWriter writer(out);
  writer.header(kDisconnect, 0);
  return writer.size();
}

}  // namespace app::mqtt
