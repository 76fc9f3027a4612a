#include "agent/app/connector.h"

#include <lwip/dns.h>

#include <algorithm>

namespace app {
namespace {

constexpr std::uint32_t kLookupTimeoutMs = 5000;
constexpr std::uint32_t kStreamTimeoutMs = 10000;

}  // namespace

void Connector::open(std::string_view host, std::uint16_t port) {
  close();
  failure_ = {};
  if (host.empty() || host.size() > kMaxHost) return fail("the server's name is too long");
  std::copy(host.begin(), host.end(), host_.begin());
  host_[host.size()] = '\0';
  port_ = port;
  stage_ = Stage::kResolving;
  deadline_ = Deadline(kLookupTimeoutMs);
  ip_addr_t address{};
  const err_t error = dns_gethostbyname(host_.data(), &address, on_resolved, this);
  if (error == ERR_OK) {
    resolved(address);  // an address literal, or still known
  } else if (error != ERR_INPROGRESS) {
    fail("the server's name cannot be looked up", error);
  }
}

void Connector::on_resolved(const char* name, const ip_addr_t* address, void* self) {
  auto& connector = *static_cast<Connector*>(self);
  const bool is_awaited =
      connector.stage_ == Stage::kResolving && std::string_view(name) == connector.host_.data();
  if (!is_awaited) return;
  if (address == nullptr) return connector.fail("the DNS server does not know the name");
  connector.resolved(*address);
}

void Connector::resolved(const ip_addr_t& address) {
  stage_ = Stage::kConnecting;
  deadline_ = Deadline(kStreamTimeoutMs);
  if (!stream_.open(address, port_, host_.data())) fail(stream_.failure().what, stream_.failure().code);
}

void Connector::service() {
  if (stage_ == Stage::kResolving && deadline_.passed()) return fail("the DNS server did not answer");
  if (stage_ == Stage::kConnecting) {
    stream_.service();
    if (stream_.state() == TlsStream::State::kOpen) {
      stage_ = Stage::kOpen;
    } else if (stream_.state() != TlsStream::State::kFailed && deadline_.passed()) {
      return fail("the server did not complete the TLS handshake in time");
    }
  }
  const bool uses_stream = stage_ == Stage::kConnecting || stage_ == Stage::kOpen;
  if (uses_stream && stream_.state() == TlsStream::State::kFailed) {
    fail(stream_.failure().what, stream_.failure().code);
  }
}

void Connector::close() {
  stream_.close();
  stage_ = Stage::kClosed;
}

Connection::State Connector::state() const {
  switch (stage_) {
    case Stage::kClosed:
      return State::kClosed;
    case Stage::kResolving:
    case Stage::kConnecting:
      return State::kOpening;
    case Stage::kOpen:
      return State::kOpen;
    case Stage::kFailed:
      break;
  }
  return State::kFailed;
}

void Connector::fail(const char* what, int code) {
  stage_ = Stage::kFailed;
  failure_ = {what, code};
}

}  // namespace app
