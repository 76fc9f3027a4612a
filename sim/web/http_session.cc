#include "sim/web/http_session.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <exception>
#include <utility>

#include "sim/web/assets.h"

namespace otasim::web {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr auto kResults = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t kMaxHeaderBytes = 8192;
constexpr std::string_view kLive = "/live";

rest::HttpRequestHead head_of(const http::request<http::empty_body>& request, bool has_body) {
  rest::HttpRequestHead head;
  head.method = std::string(request.method_string());
  head.target = std::string(request.target());
  head.has_body = has_body;
  for (const auto& field : request) head.headers.emplace_back(field.name_string(), field.value());
  return head;
}

bool is_http_error(error_code error) {
  return error.category() == make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

}  // namespace

HttpSession::HttpSession(boost::beast::tcp_stream stream, const HttpSessionParts& parts)
    : stream_(std::move(stream)), buffer_(std::size_t{kMaxHeaderBytes} * 2), parts_(&parts) {}

void HttpSession::start(std::function<void()> on_end) {
  asio::co_spawn(stream_.get_executor(), run(),
                 [self = shared_from_this(), on_end = std::move(on_end)](const std::exception_ptr&) {
                   if (self->parts_ == nullptr) return;
                   self->close();
                   on_end();
                 });
}

void HttpSession::close() {
  parts_ = nullptr;
  if (!is_handed_over_) stream_.close();
}

asio::awaitable<void> HttpSession::run() {
  for (;;) {
    // Not as a loop's condition: g++ 12 makes a trap of that.
    const bool goes_on = co_await serve_request();
    if (!goes_on) co_return;
  }
}

asio::awaitable<bool> HttpSession::serve_request() {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kMaxHeaderBytes);
  stream_.expires_after(parts_->idle_limit);
  const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kResults);
  if (parts_ == nullptr) co_return false;
  if (error) {
    if (is_http_error(error))
      co_await send(refuse(400, "This is no HTTP request that is understood.", ""), true);
    co_return false;
  }
  const bool has_body = parser.chunked() || parser.content_length().value_or(0) != 0;
  const auto request = parser.release();
  const rest::HttpRequestHead head = head_of(request, has_body);
  const bool is_websocket = boost::beast::websocket::is_upgrade(request);
  Verdict verdict = parts_->gate.judge(head, is_websocket);
  if (verdict == Verdict::kServe && is_websocket && head.target == kLive && parts_->has_room()) {
    stream_.expires_never();
    is_handed_over_ = true;
    const Viewer::Request upgrade(request.base());
    parts_->upgrade(std::move(stream_), upgrade);
    co_return false;
  }
  // A body that nobody reads would be taken for the next request.
  co_return co_await send(answer_to(head, verdict), has_body || !request.keep_alive());
}

HttpSession::Answer HttpSession::refuse(int status, std::string_view text, std::string_view hint) {
  return {.status = status,
          .headers = {{"Content-Type", "text/html; charset=utf-8"}},
          .body = refusal_page(rest::reason_phrase(status), text, hint)};
}

HttpSession::Answer HttpSession::answer_to(const rest::HttpRequestHead& head, Verdict verdict) const {
  switch (verdict) {
    case Verdict::kLetIn:
      return {.status = 303, .headers = {{"Location", "/"}, {"Set-Cookie", parts_->gate.cookie()}}};
    case Verdict::kWrongMethod: {
      Answer answer = refuse(405, "The page changes nothing by requests.", "");
      answer.headers.emplace_back("Allow", "GET");
      return answer;
    }
    case Verdict::kHasBody:
      return refuse(413, "No request here has a body.", "");
    case Verdict::kWrongHost:
      return refuse(403, "The lab's page is reached under 127.0.0.1 or localhost only.", "otasim web");
    case Verdict::kWrongOrigin:
      return refuse(403, "Another page may not talk to the lab.", "");
    case Verdict::kNoSession:
      return refuse(403,
                    "The lab's page opens with the address that otasim up has printed. This prints it again:",
                    "otasim web");
    case Verdict::kServe:
      break;
  }
  if (head.target == "/favicon.ico") return {.status = 204};
  // A page whose WebSocket fails asks for this, for it is not told what was answered.
  if (head.target == kLive && !parts_->has_room())
    return refuse(503, "The lab shows itself to as many pages as it can. Close one of them.", "");
  auto asset = find_asset(head.target);
  if (!asset) return refuse(404, "There is nothing here.", "");
  return {
      .status = 200, .headers = {{"Content-Type", std::string(asset->type)}}, .body = std::move(asset->body)};
}

asio::awaitable<bool> HttpSession::send(Answer answer, bool last) {
  const auto security = security_headers(parts_->port);
  answer.headers.insert(answer.headers.end(), security.begin(), security.end());
  if (answer.status != 204) answer.headers.emplace_back("Content-Length", std::to_string(answer.body.size()));
  answer.headers.emplace_back("Connection", last ? "close" : "keep-alive");
  const std::string text = rest::render_head(answer.status, answer.headers) + answer.body;
  stream_.expires_after(parts_->idle_limit);
  const auto [error, size] = co_await asio::async_write(stream_, asio::buffer(text), kResults);
  if (parts_ == nullptr || error || last) {
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    co_return false;
  }
  co_return true;
}

}  // namespace otasim::web
