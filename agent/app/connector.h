// A TLS connection by name: DNS, TCP and the handshake, step by step and without blocking.
//
//   Connector connector(stream);
//   connector.open("host.example", 8883)
//   connector.service()                    // in every turn of the loop, until state() is kOpen or kFailed
//
// Each step has a limit; one that takes longer fails. MQTT and HTTP have a connector each, and share lwIP's
// resolver: an answer that comes after its connection was closed is passed over.
#pragma once

#include <lwip/ip_addr.h>

#include <array>

#include "agent/app/connection.h"
#include "agent/app/deadline.h"
#include "agent/app/tls_stream.h"

namespace app {

class Connector final : public Connection {
 public:
  static constexpr std::size_t kMaxHost = 253;

  explicit Connector(TlsStream& stream) : stream_(stream) {}
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  void open(std::string_view host, std::uint16_t port) override;
  [[nodiscard]] std::size_t read(std::span<std::uint8_t> out) override { return stream_.read(out); }
  [[nodiscard]] std::size_t write(std::span<const std::uint8_t> data) override { return stream_.write(data); }
  void push() override { stream_.push(); }
  void close() override;
  [[nodiscard]] State state() const override;
  [[nodiscard]] ConnectionFailure failure() const override { return failure_; }

  /// Takes the next step if it is due.
  void service();

 private:
  enum class Stage { kClosed, kResolving, kConnecting, kOpen, kFailed };

  static void on_resolved(const char* name, const ip_addr_t* address, void* self);
  void resolved(const ip_addr_t& address);
  void fail(const char* what, int code = 0);

  TlsStream& stream_;
  Stage stage_ = Stage::kClosed;
  std::array<char, kMaxHost + 1> host_{};
  std::uint16_t port_ = 0;
  Deadline deadline_{0};
  ConnectionFailure failure_;
};

}  // namespace app
