// A link under test: with a fake device, a server on the host, and the events it tells.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/base/unique_fd.h"
#include "sim/link/link.h"
#include "sim/report/event_log.h"
#include "tests/sim/link/fake_device.h"

namespace otasim::link::test {

/// Hears the link's events and waits for them.
class Events {
 public:
  Events() {
    log_->listen([this](const nlohmann::json& event) {
      const std::lock_guard lock(mutex_);
      seen_.push_back(event);
      changed_.notify_all();
    });
  }
  report::EventLog* log() { return log_.get(); }

  /// Waits until `count` events of this name were heard. @returns them
  std::vector<nlohmann::json> wait_for(const std::string& name, std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(15), [&] { return named(name).size() >= count; });
    return named(name);
  }
  std::vector<nlohmann::json> all(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return named(name);
  }

 private:
  std::vector<nlohmann::json> named(const std::string& name) const {
    std::vector<nlohmann::json> found;
    for (const auto& event : seen_) {
      if (event["source"] == "link" && event["event"] == name) found.push_back(event);
    }
    return found;
  }

  std::unique_ptr<report::EventLog> log_ = report::EventLog::in_memory();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<nlohmann::json> seen_;
};

/// A TCP server on a free port of the loopback interface.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_.get(), 1024), 0);
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }
  UniqueFd accept() const {
    UniqueFd fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const timeval limit{15, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
  }

 private:
  UniqueFd socket_;
  std::uint16_t port_ = 0;
};

inline std::string read_text(const UniqueFd& fd, std::size_t bytes) {
  std::string text(bytes, '\0');
  const ssize_t got = ::recv(fd.get(), text.data(), text.size(), MSG_WAITALL);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

class LinkTest : public testing::Test {
 protected:
  Config config() {
    return {.folder = folder_.path().string(),
            .allowed_tcp_ports = {listener_.port()},
            .host_names = {"otasim.localhost"},
            .events = events_.log()};
  }
  void start(Config with) {
    auto link = Link::start(std::move(with));
    ASSERT_TRUE(link) << link.error().message;
    link_ = std::move(*link);
    device_.emplace(*link_);
  }
  void start() { start(config()); }

  std::optional<MacAddress> resolve(Ipv4Address address) {
    device_->send(arp_request(address));
    const auto frame = device_->receive([&](Bytes f) { return as_arp_reply(f, address).has_value(); });
    return frame ? as_arp_reply(*frame, address) : std::nullopt;
  }

  /// Sends a DHCP message, gives the answer's.
  Frame dhcp(const Frame& message) {
    device_->send(dhcp_frame(message));
    const auto frame = device_->receive([](Bytes f) { return as_udp_from(f, 67).has_value(); });
    if (!frame) return {};
    const Bytes payload = *as_udp_from(*frame, 67);
    return {payload.begin(), payload.end()};
  }

  std::optional<ReceivedTcp> receive_tcp(std::uint16_t device_port,
                                         const std::function<bool(const ReceivedTcp&)>& wanted) {
    const auto frame = device_->receive([&](Bytes f) {
      const auto segment = as_tcp(f, device_port);
      return segment && wanted(*segment);
    });
    return frame ? as_tcp(*frame, device_port) : std::nullopt;
  }

  /// Opens a connection to the listener. @returns the sequence number the host uses next, 0 on failure
  std::uint32_t open_connection(std::uint16_t device_port) {
    device_->send(tcp_frame({.source_port = device_port,
                             .destination_port = listener_.port(),
                             .sequence = 1'000,
                             .flags = kSyn}));
    const auto answer = receive_tcp(device_port, [](const ReceivedTcp&) { return true; });
    if (!answer) return 0;
    EXPECT_EQ(answer->flags, kSyn | kAck);
    EXPECT_EQ(answer->acknowledgement, 1'001u);
    device_->send(tcp_frame({.source_port = device_port,
                             .destination_port = listener_.port(),
                             .sequence = 1'001,
                             .acknowledgement = answer->sequence + 1,
                             .flags = kAck}));
    return answer->sequence + 1;
  }

  /// What the host sends on the connection of the device's port 40001 reaches the device.
  void expect_welcome(const UniqueFd& server) {
    ASSERT_EQ(::send(server.get(), "welcome", 7, MSG_NOSIGNAL), 7);
    const auto segment = receive_tcp(40'001, [](const ReceivedTcp& s) { return !s.data.empty(); });
    ASSERT_TRUE(segment);
    EXPECT_EQ(segment->data, "welcome");
  }

  TempDir folder_ = TempDir::create().value();
  Events events_;
  Listener listener_;
  std::unique_ptr<Link> link_;
  std::optional<FakeDevice> device_;
};

}  // namespace otasim::link::test
