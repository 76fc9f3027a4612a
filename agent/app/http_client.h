// Byte ranges of one object over one kept-alive HTTPS connection, cut into blocks for the agent.
//
//   client.begin(url)                 // parses it; the connection is opened with the first request
//   client.request(first, last)       // only queues; several may be outstanding
//   client.service()                  // in every turn of the loop: connects, sends, receives
//   client.end()                      // drops everything
//
// Requests are pipelined and answered in their order. Each block of an answer becomes one
// OtaAgentEventReceivedFileBlock, in a buffer of the pool. When none is free the client stops reading, TLS
// and TCP stop in turn, and the server waits: nothing is dropped.
//
// An answer must be a 206 with exactly the range that was asked for, else it is not believed:
//
//   400, 403, 404          the URL has expired: OtaAgentEventRequestJobDocument is signalled, once
//   anything else amiss    counted by kind, logged once per kind and URL; the agent's request timer runs out
//
// Either way the connection is closed, what was outstanding is dropped, and requests are refused until
// begin() is called again: an answer is known by its place in the order, so nothing may come after a gap.
//
// A server may close the connection between two answers, as an idle one does. Then it is opened again, and
// what is outstanding is asked for again; not more often than kMaxReopens times without a block in between.
//
// Everything the server sends is read by http_response; nothing is allocated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "agent/app/connection.h"
#include "agent/app/event_buffers.h"
#include "agent/app/http_response.h"
#include "agent/app/url.h"

namespace app::http {

/// The agent's least.
inline constexpr std::uint32_t kMinBlockSize = 256;

/// Why a transfer stopped.
enum class Fault : std::uint8_t {
  kUrlRefused,        ///< 400, 403, 404
  kWholeObject,       ///< 200: the range was ignored
  kRedirect,          ///< 3xx
  kOtherStatus,       ///< any other but 206
  kWrongRange,        ///< Content-Range or Content-Length is not what was asked for
  kTransferEncoding,  ///< a chunked body
  kMalformed,         ///< no HTTP, or beyond http_response's limits
  kShortBody,         ///< the connection ended within an answer
  kUnsolicited,       ///< an answer without a request
  kConnection,        ///< not to be opened, or closed again and again
};
inline constexpr std::size_t kFaultKinds = 10;

[[nodiscard]] const char* to_string(Fault fault);

struct Statistics {
  std::array<std::uint32_t, kFaultKinds> faults{};  ///< by kind
  std::uint32_t requests = 0;                       ///< sent, repeated ones included
  std::uint32_t blocks = 0;                         ///< handed to the agent
  std::uint32_t connections = 0;                    ///< opened

  [[nodiscard]] std::uint32_t count(Fault fault) const { return faults[static_cast<std::size_t>(fault)]; }
};

class Client final : private ResponseSink {
 public:
  static constexpr std::size_t kMaxOutstanding = 16;
  static constexpr unsigned kMaxReopens = 3;
  /// Buffers that blocks leave free, for job documents.
  static constexpr std::size_t kBuffersForOthers = 4;

  /// @param block_size  of the blocks that the agent asks for; brought into range as the agent does
  Client(Connection& connection, EventBuffers& buffers, std::uint32_t block_size);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// A new URL; as end() first. Its connection is a new one: a URL that is renewed was refused, and the rest
  /// of that answer is not worth reading; one left idle between jobs may be dead without showing it.
  /// @returns what parse_url() returns; only kOk begins anything
  [[nodiscard]] UrlStatus begin(std::string_view url);

  /// Queues a range, both ends included. @returns false if the range is empty, too many are outstanding, or
  /// the transfer has stopped or not begun.
  [[nodiscard]] bool request(std::uint32_t first, std::uint32_t last);

  /// @returns true if bytes moved.
  bool service();

  /// Closes the connection. No event of an earlier request is signalled from here on.
  void end();

  [[nodiscard]] const Statistics& statistics() const { return statistics_; }

 private:
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };
  enum class Stage { kIdle, kTransferring, kStopped };

  bool on_head(const ResponseHead& head) override;
  std::size_t on_body(std::span<const std::uint8_t> piece) override;
  void on_end() override;

  bool open();
  bool send_requests();
  void write_request(const Range& range);
  void append(std::string_view text);
  void append_number(std::uint32_t number);
  bool receive();
  bool feed_inbox();
  [[nodiscard]] Fault judge(const ResponseHead& head) const;
  [[nodiscard]] bool is_exact(const ResponseHead& head) const;
  [[nodiscard]] bool deliver();
  void on_connection_ended();
  void stop(Fault fault, std::string_view detail, int code = 0);
  void log_once(Fault fault, std::string_view detail, int code);
  void signal_renewal();
  void drop_connection();
  void drop_requests();
  [[nodiscard]] bool has_leftover() const { return inbox_at_ < inbox_size_; }
  [[nodiscard]] const Range& outstanding(std::size_t i) const {
    return ranges_[(first_range_ + i) % ranges_.size()];
  }

  /// Room for a request: the target, the host, and the lines around them.
  static constexpr std::size_t kOutboxSize = kMaxUrlLength + kMaxUrlHost + 256;
  static constexpr std::size_t kInboxSize = 4096;

  Connection& connection_;
  EventBuffers& buffers_;
  ResponseReader reader_;
  const std::uint32_t block_size_;  ///< kMinBlockSize..OTA_FILE_BLOCK_SIZE, so a block fits a buffer
  Stage stage_ = Stage::kIdle;

  std::array<char, kMaxUrlLength> url_text_{};
  std::size_t url_size_ = 0;
  Url url_;

  std::array<Range, kMaxOutstanding> ranges_{};  ///< a ring, oldest first
  std::size_t first_range_ = 0;
  std::size_t range_count_ = 0;
  std::size_t sent_count_ = 0;  ///< of them, on this connection
  std::array<char, kOutboxSize> outbox_{};
  std::size_t outbox_size_ = 0;
  std::size_t outbox_at_ = 0;

  std::array<std::uint8_t, kInboxSize> inbox_{};
  std::size_t inbox_size_ = 0;
  std::size_t inbox_at_ = 0;
  OtaEventData_t* filling_ = nullptr;
  std::uint32_t body_left_ = 0;     ///< of the answer being received
  bool is_block_complete_ = false;  ///< `filling_` waits for room in the agent's queue
  bool server_closes_ = false;
  Fault head_fault_ = Fault::kMalformed;  ///< why on_head() refused
  std::uint16_t head_status_ = 0;

  unsigned reopens_ = 0;  ///< since the last block
  bool renewal_due_ = false;
  std::uint32_t logged_faults_ = 0;  ///< a bit for each kind
  Statistics statistics_;
};

}  // namespace app::http
