// The time from a server, beside everything else: one request when the network is up, repeated with back-off
// until an answer can be believed, and once a day from then on.
//
//   sntp::Client client(time, transport);
//   client.ask()              // the network is up, or the clock may be wrong: ask now
//   client.service()          // in every turn of the loop: sends what is due
//   client.on_datagram(bytes) // from the server's address and port; anything else is not handed over
//   client.may_connect()      // before a connection whose certificates should be judged by the time
//
// may_connect() makes a connection wait, but for kPatienceMs after the device's start at most: a device whose
// server is silent, or that was told of none, goes on with what it knows. Requests go on in the background,
// kLongestWaitMs apart in the end, so there is nothing that gives up and nothing that floods.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "agent/app/calendar_time.h"
#include "agent/app/deadline.h"
#include "agent/app/sntp_message.h"

namespace app::sntp {

/// Where requests go.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Whether DHCP told of a server.
  [[nodiscard]] virtual bool has_server() const = 0;
  /// Sends one datagram to it. What cannot be sent is lost.
  virtual void send(std::span<const std::uint8_t> datagram) = 0;
};

class Client {
 public:
  static constexpr std::uint32_t kFirstWaitMs = 250;  ///< for an answer, before the next request
  static constexpr std::uint32_t kLongestWaitMs = 64'000;
  static constexpr std::uint32_t kPatienceMs = 1000;  ///< of who waits for may_connect()
  static constexpr std::uint32_t kRefreshMs = 24 * 60 * 60 * 1000;

  Client(CalendarTime& time, Transport& transport) : time_(time), transport_(transport) {}

  void ask();
  void service();
  void on_datagram(std::span<const std::uint8_t> bytes);

  [[nodiscard]] bool may_connect();

 private:
  enum class State { kIdle, kAsking, kAnswered };

  void send_request();
  void refuse(const char* why);

  CalendarTime& time_;
  Transport& transport_;
  State state_ = State::kIdle;
  std::optional<Nonce> nonce_;  ///< of the request that may be answered
  std::uint32_t wait_ms_ = kFirstWaitMs;
  Deadline next_{0};
  std::optional<Deadline> patience_;
  bool is_patient_ = true;
  bool has_complained_ = false;  ///< since ask()
};

}  // namespace app::sntp
