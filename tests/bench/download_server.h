// The host's side of bench-download: sends bytes over TLS, then as many over TCP alone.
//
// One device at a time, on a thread of its own. TLS 1.2 with a client certificate and the one cipher suite
// that the broker and the device agree on, so that a download can be compared with the agent's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <thread>

#include "sim/lab/lab.h"

namespace otasim::bench {

inline constexpr const char* kCipherSuite = "ECDHE-ECDSA-AES128-GCM-SHA256";

class DownloadServer {
 public:
  DownloadServer(const lab::Lab& lab, std::uint32_t bytes);
  /// Waits until both downloads are over.
  ~DownloadServer();
  DownloadServer(const DownloadServer&) = delete;
  DownloadServer& operator=(const DownloadServer&) = delete;

  [[nodiscard]] std::uint16_t tls_port() const { return tls_acceptor_.local_endpoint().port(); }
  [[nodiscard]] std::uint16_t tcp_port() const { return tcp_acceptor_.local_endpoint().port(); }

 private:
  void serve();
  void serve_tls();
  void serve_tcp();

  std::uint32_t bytes_;
  boost::asio::io_context io_;
  boost::asio::ssl::context tls_{boost::asio::ssl::context::tlsv12_server};
  boost::asio::ip::tcp::acceptor tls_acceptor_;
  boost::asio::ip::tcp::acceptor tcp_acceptor_;
  std::thread thread_;  // last: everything it uses is there before it
};

}  // namespace otasim::bench
