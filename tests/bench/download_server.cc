#include "tests/bench/download_server.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <vector>

namespace otasim::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kPieceBytes = 64 * 1024;

tcp::endpoint any_port() {
  return {asio::ip::address_v4::loopback(), 0};
}

template <typename Stream>
void send_bytes(Stream& stream, std::uint32_t bytes) {
  const std::vector<std::uint8_t> piece(kPieceBytes, 0x5A);
  for (std::uint32_t left = bytes; left != 0;) {
    left -= static_cast<std::uint32_t>(
        asio::write(stream, asio::buffer(piece.data(), std::min<std::size_t>(left, piece.size()))));
  }
}

/// Leaves it to the device to close the connection.
template <typename Stream>
void wait_for_end(Stream& stream) {
  std::array<std::uint8_t, 16> rest;
  boost::system::error_code error;
  while (!error) stream.read_some(asio::buffer(rest), error);
}

/// What the device reads first: the size of each download, and the second one's port.
std::array<std::uint8_t, 8> announcement(std::uint32_t bytes, std::uint16_t tcp_port) {
  std::array<std::uint8_t, 8> out{};
  for (std::size_t i = 0; i < 4; ++i) {
    out.at(i) = static_cast<std::uint8_t>(bytes >> (24 - 8 * i));
    out.at(4 + i) = static_cast<std::uint8_t>(std::uint32_t{tcp_port} >> (24 - 8 * i));
  }
  return out;
}

}  // namespace

DownloadServer::DownloadServer(const lab::Lab& lab, std::uint32_t bytes)
    : bytes_(bytes), tls_acceptor_(io_, any_port()), tcp_acceptor_(io_, any_port()) {
  tls_.use_certificate_chain_file(lab.endpoint().certificate_path);
  tls_.use_private_key_file(lab.endpoint().key_path, asio::ssl::context::pem);
  tls_.load_verify_file(lab.authority().certificate_path);
  tls_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  SSL_CTX_set_cipher_list(tls_.native_handle(), kCipherSuite);
  thread_ = std::thread([this] { serve(); });
}

DownloadServer::~DownloadServer() {
  thread_.join();
}

void DownloadServer::serve() {
  try {
    serve_tls();
    serve_tcp();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench: the download failed: {}\n", error.what());
    std::_Exit(3);
  }
}

void DownloadServer::serve_tls() {
  asio::ssl::stream<tcp::socket> stream(io_, tls_);
  tls_acceptor_.accept(stream.next_layer());
  stream.next_layer().set_option(tcp::no_delay(true));
  stream.handshake(asio::ssl::stream_base::server);
  asio::write(stream, asio::buffer(announcement(bytes_, tcp_port())));
  send_bytes(stream, bytes_);
  wait_for_end(stream);
}

void DownloadServer::serve_tcp() {
  tcp::socket socket(io_);
  tcp_acceptor_.accept(socket);
  socket.set_option(tcp::no_delay(true));
  send_bytes(socket, bytes_);
  wait_for_end(socket);
}

}  // namespace otasim::bench
