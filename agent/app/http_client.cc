#include "agent/app/http_client.h"

#include <algorithm>
#include <bit>

#include "agent/app/console.h"
#include "agent/include/ota.h"

namespace app::http {
namespace {

constexpr int kMaxReadsPerService = 8;  // then frames get their turn

static_assert(kMinBlockSize <= OTA_FILE_BLOCK_SIZE);
static_assert(OTA_FILE_BLOCK_SIZE <= sizeof OtaEventData_t::data, "on_body() fills a block, no more");

constexpr std::uint16_t kOk = 200;
constexpr std::uint16_t kPartialContent = 206;
constexpr std::uint16_t kMultipleChoices = 300;
constexpr std::uint16_t kBadRequest = 400;
constexpr std::uint16_t kForbidden = 403;
constexpr std::uint16_t kNotFound = 404;

bool signal(OtaEvent_t event, OtaEventData_t* data) {
  OtaEventMsg_t message{};
  message.pEventData = data;
  message.eventId = event;
  return OTA_SignalEvent(&message);
}

}  // namespace

const char* to_string(Fault fault) {
  switch (fault) {
    case Fault::kUrlRefused:
      return "the server refused the URL";
    case Fault::kWholeObject:
      return "the server sent the whole file instead of a range";
    case Fault::kRedirect:
      return "the server redirected";
    case Fault::kOtherStatus:
      return "the server did not send a range";
    case Fault::kWrongRange:
      return "the server sent another range than was asked for";
    case Fault::kTransferEncoding:
      return "the server sent a chunked body";
    case Fault::kMalformed:
      return "the server's answer is malformed";
    case Fault::kShortBody:
      return "the connection ended within an answer";
    case Fault::kUnsolicited:
      return "the server sent an answer nobody asked for";
    case Fault::kConnection:
      return "the server cannot be reached";
  }
  return "unknown";
}

Client::Client(Connection& connection, EventBuffers& buffers, std::uint32_t block_size)
    : connection_(connection),
      buffers_(buffers),
      reader_(*this),
      block_size_(std::bit_floor(std::clamp(block_size, kMinBlockSize, OTA_FILE_BLOCK_SIZE))) {}

UrlStatus Client::begin(std::string_view text) {
  end();
  reopens_ = 0;
  Url parsed;
  const UrlStatus status = parse_url(text, parsed);
  if (status != UrlStatus::kOk) return status;
  if (text != std::string_view(url_text_.data(), url_size_)) logged_faults_ = 0;
  std::copy(text.begin(), text.end(), url_text_.begin());
  url_size_ = text.size();
  static_cast<void>(parse_url({url_text_.data(), url_size_}, url_));  // the same text: the views alone differ
  stage_ = Stage::kTransferring;
  return UrlStatus::kOk;
}

void Client::end() {
  drop_requests();
  drop_connection();
  stage_ = Stage::kIdle;
  renewal_due_ = false;
}

bool Client::request(std::uint32_t first, std::uint32_t last) {
  if (stage_ != Stage::kTransferring || first > last || range_count_ == ranges_.size()) return false;
  ranges_[(first_range_ + range_count_) % ranges_.size()] = {first, last};
  ++range_count_;
  return true;
}

bool Client::service() {
  if (renewal_due_) signal_renewal();
  if (stage_ != Stage::kTransferring) return false;
  if (is_block_complete_ && !deliver()) return false;
  switch (connection_.state()) {
    case Connection::State::kClosed:
      return open();
    case Connection::State::kOpening:
      return false;
    case Connection::State::kOpen: {
      const bool sent = send_requests();
      const bool received = receive();
      return sent || received || connection_.state() != Connection::State::kOpen;
    }
    case Connection::State::kFailed:
      if (has_leftover()) return feed_inbox();
      on_connection_ended();
      return true;
  }
  return false;
}

bool Client::open() {
  if (range_count_ == 0) return false;
  connection_.open(url_.host, url_.port);
  ++statistics_.connections;
  return true;
}

bool Client::send_requests() {
  bool moved = false;
  while (sent_count_ < range_count_) {
    if (outbox_size_ == 0) write_request(outstanding(sent_count_));
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(outbox_.data());
    const std::size_t count = connection_.write({bytes + outbox_at_, outbox_size_ - outbox_at_});
    if (count == 0) break;
    moved = true;
    outbox_at_ += count;
    if (outbox_at_ < outbox_size_) continue;
    outbox_size_ = 0;
    ++sent_count_;
    ++statistics_.requests;
  }
  return moved;
}

/// Host is written as it was signed: with the port only if it is not HTTPS's own.
void Client::write_request(const Range& range) {
  outbox_size_ = 0;
  outbox_at_ = 0;
  append("GET ");
  append(url_.target);
  append(" HTTP/1.1\r\nHost: ");
  append(url_.host);
  if (url_.port != kHttpsPort) {
    append(":");
    append_number(url_.port);
  }
  append("\r\nAccept-Encoding: identity\r\nRange: bytes=");
  append_number(range.first);
  append("-");
  append_number(range.last);
  append("\r\n\r\n");
}

void Client::append(std::string_view text) {
  const std::size_t count = std::min(text.size(), outbox_.size() - outbox_size_);
  std::copy_n(text.begin(), count, outbox_.data() + outbox_size_);
  outbox_size_ += count;
}

void Client::append_number(std::uint32_t number) {
  constexpr std::size_t kMaxDigits = 10;
  std::array<char, kMaxDigits> digits;
  std::size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  append({digits.data() + at, digits.size() - at});
}

bool Client::receive() {
  bool moved = false;
  for (int i = 0; i < kMaxReadsPerService; ++i) {
    if (!has_leftover()) {
      inbox_at_ = 0;
      inbox_size_ = connection_.read(inbox_);
      if (inbox_size_ == 0) break;
      moved = true;
    }
    if (!feed_inbox() || stage_ != Stage::kTransferring || has_leftover()) break;
    moved = true;
    if (connection_.state() != Connection::State::kOpen) break;
  }
  return moved;
}

/// @returns true if some of the inbox was used up.
bool Client::feed_inbox() {
  const auto [status, consumed] = reader_.feed({inbox_.data() + inbox_at_, inbox_size_ - inbox_at_});
  inbox_at_ += consumed;
  if (status == ReadStatus::kRefused) {
    stop(head_fault_, "status", head_status_);
  } else if (status != ReadStatus::kOk) {
    stop(Fault::kMalformed, to_string(status));
  } else if (server_closes_ && reader_.is_between_responses()) {
    drop_connection();  // what is outstanding goes out on the next one
  }
  return consumed != 0;
}

Fault Client::judge(const ResponseHead& head) const {
  switch (head.status) {
    case kBadRequest:
    case kForbidden:
    case kNotFound:
      return Fault::kUrlRefused;
    case kOk:
      return Fault::kWholeObject;
    case kPartialContent:
      return head.has_transfer_encoding ? Fault::kTransferEncoding : Fault::kWrongRange;
    default:
      break;
  }
  const bool is_redirect = head.status >= kMultipleChoices && head.status < kBadRequest;
  return is_redirect ? Fault::kRedirect : Fault::kOtherStatus;
}

bool Client::is_exact(const ResponseHead& head) const {
  if (head.status != kPartialContent || head.has_transfer_encoding || !head.content_range) return false;
  const Range& range = outstanding(0);
  return head.content_range->first == range.first && head.content_range->last == range.last &&
         head.content_length == range.last - range.first + 1;
}

bool Client::on_head(const ResponseHead& head) {
  head_status_ = head.status;
  if (sent_count_ == 0 || server_closes_) {
    head_fault_ = Fault::kUnsolicited;
    return false;
  }
  if (!is_exact(head)) {
    head_fault_ = judge(head);
    return false;
  }
  body_left_ = *head.content_length;
  server_closes_ = head.closes;
  return true;
}

std::size_t Client::on_body(std::span<const std::uint8_t> piece) {
  std::size_t taken = 0;
  while (taken < piece.size()) {
    if (is_block_complete_ && !deliver()) break;
    if (filling_ == nullptr) filling_ = buffers_.acquire(kBuffersForOthers);
    if (filling_ == nullptr) break;
    const std::size_t room = block_size_ - filling_->dataLength;
    const std::size_t count = std::min(room, piece.size() - taken);
    std::copy_n(piece.data() + taken, count, filling_->data + filling_->dataLength);
    filling_->dataLength += static_cast<std::uint32_t>(count);
    taken += count;
    body_left_ -= static_cast<std::uint32_t>(count);
    is_block_complete_ = filling_->dataLength == block_size_ || body_left_ == 0;
  }
  if (is_block_complete_) static_cast<void>(deliver());  // else service() tries again
  return taken;
}

void Client::on_end() {
  first_range_ = (first_range_ + 1) % ranges_.size();
  --range_count_;
  --sent_count_;
}

/// Hands the complete block to the agent. @returns false if its queue has no room now.
bool Client::deliver() {
  if (!signal(OtaAgentEventReceivedFileBlock, filling_)) return false;
  filling_ = nullptr;
  is_block_complete_ = false;
  reopens_ = 0;
  ++statistics_.blocks;
  return true;
}

void Client::on_connection_ended() {
  const ConnectionFailure failure = connection_.failure();
  if (!reader_.is_between_responses()) return stop(Fault::kShortBody, failure.what, failure.code);
  drop_connection();
  if (range_count_ == 0) return;
  if (reopens_ == kMaxReopens) return stop(Fault::kConnection, failure.what, failure.code);
  ++reopens_;
}

/// The end of this transfer until the agent begins anew.
void Client::stop(Fault fault, std::string_view detail, int code) {
  ++statistics_.faults[static_cast<std::size_t>(fault)];
  log_once(fault, detail, code);
  drop_requests();
  drop_connection();
  stage_ = Stage::kStopped;
  renewal_due_ = fault == Fault::kUrlRefused;
  if (renewal_due_) signal_renewal();
}

void Client::log_once(Fault fault, std::string_view detail, int code) {
  const std::uint32_t bit = 1U << static_cast<unsigned>(fault);
  if ((logged_faults_ & bit) != 0) return;
  logged_faults_ |= bit;
  console::Line line;
  line << "app: http: " << to_string(fault);
  if (!detail.empty()) line << ", " << detail;
  if (code != 0) line << ' ' << code;
  console::write(line);
}

void Client::signal_renewal() {
  if (signal(OtaAgentEventRequestJobDocument, nullptr)) renewal_due_ = false;
}

void Client::drop_connection() {
  connection_.close();
  reader_.reset();
  server_closes_ = false;
  sent_count_ = 0;
  outbox_size_ = 0;
  outbox_at_ = 0;
  inbox_size_ = 0;
  inbox_at_ = 0;
}

void Client::drop_requests() {
  buffers_.release(filling_);
  filling_ = nullptr;
  is_block_complete_ = false;
  range_count_ = 0;
  sent_count_ = 0;
}

}  // namespace app::http
