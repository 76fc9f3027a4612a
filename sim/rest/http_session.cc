#include "sim/rest/http_session.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/read.hpp>

#include "sim/cloud/object_store.h"
#include "sim/crypto/certificate.h"
#include "sim/crypto/key.h"

namespace otasim::rest {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::steady_clock;

/// Error codes come as results, not as exceptions.
constexpr auto kResults = asio::as_tuple(asio::use_awaitable);

constexpr std::uint32_t kMaxHeaderBytes = 8192;
constexpr std::int64_t kPieceBytes = 65536;
/// Room for a header and for what comes behind it.
constexpr std::size_t kMaxReadAhead = kMaxHeaderBytes + std::size_t{kPieceBytes};
/// How long a client may take to say goodbye before the connection is closed all the same.
constexpr auto kGoodbyeLimit = std::chrono::seconds(1);
/// How much of a body that nobody wants is taken before the connection is closed all the same.
constexpr std::size_t kMaxDrainedBytes = std::size_t{16} << 20;
/// A limited rate is kept from one tenth of a second to the next.
constexpr std::int64_t kPiecesPerSecond = 10;

bool is_http_error(error_code error) {
  return error.category() == make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

/// The client sends on while we have said goodbye.
bool is_data_after_goodbye(error_code error) {
  return error.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(error.value())) ==
             SSL_R_APPLICATION_DATA_AFTER_CLOSE_NOTIFY;
}

/// HTTP/1.1 goes on unless told otherwise, HTTP/1.0 ends.
void add_connection_header(unsigned version, bool keep_alive, HeaderFields& fields) {
  if (!keep_alive) {
    fields.emplace_back("Connection", "close");
  } else if (version < 11) {
    fields.emplace_back("Connection", "keep-alive");
  }
}

/// These have no body, and no Content-Length.
bool is_bodiless(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

HttpSession::HttpSession(asio::ip::tcp::socket socket, asio::ssl::context& tls, HttpSessionShare& share)
    : stream_(boost::beast::tcp_stream(std::move(socket)), tls),
      timer_(stream_.get_executor()),
      buffer_(kMaxReadAhead),
      share_(&share) {
  auto& connection = stream_.next_layer().socket();
  error_code ignored;  // a connection that is gone already ends in the handshake
  static_cast<void>(connection.set_option(asio::ip::tcp::no_delay(true), ignored));
  const auto peer = connection.remote_endpoint(ignored);
  peer_ = fmt::format("{}:{}", peer.address().to_string(), peer.port());
}

void HttpSession::start(std::function<void()> on_end) {
  asio::co_spawn(
      stream_.get_executor(), run(),
      [self = shared_from_this(), on_end = std::move(on_end)](const std::exception_ptr& /*thrown*/) {
        if (self->closed()) return;
        self->close();
        on_end();
      });
}

void HttpSession::close() {
  share_ = nullptr;
  timer_.cancel();
  stream_.next_layer().close();
}

void HttpSession::limit_time() {
  stream_.next_layer().expires_after(share_->idle_timeout);
}

void HttpSession::reset_connection() {
  error_code ignored;
  static_cast<void>(stream_.next_layer().socket().set_option(asio::socket_base::linger(true, 0), ignored));
  stream_.next_layer().close();
}

asio::awaitable<void> HttpSession::run() {
  // g++ 12 miscompiles a co_await in the condition of an empty loop.
  bool goes_on = co_await shake_hands();
  while (goes_on) goes_on = co_await serve_request();
  if (!closed()) co_await shut_down();
}

asio::awaitable<bool> HttpSession::shake_hands() {
  limit_time();
  const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kResults);
  if (closed()) co_return false;
  if (error == boost::beast::error::timeout) {
    ++share_->statistics.timed_out;
  } else if (error) {
    ++share_->statistics.failed_handshakes;
  } else {
    remember_client_certificate();
  }
  co_return !error;
}

void HttpSession::remember_client_certificate() {
  const X509* const certificate = SSL_get0_peer_certificate(stream_.native_handle());
  if (certificate == nullptr) return;
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &length) != 1) return;
  client_certificate_ = crypto::hex(std::span(digest).first(length));
  const auto from = crypto::epoch_seconds(X509_get0_notBefore(certificate));
  const auto until = crypto::epoch_seconds(X509_get0_notAfter(certificate));
  if (from && until) client_validity_ = {*from, *until};
}

/// Says goodbye in TLS's way, so that the client knows that nothing was cut off, and waits for it to do so.
/// What it still sends of a body that nobody wants is taken, undeciphered: closing before that would reset
/// the connection, and the client would never read its answer.
asio::awaitable<void> HttpSession::shut_down() {
  if (!stream_.next_layer().socket().is_open()) co_return;
  stream_.next_layer().expires_after(kGoodbyeLimit);
  auto [error] = co_await stream_.async_shutdown(kResults);
  if (closed() || !is_data_after_goodbye(error)) co_return;
  out_.resize(kPieceBytes);
  for (std::size_t taken = 0; taken < kMaxDrainedBytes;) {
    const auto [ended, size] = co_await stream_.next_layer().async_read_some(asio::buffer(out_), kResults);
    if (closed() || ended) co_return;
    taken += size;
  }
}

HttpRequestHead HttpSession::head_of(const Parser& parser) const {
  const auto& request = parser.get();
  HttpRequestHead head;
  head.method = std::string(request.method_string());
  head.target = std::string(request.target());
  for (const auto& field : request) {
    head.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  head.peer = peer_;
  head.client_certificate = client_certificate_;
  head.client_validity = client_validity_;
  head.has_body = !parser.is_done();
  if (const auto length = parser.content_length()) head.content_length = *length;
  head.received_at = steady_clock::now().time_since_epoch().count();
  return head;
}

asio::awaitable<bool> HttpSession::serve_request() {
  Parser parser;
  parser.header_limit(kMaxHeaderBytes);
  parser.body_limit(boost::none);  // the handler's business
  limit_time();
  const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kResults);
  if (closed()) co_return false;
  if (error) co_return co_await refuse_request(error);
  const unsigned version = parser.get().version();
  const bool keep_alive = parser.get().keep_alive();
  // A HEAD's answer has no body, whoever words it: the next answer would begin with it.
  const bool head_only = parser.get().method() == http::verb::head;
  auto decision = share_->handler.begin(head_of(parser));
  if (auto* const answer = std::get_if<HttpResponse>(&decision)) {
    answer->head_only |= head_only;
    co_return co_await send(std::move(*answer), version, !keep_alive || !parser.is_done());
  }
  const auto exchange = std::move(std::get<std::unique_ptr<HttpExchange>>(decision));
  BodyEnd end = co_await read_body(parser, *exchange);
  if (closed()) co_return false;
  if (auto* const answer = std::get_if<HttpResponse>(&end.outcome)) {
    answer->head_only |= head_only;
    co_return co_await send(std::move(*answer), version, !keep_alive || !parser.is_done());
  }
  co_return co_await refuse_request(std::get<error_code>(end.outcome));
}

asio::awaitable<HttpSession::BodyEnd> HttpSession::read_body(Parser& parser, HttpExchange& exchange) {
  const std::uint64_t limit = exchange.max_body_bytes();
  if (parser.content_length().value_or(0) > limit) co_return BodyEnd{exchange.too_large()};
  const auto& request = parser.get();
  // Whoever has begun to send already needs no telling.
  if (!parser.is_done() && buffer_.size() == 0 && request.version() >= 11 &&
      boost::beast::iequals(request[http::field::expect], "100-continue")) {
    const error_code error = co_await tell_to_continue();
    if (closed() || error) co_return BodyEnd{error};
  }
  std::vector<std::uint8_t> piece(parser.is_done() ? 0 : kPieceBytes);
  std::uint64_t taken = 0;
  const auto time = exchange.max_body_time();
  const auto until = time ? steady_clock::now() + *time : steady_clock::time_point::max();
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    stream_.next_layer().expires_at(std::min(until, steady_clock::now() + share_->idle_timeout));
    auto [error, size] = co_await http::async_read_some(stream_, buffer_, parser, kResults);
    if (closed()) co_return BodyEnd{error};
    if (error == http::error::need_buffer) error = {};
    if (error) co_return BodyEnd{error};
    const std::size_t length = piece.size() - body.size;
    taken += length;
    if (taken > limit) co_return BodyEnd{exchange.too_large()};
    if (length == 0) continue;
    if (auto answer = exchange.on_body(std::span(piece).first(length))) co_return BodyEnd{std::move(*answer)};
  }
  co_return BodyEnd{exchange.on_end()};
}

asio::awaitable<error_code> HttpSession::tell_to_continue() {
  const std::string head = render_head(100, {});
  out_.assign(head.begin(), head.end());
  co_return co_await write();
}

/// Where the next request would begin is unknown: the connection ends.
asio::awaitable<bool> HttpSession::refuse_request(error_code why) {
  if (why == boost::beast::error::timeout) ++share_->statistics.timed_out;
  if (!is_http_error(why)) co_return false;
  ++share_->statistics.malformed;
  HttpResponse answer = share_->handler.refuse({why == http::error::header_limit, why.message()});
  co_return co_await send(std::move(answer), 11, true);
}

asio::awaitable<bool> HttpSession::send(HttpResponse answer, unsigned version, bool last) {
  const bool keep_alive = !last && !answer.close_connection;
  HeaderFields fields = std::move(answer.headers);
  if (!is_bodiless(answer.status)) {
    fields.emplace_back("Content-Length", fmt::format("{}", answer.content_length()));
  }
  add_connection_header(version, keep_alive, fields);
  std::int64_t sent = 0;
  const std::string failure = co_await transfer(answer, render_head(answer.status, fields), sent);
  if (closed()) co_return false;
  ++share_->statistics.requests;
  if (answer.on_sent) answer.on_sent(sent, failure);
  co_return keep_alive&& failure.empty() && !answer.faults.cut;
}

asio::awaitable<std::string> HttpSession::transfer(const HttpResponse& answer, std::string head,
                                                   std::int64_t& sent) {
  const TransferFaults& faults = answer.faults;
  if (faults.delay.count() > 0) co_await wait_until(now_without_halts(share_->halt) + faults.delay);
  if (closed()) co_return "closed";
  if (faults.cut && faults.cut->at < 0) {
    reset_connection();
    co_return "";
  }
  const std::int64_t end = faults.cut ? faults.cut->at : answer.body_length();
  const std::int64_t rate = faults.bytes_per_second;
  const std::int64_t piece =
      rate > 0 ? std::clamp<std::int64_t>(rate / kPiecesPerSecond, 1, kPieceBytes) : kPieceBytes;
  const auto started = now_without_halts(share_->halt);
  out_.assign(head.begin(), head.end());
  do {
    const std::int64_t length = std::min(piece, end - sent);
    if (!append_body(answer, sent, length)) co_return "the object's file is shorter than it was";
    if (rate > 0 && sent > 0) {
      co_await wait_until(started +
                          std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(
                              static_cast<double>(sent) / static_cast<double>(rate))));
      if (closed()) co_return "closed";
    }
    const error_code error = co_await write();
    if (closed()) co_return "closed";
    if (error) co_return error.message();
    out_.clear();
    sent += length;
  } while (sent < end);
  if (faults.cut && faults.cut->reset) reset_connection();
  co_return "";
}

asio::awaitable<void> HttpSession::wait_until(steady_clock::time_point due) {
  while (!closed()) {
    const auto left = sleep_without_halts(share_->halt, due);
    if (!left) co_return;
    timer_.expires_after(*left);
    co_await timer_.async_wait(kResults);
  }
}

/// Adds the body's bytes from `offset` to what is written next.
bool HttpSession::append_body(const HttpResponse& answer, std::int64_t offset, std::int64_t length) {
  const std::size_t before = out_.size();
  out_.resize(before + static_cast<std::size_t>(length));
  const std::span<std::uint8_t> into = std::span(out_).subspan(before);
  if (!answer.piece) {
    std::ranges::copy(answer.body.begin() + offset, answer.body.begin() + offset + length, into.begin());
  } else if (!cloud::read_content(answer.piece->file.get(), answer.piece->first_byte + offset, into)) {
    return false;
  }
  const std::int64_t corrupt_at = answer.faults.corrupt_at.value_or(-1) - offset;
  if (corrupt_at >= 0 && corrupt_at < length) into[static_cast<std::size_t>(corrupt_at)] ^= 0xFF;
  return true;
}

/// Each part that the client takes gets a time limit of its own: a slow client is welcome, one that has
/// stopped is not.
asio::awaitable<error_code> HttpSession::write() {
  std::size_t done = 0;
  while (done < out_.size()) {
    limit_time();
    const auto [error, size] = co_await stream_.async_write_some(asio::buffer(out_) + done, kResults);
    if (closed()) co_return error;
    if (error == boost::beast::error::timeout) ++share_->statistics.timed_out;
    if (error) co_return error;
    done += size;
  }
  co_return error_code();
}

}  // namespace otasim::rest
