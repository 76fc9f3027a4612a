#include "sim/cloud/object_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/read.hpp>

#include "sim/cloud/base64.h"
#include "sim/cloud/uri_encoding.h"
#include "sim/cloud/utc_time.h"

namespace otasim::cloud {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::steady_clock;

/// Error codes come as results, not as exceptions.
constexpr auto kResults = asio::as_tuple(asio::use_awaitable);

constexpr std::uint32_t kMaxHeaderBytes = 8192;
/// Room for a header and for requests that are pipelined behind it.
constexpr std::size_t kMaxReadAhead = std::size_t{2} * kMaxHeaderBytes;
constexpr std::int64_t kPieceBytes = 65536;
/// How long a client may take to say goodbye before the connection is closed all the same.
constexpr auto kGoodbyeLimit = std::chrono::seconds(1);
/// A limited rate is kept from one tenth of a second to the next.
constexpr std::int64_t kPiecesPerSecond = 10;

bool is_http_error(error_code error) {
  return error.category() == make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

/// The value of a header that is given once; otherwise nothing is.
template <typename Fields>
std::string single(const Fields& fields, http::field name) {
  return fields.count(name) == 1 ? std::string(fields[name]) : std::string();
}

/// HTTP/1.1 goes on unless told otherwise, HTTP/1.0 ends.
HeaderFields connection_header(unsigned version, bool keep_alive) {
  if (!keep_alive) return {{"Connection", "close"}};
  if (version < 11) return {{"Connection", "keep-alive"}};
  return {};
}

/// The names S3's answers carry for its support.
struct RequestIds {
  explicit RequestIds(const UuidSource& uuid) {
    for (const char c : uuid()) {
      if (c != '-' && id.size() < 16) id += static_cast<char>(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
    }
    const std::string text = uuid();
    id2 = base64_encode({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  std::string id;
  std::string id2;
};

HeaderFields common_headers(const RequestIds& ids, const Clock& clock) {
  return {{"x-amz-id-2", ids.id2},
          {"x-amz-request-id", ids.id},
          {"Date", http_date(clock.now())},
          {"Server", "AmazonS3"}};
}

void append(HeaderFields& fields, const HeaderFields& more) {
  fields.insert(fields.end(), more.begin(), more.end());
}

}  // namespace

ObjectSession::ObjectSession(asio::ip::tcp::socket socket, asio::ssl::context& tls, ObjectService& service)
    : stream_(boost::beast::tcp_stream(std::move(socket)), tls),
      timer_(stream_.get_executor()),
      buffer_(kMaxReadAhead),
      service_(&service) {
  auto& connection = stream_.next_layer().socket();
  error_code ignored;  // a connection that is gone already ends in the handshake
  connection.set_option(asio::ip::tcp::no_delay(true), ignored);
  const auto peer = connection.remote_endpoint(ignored);
  client_ = fmt::format("{}:{}", peer.address().to_string(), peer.port());
}

void ObjectSession::start(std::function<void()> on_end) {
  asio::co_spawn(
      stream_.get_executor(), run(),
      [self = shared_from_this(), on_end = std::move(on_end)](const std::exception_ptr& /*thrown*/) {
        if (self->closed()) return;
        self->close();
        on_end();
      });
}

void ObjectSession::close() {
  service_ = nullptr;
  timer_.cancel();
  stream_.next_layer().close();
}

void ObjectSession::limit_time() {
  stream_.next_layer().expires_after(service_->idle_timeout);
}

void ObjectSession::reset_connection() {
  error_code ignored;
  stream_.next_layer().socket().set_option(asio::socket_base::linger(true, 0), ignored);
  stream_.next_layer().close();
}

asio::awaitable<void> ObjectSession::run() {
  // g++ 12 miscompiles a co_await in the condition of an empty loop.
  bool goes_on = co_await shake_hands();
  while (goes_on) goes_on = co_await serve_request();
  if (!closed()) co_await shut_down();
}

asio::awaitable<bool> ObjectSession::shake_hands() {
  limit_time();
  const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kResults);
  if (closed()) co_return false;
  if (error == boost::beast::error::timeout) {
    ++service_->statistics.timed_out;
  } else if (error) {
    ++service_->statistics.failed_handshakes;
  }
  co_return !error;
}

/// Says goodbye in TLS's way, so that the client knows that nothing was cut off, and waits for it to do so.
asio::awaitable<void> ObjectSession::shut_down() {
  if (!stream_.next_layer().socket().is_open()) co_return;
  stream_.next_layer().expires_after(kGoodbyeLimit);
  co_await stream_.async_shutdown(kResults);
}

asio::awaitable<bool> ObjectSession::serve_request() {
  Parser parser;
  parser.header_limit(kMaxHeaderBytes);
  limit_time();
  const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kResults);
  if (closed()) co_return false;
  // A body would be the next thing to read; none is expected.
  const error_code why = !error && !parser.is_done() ? make_error_code(http::error::unexpected_body) : error;
  if (why) co_return co_await refuse_request(why);
  Answer answer = answer_request(parser);
  const bool keep_alive = parser.get().keep_alive();
  const bool sent = co_await send(std::move(answer));
  co_return sent&& keep_alive;
}

/// Where the next request would begin is unknown: the connection ends.
asio::awaitable<bool> ObjectSession::refuse_request(error_code why) {
  if (why == boost::beast::error::timeout) ++service_->statistics.timed_out;
  if (!is_http_error(why)) co_return false;
  ++service_->statistics.malformed;
  S3Error error = s3_error_of_status(400);
  error.message = fmt::format("An error occurred when parsing the HTTP request: {}.", why.message());
  if (why == http::error::header_limit) {
    error.code = "RequestHeaderSectionTooLarge";
    error.message = "Your request header and query-string portion exceeds the maximum allowed length.";
  }
  Answer answer = error_answer(error, false, connection_header(11, false));
  co_await send(std::move(answer));
  co_return false;
}

ObjectSession::Answer ObjectSession::answer_request(const Parser& parser) {
  const auto& request = parser.get();
  const HeaderFields connection = connection_header(request.version(), request.keep_alive());
  const ObjectHttpRequest asked{std::string(request.method_string()), std::string(request.target()),
                                single(request, http::field::host), single(request, http::field::range),
                                single(request, http::field::if_range)};
  const bool head_only = asked.method == "HEAD";
  const auto target = parse_request_target(asked.target);
  auto reply = answer_object_request(asked, service_->objects, service_->presigner);
  Answer answer;
  if (reply) {
    ObjectFaults faults = ask_for_faults(asked.method, *reply);
    auto names = apply_faults(faults, *reply);
    answer = faults.status ? error_answer(s3_error_of_status(*faults.status), head_only, connection)
                           : object_answer(*reply, connection);
    if (!faults.status) answer.cut = body_cut(faults, answer.body_length);
    answer.location = reply->object.location;
    answer.fault_names = std::move(names);
    answer.faults = faults;
  } else {
    answer = error_answer(reply.error(), head_only, connection);
    if (target) answer.location = object_location(*target);
  }
  return answer;
}

ObjectFaults ObjectSession::ask_for_faults(const std::string& method, const ObjectReply& reply) {
  if (!service_->faults) return {};
  return service_->faults(
      {++service_->fault_requests, client_, method, reply.object, reply.asked, reply.presigned_expires_at});
}

ObjectSession::Answer ObjectSession::object_answer(ObjectReply reply, const HeaderFields& connection) {
  auto content = service_->objects.open_content(reply.object.location);
  if (!content) return error_answer(s3_error_of_status(500), reply.head_only, connection);
  HeaderFields fields = common_headers(RequestIds(service_->uuid), service_->clock);
  append(fields, reply.headers());
  append(fields, connection);
  Answer answer;
  answer.head = render_head(reply.status(), fields);
  answer.content = std::move(*content);
  answer.first_byte = reply.first_byte;
  answer.body_length = reply.body_length();
  answer.status = reply.status();
  return answer;
}

ObjectSession::Answer ObjectSession::error_answer(const S3Error& error, bool head_only,
                                                  const HeaderFields& connection) {
  const RequestIds ids(service_->uuid);
  Answer answer;
  answer.document = s3_error_document(error, ids.id, ids.id2);
  HeaderFields fields = common_headers(ids, service_->clock);
  append(fields, error.headers);
  append(fields, {{"Content-Type", "application/xml"},
                  {"Content-Length", fmt::format("{}", answer.document.size())}});
  append(fields, connection);
  answer.head = render_head(error.status, fields);
  answer.body_length = head_only ? 0 : static_cast<std::int64_t>(answer.document.size());
  answer.status = error.status;
  answer.error = error.code;
  return answer;
}

asio::awaitable<bool> ObjectSession::send(Answer answer) {
  std::int64_t sent = 0;
  const std::string failure = co_await transfer(answer, sent);
  if (closed()) co_return false;
  ++service_->statistics.requests;
  report(answer, sent, failure);
  co_return failure.empty() && !answer.cut;
}

asio::awaitable<std::string> ObjectSession::transfer(const Answer& answer, std::int64_t& sent) {
  const ObjectFaults& faults = answer.faults;
  const auto wait_until = [this](steady_clock::time_point when) {
    timer_.expires_at(when);
    return timer_.async_wait(kResults);
  };
  if (faults.delay.count() > 0) co_await wait_until(steady_clock::now() + faults.delay);
  if (closed()) co_return "closed";
  if (answer.cut && answer.cut->at < 0) {
    reset_connection();
    co_return "";
  }
  const std::int64_t end = answer.cut ? answer.cut->at : answer.body_length;
  const std::int64_t rate = faults.bytes_per_second;
  const std::int64_t piece =
      rate > 0 ? std::clamp<std::int64_t>(rate / kPiecesPerSecond, 1, kPieceBytes) : kPieceBytes;
  const auto started = steady_clock::now();
  out_.assign(answer.head.begin(), answer.head.end());
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
  if (answer.cut && answer.cut->reset) reset_connection();
  co_return "";
}

/// Adds the body's bytes from `offset` to what is written next.
bool ObjectSession::append_body(const Answer& answer, std::int64_t offset, std::int64_t length) {
  if (!answer.content) {
    out_.insert(out_.end(), answer.document.begin() + offset, answer.document.begin() + offset + length);
    return true;
  }
  const std::size_t before = out_.size();
  out_.resize(before + static_cast<std::size_t>(length));
  const std::span<std::uint8_t> piece = std::span(out_).subspan(before);
  const std::int64_t first = answer.first_byte + offset;
  if (!read_content(answer.content.get(), first, piece)) return false;
  const std::int64_t corrupt_at = answer.faults.corrupt_at.value_or(-1) - first;
  if (corrupt_at >= 0 && corrupt_at < length) piece[static_cast<std::size_t>(corrupt_at)] ^= 0xFF;
  return true;
}

/// Each part that the client takes gets a time limit of its own: a slow client is welcome, one that has
/// stopped is not.
asio::awaitable<error_code> ObjectSession::write() {
  std::size_t done = 0;
  while (done < out_.size()) {
    limit_time();
    const auto [error, size] = co_await stream_.async_write_some(asio::buffer(out_) + done, kResults);
    if (closed()) co_return error;
    if (error == boost::beast::error::timeout) ++service_->statistics.timed_out;
    if (error) co_return error;
    done += size;
  }
  co_return error_code();
}

void ObjectSession::report(const Answer& answer, std::int64_t sent, const std::string& failure) {
  nlohmann::json event{{"bucket", answer.location.bucket},   {"key", answer.location.key},
                       {"version", answer.location.version}, {"status", answer.status},
                       {"first_byte", answer.first_byte},    {"bytes", answer.content ? sent : 0}};
  const std::string& error = failure.empty() ? answer.error : failure;
  if (!error.empty()) event["error"] = error;
  if (!answer.fault_names.empty()) event["fault"] = answer.fault_names;
  service_->log.emit("cloud", "object_request", std::move(event));
}

}  // namespace otasim::cloud
