#include "agent/app/network.h"

#include <algorithm>

#include "agent/app/console.h"
#include "agent/app/deadline.h"
#include "agent/app/random.h"

namespace app {
namespace {

constexpr std::uint32_t kFirstBackoffMs = 500;
constexpr std::uint32_t kMaxBackoffMs = 5000;
constexpr std::uint32_t kAddressTimeoutMs = 10000;
/// After so many failed attempts in a row what DHCP said is not believed any more: router and name server
/// come from there, and whoever answers first is believed for as long as the lease.
constexpr std::uint32_t kFailuresPerLease = 3;
constexpr std::uint32_t kConnackTimeoutMs = 5000;

/// Half of it fixed, half of it by chance.
std::uint32_t with_jitter(std::uint32_t backoff_ms) {
  const std::uint32_t half = backoff_ms / 2;
  return half + random::next_u32() % (half + 1);
}

}  // namespace

void Network::connect() {
  std::uint32_t backoff_ms = kFirstBackoffMs;
  while (!try_connect()) back_off(backoff_ms);
}

bool Network::connect_within(std::uint32_t limit_ms) {
  const Deadline limit(limit_ms);
  std::uint32_t backoff_ms = kFirstBackoffMs;
  while (!try_connect()) {
    back_off(backoff_ms);
    if (limit.passed()) return false;
  }
  return true;
}

void Network::back_off(std::uint32_t& backoff_ms) {
  client_.disconnect();
  renew_address_if_due();
  sntp_.ask();  // certificates may have been judged by a wrong time
  const std::uint32_t delay_ms = with_jitter(backoff_ms);
  console::log("trying again in ", delay_ms, " ms");
  wait(delay_ms);
  backoff_ms = std::min(2 * backoff_ms, kMaxBackoffMs);
}

void Network::renew_address_if_due() {
  if (++failures_ % kFailuresPerLease != 0) return;
  console::log("asking for an address anew");
  lan_.renew_address();
  announced_ = false;
}

bool Network::try_connect() {
  if (!wait_for_address()) return false;
  wait_for_time();
  const std::uint32_t start_ms = board::millis();
  if (!open_connection() || !open_session()) return false;
  failures_ = 0;
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

/// A moment: the answer takes no longer on a network that is well.
void Network::wait_for_time() {
  if (!has_asked_for_time_) sntp_.ask();
  has_asked_for_time_ = true;
  while (!sntp_.may_connect()) pump_.turn();
}

bool Network::open_connection() {
  connection_.open(settings_.endpoint_host(), settings_.provisioned().mqtt_port);
  while (connection_.state() == Connection::State::kOpening) pump_.turn();  // each step has its limit
  if (connection_.state() == Connection::State::kOpen) return true;
  return failed(connection_.failure().what, connection_.failure().code);
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
