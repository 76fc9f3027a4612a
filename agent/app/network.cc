#include "agent/app/network.h"

#include <lwip/dns.h>

#include <algorithm>

#include "agent/app/console.h"
#include "agent/app/deadline.h"
#include "agent/app/random.h"

namespace app {
namespace {

constexpr std::uint32_t kFirstBackoffMs = 500;
constexpr std::uint32_t kMaxBackoffMs = 5000;
constexpr std::uint32_t kAddressTimeoutMs = 10000;
constexpr std::uint32_t kLookupTimeoutMs = 5000;
constexpr std::uint32_t kStreamTimeoutMs = 10000;
constexpr std::uint32_t kConnackTimeoutMs = 5000;

/// Half of it fixed, half of it by chance.
std::uint32_t with_jitter(std::uint32_t backoff_ms) {
  const std::uint32_t half = backoff_ms / 2;
  return half + random::next_u32() % (half + 1);
}

}  // namespace

void Network::connect() {
  std::uint32_t backoff_ms = kFirstBackoffMs;
  while (!try_connect()) {
    client_.disconnect();
    const std::uint32_t delay_ms = with_jitter(backoff_ms);
    console::log("trying again in ", delay_ms, " ms");
    wait(delay_ms);
    backoff_ms = std::min(2 * backoff_ms, kMaxBackoffMs);
  }
}

bool Network::try_connect() {
  if (!wait_for_address()) return false;
  const std::uint32_t start_ms = board::millis();
  if (!resolve() || !open_stream() || !open_session()) return false;
  console::log("connected to ", settings_.endpoint_host(), ':', settings_.provisioned().mqtt_port, " as ",
               settings_.thing_name(), " in ", board::millis() - start_ms, " ms");
  return true;
}

bool Network::wait_for_address() {
  const Deadline deadline(kAddressTimeoutMs);
  while (!lan_.is_up()) {
    if (deadline.passed()) {
      announced_ = false;
      return failed("no DHCP server gave an address");
    }
    pump_.turn();
  }
  if (!announced_) console::log("network up, address ", console::Ip{lan_.address()});
  announced_ = true;
  return true;
}

void Network::on_resolved(const char*, const ip_addr_t* address, void* self) {
  auto& network = *static_cast<Network*>(self);
  network.lookup_ = address != nullptr ? Lookup::kDone : Lookup::kFailed;
  if (address != nullptr) network.server_ = *address;
}

bool Network::resolve() {
  if (lookup_ != Lookup::kPending) {
    lookup_ = Lookup::kPending;
    const err_t error = dns_gethostbyname(settings_.endpoint_host(), &server_, on_resolved, this);
    if (error == ERR_OK) lookup_ = Lookup::kDone;  // an address literal, or still known
    if (error != ERR_OK && error != ERR_INPROGRESS) {
      lookup_ = Lookup::kIdle;
      return failed("the endpoint's name cannot be looked up", error);
    }
  }
  const Deadline deadline(kLookupTimeoutMs);
  while (lookup_ == Lookup::kPending) {
    // A lookup that is still under way is waited for in the next attempt: lwIP will call back.
    if (deadline.passed()) return failed("the DNS server did not answer");
    pump_.turn();
  }
  return lookup_ == Lookup::kDone || failed("the DNS server does not know the endpoint");
}

bool Network::open_stream() {
  if (!stream_.open(server_, settings_.provisioned().mqtt_port, settings_.endpoint_host())) {
    return failed(stream_.failure().what, stream_.failure().code);
  }
  const Deadline deadline(kStreamTimeoutMs);
  while (stream_.state() != TlsStream::State::kOpen) {
    if (stream_.state() == TlsStream::State::kFailed) {
      return failed(stream_.failure().what, stream_.failure().code);
    }
    if (deadline.passed()) return failed("the broker did not complete the TLS handshake in time");
    pump_.turn();
  }
  return true;
}

bool Network::open_session() {
  mqtt::ConnectOptions options;
  options.client_id = settings_.provisioned().thing_name;
  options.keep_alive_seconds = settings_.provisioned().keep_alive_seconds;
  return client_.connect(options, kConnackTimeoutMs) || failed(client_.reason(), client_.reason_code());
}

void Network::wait(std::uint32_t duration_ms) {
  const Deadline deadline(duration_ms);
  while (!deadline.passed()) pump_.turn();
}

bool Network::failed(const char* reason, int code) {
  console::Line line;
  line << "app: cannot connect to " << settings_.endpoint_host() << ':' << settings_.provisioned().mqtt_port
       << ": " << reason;
  if (code != 0) line << " (code " << code << ')';
  console::write(line);
  return false;
}

}  // namespace app
