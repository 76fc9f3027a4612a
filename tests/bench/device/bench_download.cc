// How fast this device receives, without the agent: first over TLS as the application uses it, then over TCP
// alone. The bytes are thrown away.
//
// The server listens on the provisioned MQTT port of the router's address. Over TLS it first says how many
// bytes will follow in each of the two downloads and on which port the second one is (8 bytes, big-endian).
// Each download is timed from its first byte to its last, by the board's clock, and reported in one line:
//
//   app: bench tls 8388608 bytes in 2345 ms
#include <algorithm>
#include <array>
#include <span>

#include "agent/app/build_time.h"
#include "agent/app/calendar_time.h"
#include "agent/app/console.h"
#include "agent/app/crypto_memory.h"
#include "agent/app/deadline.h"
#include "agent/app/device_settings.h"
#include "agent/app/halt.h"
#include "agent/app/netif_lan.h"
#include "agent/app/random.h"
#include "agent/app/tls_stream.h"
#include "agent/include/ota_appversion32.h"
#include "qemu_boards/common/board.h"
#include "tests/bench/device/tcp_sink.h"

AppVersion32_t appFirmwareVersion{};  // what is linked of the agent's library asks for it

namespace {

constexpr std::uint32_t kLimitMs = 60'000;  ///< of each step
constexpr std::size_t kReadSize = 4096;     ///< as much as one block

struct Downloads {
  std::uint32_t bytes;
  std::uint16_t tcp_port;
};

app::NetifLan lan;
app::TlsConfig tls_config;
const app::CalendarTime calendar_time(app::kBuildTime);
app::TlsStream tls{tls_config};
bench::TcpSink tcp;
app::DeviceSettings settings;

void turn() {
  const bool busy = lan.poll();
  tls.service();
  tls.push();
  tcp.push();
  if (!busy) board::wait_for_interrupt();
}

template <typename Condition>
void turn_until(Condition condition, const char* otherwise) {
  const app::Deadline deadline(kLimitMs);
  while (!condition()) {
    if (deadline.passed()) app::halt(otherwise);
    turn();
  }
}

void start() {
  static std::array<std::uint8_t, provisioning::kMaxBlobSize> blob;
  if (settings.load(board::identity(), blob) != provisioning::Status::kOk) app::halt("no settings");
  const provisioning::Settings& provisioned = settings.provisioned();
  if (app::random::seed(board::flash(), provisioned.entropy_seed, board::boot_info().digest) !=
      app::random::Status::kOk) {
    app::halt("no entropy");
  }
  app::TlsCredentials credentials;
  credentials.root_ca = provisioned.root_ca;
  credentials.certificate = provisioned.device_certificate;
  credentials.signer = &board::identity();
  if (!tls_config.init(credentials, calendar_time)) app::halt(tls_config.failure().what);
  if (!lan.start(provisioned.mac)) app::halt("the network controller does not answer");
  turn_until([] { return lan.is_up(); }, "no DHCP server gave an address");
}

void report(const char* what, std::uint32_t bytes, std::uint32_t begun_ms) {
  app::console::log("bench ", what, ' ', bytes, " bytes in ", board::millis() - begun_ms, " ms");
}

/// Fills `out`, turning the loop while there is nothing.
void read_all(std::span<std::uint8_t> out) {
  const app::Deadline deadline(kLimitMs);
  while (!out.empty()) {
    const std::size_t size = tls.read(out);
    if (tls.state() != app::TlsStream::State::kOpen) app::halt(tls.failure().what);
    if (deadline.passed()) app::halt("the server does not send");
    out = out.subspan(size);
    if (size == 0) turn();
  }
}

Downloads read_announcement() {
  std::array<std::uint8_t, 8> bytes;
  read_all(bytes);
  const auto number = [&bytes](std::size_t at) {
    return static_cast<std::uint32_t>(bytes[at] << 24U | bytes[at + 1] << 16U | bytes[at + 2] << 8U |
                                      bytes[at + 3]);
  };
  return {number(0), static_cast<std::uint16_t>(number(4))};
}

Downloads download_over_tls(const ip_addr_t& server) {
  const provisioning::Settings& provisioned = settings.provisioned();
  if (!tls.open(server, provisioned.mqtt_port, settings.endpoint_host())) app::halt(tls.failure().what);
  turn_until(
      [] {
        return tls.state() != app::TlsStream::State::kConnecting &&
               tls.state() != app::TlsStream::State::kHandshaking;
      },
      "no TLS connection");
  const Downloads downloads = read_announcement();
  const std::uint32_t begun_ms = board::millis();
  static std::array<std::uint8_t, kReadSize> block;
  for (std::uint32_t left = downloads.bytes; left != 0;) {
    const auto size = std::min<std::size_t>(left, block.size());
    read_all(std::span(block).first(size));
    left -= static_cast<std::uint32_t>(size);
    tls.push();  // a window that opened while bytes were waiting is told at once
  }
  report("tls", downloads.bytes, begun_ms);
  tls.close();
  return downloads;
}

void download_over_tcp(const ip_addr_t& server, const Downloads& downloads) {
  if (!tcp.open(server, downloads.tcp_port)) app::halt("TCP has no memory for a connection");
  turn_until([] { return tcp.received() != 0; }, "no TCP connection");
  const std::uint32_t begun_ms = board::millis();
  turn_until([&] { return tcp.received() >= downloads.bytes || tcp.is_over(); }, "the server does not send");
  if (tcp.received() != downloads.bytes) app::halt("the TCP connection ended early");
  report("tcp", downloads.bytes, begun_ms);
  tcp.close();
}

}  // namespace

int main() {
  board::init();
  app::crypto_memory::init();
  start();
  const ip_addr_t server = *netif_ip_gw4(netif_default);
  const Downloads downloads = download_over_tls(server);
  download_over_tcp(server, downloads);
  app::console::log("bench done");
  for (;;) turn();
}
