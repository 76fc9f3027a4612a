// An MQTT 3.1.1 session over a connection: connect, keep-alive, and requests that wait for their answer.
//
//   client.connect(options, timeout)              // the connection is open
//   client.subscribe / unsubscribe / publish      // return when acknowledged, or false
//   client.service()                              // in every turn of the loop
//   client.disconnect()
//
// Requests turn the application's loop while they wait, so messages keep arriving meanwhile. They are handed
// to the MessageSink from within service(): it may store a message, but must not make a request. One request
// waits at a time.
//
// The session ends (is_connected() turns false, reason() says why) when the connection fails, the broker
// breaks the protocol or does not answer a ping. The owner then calls disconnect() and connects anew.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "agent/app/connection.h"
#include "agent/app/message_sink.h"
#include "agent/app/mqtt_packet.h"
#include "agent/app/pump.h"

namespace app::mqtt {

class Client final : private PacketSink {
 public:
  Client(Connection& connection, Pump& pump, MessageSink& messages)
      : connection_(connection), pump_(pump), messages_(messages), reader_(*this) {}

  /// Sends CONNECT and waits for CONNACK. @returns false with reason() set.
  [[nodiscard]] bool connect(const ConnectOptions& options, std::uint32_t timeout_ms);

  /// Waits for SUBACK. @returns false if the broker refuses, does not answer in time, or is not connected.
  [[nodiscard]] bool subscribe(std::string_view filter, std::uint8_t qos);
  /// Waits for UNSUBACK. @returns false as subscribe().
  [[nodiscard]] bool unsubscribe(std::string_view filter);
  /// QoS 1 waits for PUBACK, QoS 0 until the packet is queued. @returns false as subscribe(), and if the
  /// packet is larger than the outbox.
  [[nodiscard]] bool publish(std::string_view topic, std::span<const std::uint8_t> payload, std::uint8_t qos);

  /// Reads, answers, sends what is queued, keeps the session alive. @returns true if bytes moved.
  bool service();

  /// Says goodbye if connected, and closes the connection.
  void disconnect();

  [[nodiscard]] bool is_connected() const { return state_ == State::kConnected; }
  /// Why the session ended or could not begin.
  [[nodiscard]] const char* reason() const { return reason_; }
  [[nodiscard]] int reason_code() const { return reason_code_; }

  /// Answers of a healthy broker come within milliseconds; this is for one that is gone.
  static constexpr std::uint32_t kAnswerTimeoutMs = 5000;

 private:
  enum class State { kIdle, kConnecting, kConnected, kFailed };

  static constexpr std::size_t kOutboxSize = 4096;
  static constexpr std::size_t kReadSize = 2048;
  /// Bytes of `kReadSize` can hold this many acknowledgements (four bytes for each message of at least
  /// seven): input is read only while they fit.
  static constexpr std::size_t kAckReserve = kReadSize * 4 / 7 + 4;

  void on_connack(std::uint8_t return_code) override;
  void on_answer(Answer answer, std::uint16_t packet_id, std::uint8_t return_code) override;
  void on_pingresp() override;
  void on_publish(std::string_view topic, std::uint32_t payload_size) override;
  void on_payload(std::span<const std::uint8_t> piece) override;
  void on_publish_end(std::uint16_t packet_id) override;

  bool read_some();
  bool flush();
  void keep_alive();
  void fail(const char* reason, int code);
  void check_connection();

  [[nodiscard]] std::span<std::uint8_t> outbox_room(std::size_t keep_free);
  /// Lets `write` put a packet into the outbox as soon as there is room.
  template <typename Write>
  bool send(Write write);
  bool wait_for_answer(Answer answer, std::uint16_t packet_id);
  [[nodiscard]] std::uint16_t next_packet_id();

  Connection& connection_;
  Pump& pump_;
  MessageSink& messages_;
  PacketReader reader_;
  State state_ = State::kIdle;
  const char* reason_ = "";
  int reason_code_ = 0;

  std::array<std::uint8_t, kOutboxSize> outbox_{};
  std::size_t outbox_size_ = 0;
  std::array<std::uint8_t, kReadSize> inbox_{};

  std::uint16_t last_packet_id_ = 0;
  Answer awaited_ = Answer::kNone;
  std::uint16_t awaited_id_ = 0;
  std::uint8_t answer_code_ = 0;

  std::uint32_t keep_alive_ms_ = 0;
  std::uint32_t last_sent_ms_ = 0;
  std::uint32_t ping_sent_ms_ = 0;
  bool ping_outstanding_ = false;
};

}  // namespace app::mqtt
