// HTTP/1.1 responses as bytes: an incremental reader for what a server sends.
//
// Pure: no network, no clock, no memory but its own. It takes bytes in pieces of any size, hands the head to
// the sink once it is complete and the body as it comes, and goes on with the next response: responses to
// pipelined requests follow each other on one connection. The sink may take less of a body than it is given;
// the reader then stops there, and the rest is fed again later.
//
// It trusts nothing. Lines end in CR LF, header lines are neither folded nor longer than the limits below, a
// length is one number, and a body has a length: chunked bodies are refused. Whatever is wrong ends the
// stream with a status that says what; the connection must then be closed.
//
// Reference: RFC 9112 (HTTP/1.1), RFC 9110 section 14.4 (Content-Range).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace app::http {

inline constexpr std::size_t kMaxStatusLine = 256;
inline constexpr std::size_t kMaxHeaderLine = 1024;
inline constexpr std::size_t kMaxHeaders = 64;
/// All lines of a response's heads together, interim responses included.
inline constexpr std::size_t kMaxHead = 8192;
/// 1xx responses before the final one.
inline constexpr unsigned kMaxInterim = 4;

/// Both ends are part of the range.
struct ContentRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::optional<std::uint32_t> total;  ///< nothing: "*"

  bool operator==(const ContentRange&) const = default;
};

struct ResponseHead {
  std::uint16_t status = 0;
  std::optional<std::uint32_t> content_length;
  std::optional<ContentRange> content_range;
  bool has_transfer_encoding = false;
  bool closes = false;  ///< the server closes the connection behind this response

  bool operator==(const ResponseHead&) const = default;
};

enum class ReadStatus {
  kOk,
  kRefused,        ///< the sink refused the head
  kBadStatusLine,  ///< not "HTTP/1.1 NNN ..."
  kLineTooLong,    ///< a status or header line
  kTooManyHeaders,
  kHeadTooLarge,
  kBadHeader,     ///< no name, no colon, or a character that no header has
  kFoldedHeader,  ///< a line that continues the one before
  kBareCr,        ///< CR without LF
  kBareLf,        ///< LF without CR
  kNul,
  kBadLength,          ///< Content-Length is not one number of 32 bits
  kConflictingLength,  ///< two that differ
  kBadRange,           ///< Content-Range is not "bytes FIRST-LAST/TOTAL"
  kConflictingRange,   ///< two that differ
  kTooManyInterim,
  kUnexpectedUpgrade,  ///< 101, which nobody asked for
  kTransferEncoding,   ///< chunked or another one
  kNoLength,           ///< the body would end with the connection
};

[[nodiscard]] const char* to_string(ReadStatus status);

/// What the reader found.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;

  /// The head of a final response is complete. @returns false to refuse it: its body is not read.
  [[nodiscard]] virtual bool on_head(const ResponseHead& head) = 0;
  /// The next bytes of the body, at least one. @returns how many were taken; fewer than given: not now.
  [[nodiscard]] virtual std::size_t on_body(std::span<const std::uint8_t> piece) = 0;
  /// All of the body was taken.
  virtual void on_end() = 0;
};

class ResponseReader {
 public:
  struct Result {
    ReadStatus status = ReadStatus::kOk;
    std::size_t consumed = 0;  ///< less than was fed if the sink takes no more now, or after an error
  };

  explicit ResponseReader(ResponseSink& sink) : sink_(sink) {}

  /// Reads from the front of `bytes`. After an error only reset() helps.
  [[nodiscard]] Result feed(std::span<const std::uint8_t> bytes);

  /// Ready for a new connection.
  void reset();

  /// No response has begun that is not complete: the connection may end here.
  [[nodiscard]] bool is_between_responses() const {
    return stage_ == Stage::kStatusLine && line_size_ == 0 && head_size_ == 0 && !saw_cr_;
  }

 private:
  enum class Stage { kStatusLine, kHeaderLine, kBody, kBroken };

  ReadStatus take_byte(std::uint8_t byte);
  ReadStatus finish_line();
  ReadStatus take_status_line(std::string_view line);
  ReadStatus take_header(std::string_view line);
  ReadStatus take_length(std::string_view value);
  ReadStatus take_range(std::string_view value);
  ReadStatus finish_head();
  void begin_response();
  void finish_response();
  Result broken(ReadStatus status, std::size_t consumed);

  ResponseSink& sink_;
  Stage stage_ = Stage::kStatusLine;
  ReadStatus error_ = ReadStatus::kOk;
  bool saw_cr_ = false;
  std::array<char, kMaxHeaderLine> line_{};
  std::size_t line_size_ = 0;
  std::size_t head_size_ = 0;
  std::size_t header_count_ = 0;
  unsigned interim_count_ = 0;
  ResponseHead head_;
  std::uint32_t body_left_ = 0;
};

}  // namespace app::http
