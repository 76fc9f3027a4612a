#include "agent/app/mqtt_client.h"

#include <algorithm>
#include <cstring>

#include "agent/app/deadline.h"

namespace app::mqtt {
namespace {

constexpr std::uint8_t kConnectionAccepted = 0;
constexpr std::uint8_t kSubscriptionRefused = 0x80;
constexpr std::uint32_t kPingAnswerMs = 5000;
constexpr int kMaxReadsPerService = 8;  // then frames get their turn

}  // namespace

bool Client::connect(const ConnectOptions& options, std::uint32_t timeout_ms) {
  reader_.reset();
  outbox_size_ = 0;
  awaited_ = Answer::kNone;
  ping_outstanding_ = false;
  keep_alive_ms_ = options.keep_alive_seconds * 1000U;
  reason_ = "";
  reason_code_ = 0;
  state_ = State::kConnecting;
  if (!send([&](std::span<std::uint8_t> out) { return write_connect(out, options); })) {
    if (state_ == State::kConnecting) fail("the CONNECT packet could not be sent", 0);
    return false;
  }
  const Deadline deadline(timeout_ms);
  while (state_ == State::kConnecting) {
    if (deadline.passed()) {
      fail("the broker did not answer CONNECT", 0);
    } else {
      pump_.turn();
    }
  }
  return is_connected();
}

bool Client::subscribe(std::string_view filter, std::uint8_t qos) {
  const std::uint16_t id = next_packet_id();
  if (!is_connected()) return false;
  if (!send([&](std::span<std::uint8_t> out) { return write_subscribe(out, filter, qos, id); })) return false;
  return wait_for_answer(Answer::kSuback, id) && answer_code_ != kSubscriptionRefused;
}

bool Client::unsubscribe(std::string_view filter) {
  const std::uint16_t id = next_packet_id();
  if (!is_connected()) return false;
  if (!send([&](std::span<std::uint8_t> out) { return write_unsubscribe(out, filter, id); })) return false;
  return wait_for_answer(Answer::kUnsuback, id);
}

bool Client::publish(std::string_view topic, std::span<const std::uint8_t> payload, std::uint8_t qos) {
  const std::uint16_t id = qos == 0 ? std::uint16_t{0} : next_packet_id();
  if (!is_connected()) return false;
  if (!send([&](std::span<std::uint8_t> out) { return write_publish(out, topic, payload, qos, id); })) {
    return false;
  }
  return qos == 0 || wait_for_answer(Answer::kPuback, id);
}

bool Client::service() {
  if (state_ != State::kConnecting && state_ != State::kConnected) return false;
  bool moved = false;
  for (int i = 0; i < kMaxReadsPerService && read_some(); ++i) moved = true;
  keep_alive();
  moved = flush() || moved;
  check_connection();
  return moved;
}

void Client::disconnect() {
  if (is_connected()) {
    const std::span<std::uint8_t> room = outbox_room(0);
    outbox_size_ += write_disconnect(room);
    flush();
  }
  connection_.close();
  state_ = State::kIdle;
}

bool Client::read_some() {
  if (outbox_room(0).size() < kAckReserve) return false;
  const std::size_t count = connection_.read(inbox_);
  if (count == 0) return false;
  const ReadStatus status = reader_.feed({inbox_.data(), count});
  if (status == ReadStatus::kOk) return true;
  fail(to_string(status), 0);
  return false;
}

bool Client::flush() {
  bool moved = false;
  while (outbox_size_ != 0) {
    const std::size_t count = connection_.write({outbox_.data(), outbox_size_});
    if (count == 0) break;
    outbox_size_ -= count;
    std::memmove(outbox_.data(), outbox_.data() + count, outbox_size_);
    last_sent_ms_ = board::millis();
    moved = true;
  }
  return moved;
}

void Client::keep_alive() {
  if (state_ != State::kConnected || keep_alive_ms_ == 0) return;
  const std::uint32_t now = board::millis();
  if (ping_outstanding_) {
    if (now - ping_sent_ms_ >= kPingAnswerMs) fail("the broker did not answer a ping", 0);
    return;
  }
  if (now - last_sent_ms_ < keep_alive_ms_) return;
  outbox_size_ += write_pingreq(outbox_room(0));
  ping_sent_ms_ = now;  // also if the outbox is full: then nothing has left for that long
  ping_outstanding_ = true;
}

void Client::fail(const char* reason, int code) {
  state_ = State::kFailed;
  reason_ = reason;
  reason_code_ = code;
}

void Client::check_connection() {
  if (state_ == State::kFailed || connection_.state() == Connection::State::kOpen) return;
  const ConnectionFailure failure = connection_.failure();
  fail(failure.what, failure.code);
}

std::span<std::uint8_t> Client::outbox_room(std::size_t keep_free) {
  const std::size_t used = std::min(outbox_size_ + keep_free, outbox_.size());
  return std::span(outbox_).subspan(outbox_size_, outbox_.size() - used);
}

template <typename Write>
bool Client::send(Write write) {
  const Deadline deadline(kAnswerTimeoutMs);
  for (;;) {
    const std::size_t size = write(outbox_room(kAckReserve));
    if (size != 0) {
      outbox_size_ += size;
      flush();
      connection_.push();
      return true;
    }
    const bool will_never_fit = outbox_size_ == 0;
    if (will_never_fit || deadline.passed()) return false;
    pump_.turn();
    if (state_ != State::kConnecting && state_ != State::kConnected) return false;
  }
}

bool Client::wait_for_answer(Answer answer, std::uint16_t packet_id) {
  awaited_ = answer;
  awaited_id_ = packet_id;
  const Deadline deadline(kAnswerTimeoutMs);
  while (awaited_ != Answer::kNone && is_connected() && !deadline.passed()) pump_.turn();
  const bool answered = awaited_ == Answer::kNone;
  awaited_ = Answer::kNone;
  return answered;
}

std::uint16_t Client::next_packet_id() {
  ++last_packet_id_;
  if (last_packet_id_ == 0) ++last_packet_id_;
  return last_packet_id_;
}

void Client::on_connack(std::uint8_t return_code) {
  if (state_ != State::kConnecting) {
    fail("the broker sent a second CONNACK", return_code);
  } else if (return_code != kConnectionAccepted) {
    fail("the broker refused the MQTT connection", return_code);
  } else {
    state_ = State::kConnected;
    last_sent_ms_ = board::millis();
  }
}

void Client::on_answer(Answer answer, std::uint16_t packet_id, std::uint8_t return_code) {
  if (answer != awaited_ || packet_id != awaited_id_) return;  // late: the request was given up
  answer_code_ = return_code;
  awaited_ = Answer::kNone;
}

void Client::on_pingresp() {
  ping_outstanding_ = false;
}

void Client::on_publish(std::string_view topic, std::uint32_t payload_size) {
  messages_.on_message_begin(topic, payload_size);
}

void Client::on_payload(std::span<const std::uint8_t> piece) {
  messages_.on_message_data(piece);
}

void Client::on_publish_end(std::uint16_t packet_id) {
  messages_.on_message_end();
  if (packet_id != 0) outbox_size_ += write_puback(outbox_room(0), packet_id);
}

}  // namespace app::mqtt
