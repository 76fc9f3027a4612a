#include "agent/app/http_response.h"

#include <algorithm>

namespace app::http {
namespace {

constexpr std::string_view kVersion = "HTTP/1.1 ";
constexpr std::uint16_t kSwitchingProtocols = 101;
constexpr std::uint16_t kFirstFinalStatus = 200;
constexpr std::size_t kMaxDigits = 10;  // of a 32-bit number

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view lower_case) {
  return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(),
                    [](char x, char y) { return lower(x) == y; });
}

/// RFC 9110: "token".
bool is_token_character(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || kMarks.find(c) != std::string_view::npos;
}

/// Visible, blank, tab or beyond ASCII.
bool is_text_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7F);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<std::uint32_t> parse_number(std::string_view digits) {
  if (digits.empty() || digits.size() > kMaxDigits) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

/// "FIRST-LAST/TOTAL", behind the unit.
std::optional<ContentRange> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) return std::nullopt;
  const auto first = parse_number(text.substr(0, dash));
  const auto last = parse_number(text.substr(dash + 1, slash - dash - 1));
  if (!first || !last || *first > *last) return std::nullopt;
  ContentRange range{.first = *first, .last = *last, .total = std::nullopt};
  const std::string_view total = text.substr(slash + 1);
  if (total == "*") return range;
  range.total = parse_number(total);
  if (!range.total || *range.total <= *last) return std::nullopt;
  return range;
}

/// Whether a comma-separated list has this element.
bool lists(std::string_view list, std::string_view element) {
  for (;;) {
    const std::size_t comma = list.find(',');
    if (equals_ignoring_case(trimmed(list.substr(0, comma)), element)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

const char* to_string(ReadStatus status) {
  switch (status) {
    case ReadStatus::kOk:
      return "ok";
    case ReadStatus::kRefused:
      return "refused";
    case ReadStatus::kBadStatusLine:
      return "malformed status line";
    case ReadStatus::kLineTooLong:
      return "line too long";
    case ReadStatus::kTooManyHeaders:
      return "too many headers";
    case ReadStatus::kHeadTooLarge:
      return "head too large";
    case ReadStatus::kBadHeader:
      return "malformed header";
    case ReadStatus::kFoldedHeader:
      return "folded header";
    case ReadStatus::kBareCr:
      return "CR without LF";
    case ReadStatus::kBareLf:
      return "LF without CR";
    case ReadStatus::kNul:
      return "NUL in the head";
    case ReadStatus::kBadLength:
      return "malformed Content-Length";
    case ReadStatus::kConflictingLength:
      return "two different Content-Lengths";
    case ReadStatus::kBadRange:
      return "malformed Content-Range";
    case ReadStatus::kConflictingRange:
      return "two different Content-Ranges";
    case ReadStatus::kTooManyInterim:
      return "too many interim responses";
    case ReadStatus::kUnexpectedUpgrade:
      return "unexpected change of protocol";
    case ReadStatus::kTransferEncoding:
      return "a transfer encoding";
    case ReadStatus::kNoLength:
      return "no Content-Length";
  }
  return "unknown";
}

void ResponseReader::reset() {
  stage_ = Stage::kStatusLine;
  error_ = ReadStatus::kOk;
  finish_response();
}

void ResponseReader::begin_response() {
  stage_ = Stage::kStatusLine;
  header_count_ = 0;
  line_size_ = 0;
  saw_cr_ = false;
  head_ = {};
}

void ResponseReader::finish_response() {
  begin_response();
  head_size_ = 0;
  interim_count_ = 0;
  body_left_ = 0;
}

ResponseReader::Result ResponseReader::broken(ReadStatus status, std::size_t consumed) {
  stage_ = Stage::kBroken;
  error_ = status;
  return {status, consumed};
}

ResponseReader::Result ResponseReader::feed(std::span<const std::uint8_t> bytes) {
  if (stage_ == Stage::kBroken) return {error_, 0};
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (stage_ == Stage::kBody) {
      const auto piece = bytes.subspan(at, std::min<std::size_t>(bytes.size() - at, body_left_));
      const std::size_t taken = std::min(sink_.on_body(piece), piece.size());
      at += taken;
      body_left_ -= static_cast<std::uint32_t>(taken);
      if (body_left_ != 0 && taken < piece.size()) break;
      if (body_left_ == 0) {
        finish_response();
        sink_.on_end();
      }
      continue;
    }
    const ReadStatus status = take_byte(bytes[at++]);
    if (status != ReadStatus::kOk) return broken(status, at);
  }
  return {ReadStatus::kOk, at};
}

ReadStatus ResponseReader::take_byte(std::uint8_t byte) {
  if (++head_size_ > kMaxHead) return ReadStatus::kHeadTooLarge;
  if (byte == 0) return ReadStatus::kNul;
  if (saw_cr_) {
    saw_cr_ = false;
    return byte == '\n' ? finish_line() : ReadStatus::kBareCr;
  }
  if (byte == '\n') return ReadStatus::kBareLf;
  if (byte == '\r') {
    saw_cr_ = true;
    return ReadStatus::kOk;
  }
  const std::size_t most = stage_ == Stage::kStatusLine ? kMaxStatusLine : line_.size();
  if (line_size_ == most) return ReadStatus::kLineTooLong;
  line_[line_size_++] = static_cast<char>(byte);
  return ReadStatus::kOk;
}

ReadStatus ResponseReader::finish_line() {
  const std::string_view line(line_.data(), line_size_);
  line_size_ = 0;
  if (stage_ == Stage::kStatusLine) return take_status_line(line);
  return line.empty() ? finish_head() : take_header(line);
}

ReadStatus ResponseReader::take_status_line(std::string_view line) {
  constexpr std::size_t kCodeSize = 3;
  if (!line.starts_with(kVersion)) return ReadStatus::kBadStatusLine;
  const std::string_view rest = line.substr(kVersion.size());
  if (rest.size() < kCodeSize + 1 || rest[kCodeSize] != ' ') return ReadStatus::kBadStatusLine;
  if (!std::all_of(rest.begin(), rest.end(), is_text_character)) return ReadStatus::kBadStatusLine;
  const auto code = parse_number(rest.substr(0, kCodeSize));
  constexpr std::uint32_t kLeast = 100;
  constexpr std::uint32_t kMost = 599;
  if (!code || *code < kLeast || *code > kMost) return ReadStatus::kBadStatusLine;
  head_.status = static_cast<std::uint16_t>(*code);
  stage_ = Stage::kHeaderLine;
  return ReadStatus::kOk;
}

ReadStatus ResponseReader::take_header(std::string_view line) {
  if (++header_count_ > kMaxHeaders) return ReadStatus::kTooManyHeaders;
  if (line.front() == ' ' || line.front() == '\t') return ReadStatus::kFoldedHeader;
  const std::size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return ReadStatus::kBadHeader;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!std::all_of(name.begin(), name.end(), is_token_character)) return ReadStatus::kBadHeader;
  if (!std::all_of(value.begin(), value.end(), is_text_character)) return ReadStatus::kBadHeader;
  if (equals_ignoring_case(name, "content-length")) return take_length(value);
  if (equals_ignoring_case(name, "content-range")) return take_range(value);
  if (equals_ignoring_case(name, "transfer-encoding")) head_.has_transfer_encoding = true;
  if (equals_ignoring_case(name, "connection") && lists(value, "close")) head_.closes = true;
  return ReadStatus::kOk;
}

ReadStatus ResponseReader::take_length(std::string_view value) {
  const auto length = parse_number(value);
  if (!length) return ReadStatus::kBadLength;
  if (head_.content_length && *head_.content_length != *length) return ReadStatus::kConflictingLength;
  head_.content_length = length;
  return ReadStatus::kOk;
}

ReadStatus ResponseReader::take_range(std::string_view value) {
  constexpr std::string_view kUnit = "bytes";
  const std::size_t blank = value.find(' ');
  if (!equals_ignoring_case(value.substr(0, blank), kUnit) || blank == std::string_view::npos) {
    return ReadStatus::kBadRange;
  }
  const std::string_view text = value.substr(blank + 1);
  constexpr std::string_view kUnsatisfied = "*/";  // of a 416: the size alone
  if (text.starts_with(kUnsatisfied)) {
    return parse_number(text.substr(kUnsatisfied.size())) ? ReadStatus::kOk : ReadStatus::kBadRange;
  }
  const auto range = parse_range(text);
  if (!range) return ReadStatus::kBadRange;
  if (head_.content_range && *head_.content_range != *range) return ReadStatus::kConflictingRange;
  head_.content_range = range;
  return ReadStatus::kOk;
}

ReadStatus ResponseReader::finish_head() {
  if (head_.status == kSwitchingProtocols) return ReadStatus::kUnexpectedUpgrade;
  if (head_.status < kFirstFinalStatus) {
    begin_response();
    return ++interim_count_ > kMaxInterim ? ReadStatus::kTooManyInterim : ReadStatus::kOk;
  }
  if (!sink_.on_head(head_)) return ReadStatus::kRefused;
  if (head_.has_transfer_encoding) return ReadStatus::kTransferEncoding;
  if (!head_.content_length) return ReadStatus::kNoLength;
  body_left_ = *head_.content_length;
  stage_ = Stage::kBody;
  if (body_left_ != 0) return ReadStatus::kOk;
  finish_response();
  sink_.on_end();
  return ReadStatus::kOk;
}

}  // namespace app::http
