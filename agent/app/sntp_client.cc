#include "agent/app/sntp_client.h"

#include <algorithm>

#include "agent/app/console.h"
#include "agent/app/random.h"

namespace app::sntp {

void Client::ask() {
  if (state_ == State::kAsking) return;  // in its own time: who asks often must not flood the server
  state_ = State::kAsking;
  wait_ms_ = kFirstWaitMs;
  next_ = Deadline(0);
  has_complained_ = false;
}

void Client::service() {
  if (state_ == State::kIdle || !next_.passed() || !transport_.has_server()) return;
  if (state_ == State::kAnswered) ask();
  send_request();
}

void Client::send_request() {
  random::fill(nonce_.emplace());
  transport_.send(make_request(*nonce_));
  next_ = Deadline(wait_ms_);
  wait_ms_ = std::min(2 * wait_ms_, kLongestWaitMs);
}

void Client::on_datagram(std::span<const std::uint8_t> bytes) {
  if (!nonce_) return;
  const Answer answer = read_answer(bytes, *nonce_);
  if (answer.verdict == Verdict::kRefused) next_ = Deadline(wait_ms_ = kLongestWaitMs);
  if (answer.verdict != Verdict::kOk) return refuse(to_string(answer.verdict));
  nonce_.reset();  // one answer for each request
  if (!time_.set(answer.time)) return refuse("its time is over already");
  state_ = State::kAnswered;
  next_ = Deadline(kRefreshMs);
  console::log("time ", console::Time{answer.time});
}

void Client::refuse(const char* why) {
  if (!has_complained_) console::log("the time server's answer is not taken: ", why);
  has_complained_ = true;
}

bool Client::may_connect() {
  if (!is_patient_ || time_.is_known() || !transport_.has_server()) return true;
  if (!patience_) patience_.emplace(kPatienceMs);
  if (!patience_->passed()) return false;
  is_patient_ = false;
  console::log("no time from the server; it is ", console::Time{time_.now()}, " or later");
  return true;
}

}  // namespace app::sntp
