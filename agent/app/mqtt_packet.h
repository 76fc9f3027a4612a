// MQTT 3.1.1 packets as bytes: writers for what a client sends, an incremental reader for what it receives.
//
// Pure functions and a small state machine: no network, no clock, no memory but the caller's. The reader
// takes bytes in pieces of any size (packets may be split anywhere), hands payloads on as they come, and
// trusts no length: a topic beyond kMaxTopicLength, a packet whose lengths contradict each other, a QoS 2
// delivery (never asked for) or a packet only clients send ends the stream with a status; the connection must
// then be closed.
//
// Reference: "MQTT Version 3.1.1", OASIS, sections 2 and 3.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace app::mqtt {

/// AWS IoT's limit, and more than the agent's longest topic.
inline constexpr std::size_t kMaxTopicLength = 256;
/// MQTT's largest remaining length: four bytes of seven bits.
inline constexpr std::uint32_t kMaxRemainingLength = 0x0FFF'FFFF;

struct ConnectOptions {
  std::string_view client_id;
  std::uint16_t keep_alive_seconds = 0;
};

// Writers: put one packet at the front of `out`. All return its size, or 0 if it does not fit or an argument
// is beyond MQTT's limits.

/// CONNECT with a clean session and neither will nor user name.
[[nodiscard]] std::size_t write_connect(std::span<std::uint8_t> out, const ConnectOptions& options);
/// PUBLISH; `packet_id` is used if `qos` is 1.
[[nodiscard]] std::size_t write_publish(std::span<std::uint8_t> out, std::string_view topic,
                                        std::span<const std::uint8_t> payload, std::uint8_t qos,
                                        std::uint16_t packet_id);
[[nodiscard]] std::size_t write_subscribe(std::span<std::uint8_t> out, std::string_view filter,
                                          std::uint8_t qos, std::uint16_t packet_id);
[[nodiscard]] std::size_t write_unsubscribe(std::span<std::uint8_t> out, std::string_view filter,
                                            std::uint16_t packet_id);
[[nodiscard]] std::size_t write_puback(std::span<std::uint8_t> out, std::uint16_t packet_id);
[[nodiscard]] std::size_t write_pingreq(std::span<std::uint8_t> out);
[[nodiscard]] std::size_t write_disconnect(std::span<std::uint8_t> out);

/// The answers that complete a request.
enum class Answer : std::uint8_t { kNone, kPuback, kSuback, kUnsuback };

/// What the reader found.
class PacketSink {
 public:
  virtual ~PacketSink() = default;

  virtual void on_connack(std::uint8_t return_code) = 0;
  /// `return_code` is SUBACK's (0x80 is a refusal), 0 for the others.
  virtual void on_answer(Answer answer, std::uint16_t packet_id, std::uint8_t return_code) = 0;
  virtual void on_pingresp() = 0;

  /// A message begins; `topic` is valid during the call.
  virtual void on_publish(std::string_view topic, std::uint32_t payload_size) = 0;
  virtual void on_payload(std::span<const std::uint8_t> piece) = 0;
  /// All of the payload was given. `packet_id` is 0 for QoS 0, else it must be acknowledged.
  virtual void on_publish_end(std::uint16_t packet_id) = 0;
};

enum class ReadStatus {
  kOk,
  kBadHeader,  ///< a packet type or flag a server does not send
  kBadLength,  ///< lengths that contradict each other or exceed the limits
};

[[nodiscard]] const char* to_string(ReadStatus status);

class PacketReader {
 public:
  explicit PacketReader(PacketSink& sink) : sink_(sink) {}

  /// Reads all of `bytes`. @returns kOk, kBadHeader, kBadLength; after an error only reset() helps.
  [[nodiscard]] ReadStatus feed(std::span<const std::uint8_t> bytes);

  /// Ready for a new connection.
  void reset();

 private:
  enum class Stage { kFirstByte, kLength, kTopicLength, kTopic, kPacketId, kPayload, kBody, kBroken };

  ReadStatus take_byte(std::uint8_t byte);
  ReadStatus take_length(std::uint8_t byte);
  ReadStatus begin_body();
  ReadStatus check_topic_length();
  void begin_payload();
  void take_payload(std::span<const std::uint8_t>& bytes);
  ReadStatus finish_body();
  ReadStatus broken(ReadStatus status);

  static constexpr std::size_t kMaxBody = 4;  // all answers are shorter than this

  PacketSink& sink_;
  Stage stage_ = Stage::kFirstByte;
  std::uint8_t first_byte_ = 0;
  unsigned length_bytes_ = 0;
  std::uint32_t remaining_ = 0;  ///< bytes of the packet still to come
  std::uint16_t field_ = 0;      ///< a two-byte number being read
  unsigned field_bytes_ = 0;
  std::uint16_t packet_id_ = 0;
  std::size_t topic_length_ = 0;
  std::size_t topic_read_ = 0;
  std::array<char, kMaxTopicLength> topic_{};
  std::array<std::uint8_t, kMaxBody> body_{};
  std::size_t body_read_ = 0;
  ReadStatus error_ = ReadStatus::kOk;
};

}  // namespace app::mqtt
