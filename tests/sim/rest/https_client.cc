#include "tests/sim/rest/https_client.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

namespace otasim::rest::test {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kResults = asio::as_tuple(asio::use_awaitable);

tcp::endpoint server_at(std::uint16_t port) {
  return {asio::ip::address_v4::loopback(), port};
}

template <typename Stream>
asio::awaitable<error_code> read_all(Stream& stream) {
  std::vector<char> piece(65536);
  for (;;) {
    const auto [error, size] = co_await stream.async_read_some(asio::buffer(piece), kResults);
    if (error) co_return error;
  }
}

asio::awaitable<error_code> exchange_plain(std::uint16_t port, std::string bytes) {
  tcp::socket socket(co_await asio::this_coro::executor);
  co_await socket.async_connect(server_at(port), asio::use_awaitable);
  co_await asio::async_write(socket, asio::buffer(bytes), kResults);
  co_return co_await read_all(socket);
}

}  // namespace

void run_until(asio::io_context& io, const std::function<bool()>& done) {
  io.restart();
  while (!done()) {
    if (io.run_one_for(kLimit) == 0) throw std::runtime_error("what was waited for did not happen");
  }
}

HttpsClient::HttpsClient(asio::io_context& io, std::uint16_t port, const ClientOptions& options)
    : io_(io), tls_(asio::ssl::context::tls_client), stream_(io, tls_) {
  tls_.load_verify_file(options.authority_path);
  SSL* const ssl = stream_.native_handle();
  // The context's settings are not taken over by streams that exist already.
  SSL_set1_verify_cert_store(ssl, SSL_CTX_get_cert_store(tls_.native_handle()));
  stream_.set_verify_mode(asio::ssl::verify_peer);
  stream_.set_verify_callback(asio::ssl::host_name_verification(kServerName));
  SSL_set_tlsext_host_name(ssl, kServerName);
  if (options.tls_version != 0) {
    SSL_set_security_level(ssl, 0);  // or the client would refuse old versions itself
    SSL_set_min_proto_version(ssl, options.tls_version);
    SSL_set_max_proto_version(ssl, options.tls_version);
  }
  if (!options.identity.key_path.empty()) {
    SSL_use_certificate_chain_file(ssl, options.identity.certificate_path.c_str());
    SSL_use_PrivateKey_file(ssl, options.identity.key_path.c_str(), SSL_FILETYPE_PEM);
  }
  std::string protocols;
  for (const std::string& name : options.protocols) protocols += static_cast<char>(name.size()) + name;
  if (!protocols.empty()) {
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
  }
  error_ = run(io_, connect(port, options.receive_buffer));
}

asio::awaitable<error_code> HttpsClient::connect(std::uint16_t port, int receive_buffer) {
  auto& socket = stream_.next_layer();
  socket.open(tcp::v4());
  if (receive_buffer > 0) socket.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
  const auto [refused] = co_await socket.async_connect(server_at(port), kResults);
  if (refused) co_return refused;
  const auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::client, kResults);
  co_return error;
}

int HttpsClient::tls_version() const {
  return SSL_version(const_cast<HttpsClient*>(this)->stream_.native_handle());
}

error_code HttpsClient::send(const std::string& bytes) {
  const auto [error, size] = run(io_, asio::async_write(stream_, asio::buffer(bytes), kResults));
  return error;
}

asio::awaitable<Response> HttpsClient::read_response(bool head) {
  http::response_parser<http::string_body> parser;
  parser.body_limit(std::uint64_t{1} << 30);
  parser.skip(head);
  Response response;
  const auto [error, size] = co_await http::async_read(stream_, buffer_, parser, kResults);
  response.error = error;
  if (parser.is_header_done()) {
    response.status = static_cast<int>(parser.get().result_int());
    response.headers = parser.get().base();
    response.body = std::move(parser.get().body());
  }
  co_return response;
}

Response HttpsClient::receive(bool head) {
  return run(io_, read_response(head));
}

asio::awaitable<int> HttpsClient::read_status() {
  http::response_parser<http::string_body> parser;
  parser.skip(true);
  const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kResults);
  co_return error ? 0 : static_cast<int>(parser.get().result_int());
}

int HttpsClient::receive_status() {
  return run(io_, read_status());
}

Response HttpsClient::get(const std::string& target, const std::string& headers) {
  if (const error_code error = send(request_text("GET", target, headers)); error) return {error, 0, {}, {}};
  return receive();
}

Response HttpsClient::head(const std::string& target, const std::string& headers) {
  if (const error_code error = send(request_text("HEAD", target, headers)); error) return {error, 0, {}, {}};
  return receive(true);
}

error_code HttpsClient::read_to_end() {
  return run(io_, read_all(stream_));
}

void HttpsClient::close() {
  error_code ignored;
  stream_.next_layer().close(ignored);
}

error_code send_plain(asio::io_context& io, std::uint16_t port, const std::string& bytes) {
  return run(io, exchange_plain(port, bytes));
}

std::string request_text(const std::string& method, const std::string& target, const std::string& headers) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", method, target, kServerName, headers);
}

}  // namespace otasim::rest::test
