#include "sim/cloud/cbor.h"

#include <limits>

namespace otasim::cloud {

namespace {

constexpr int kMaxDepth = 8;

enum Major : std::uint8_t { kUnsigned = 0, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };

/// The start of an item: its type and the number that goes with it.
struct Head {
  std::uint8_t major = 0;
  std::uint64_t argument = 0;
  bool indefinite = false;
};

/// Reads items from the front; each step consumes at least a byte, so loops end with the input.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::optional<CborMap> read_map();

 private:
  [[nodiscard]] std::optional<Head> read_head();
  [[nodiscard]] std::optional<std::string_view> take(std::uint64_t count);
  [[nodiscard]] std::optional<std::string> read_string(const Head& head);
  /// Leaves `value` as it is for a type that streams do not use.
  [[nodiscard]] bool read_value(int depth, CborValue& value);
  [[nodiscard]] bool skip_items(const Head& head, int depth);
  /// Consumes the end of an indefinite item if it is next.
  [[nodiscard]] bool take_break();

  std::string_view rest_;
};

std::optional<std::string_view> Reader::take(std::uint64_t count) {
  if (count > rest_.size()) return std::nullopt;
  const auto taken = rest_.substr(0, static_cast<std::size_t>(count));
  rest_.remove_prefix(static_cast<std::size_t>(count));
  return taken;
}

bool Reader::take_break() {
  if (rest_.empty() || static_cast<std::uint8_t>(rest_[0]) != 0xFF) return false;
  rest_.remove_prefix(1);
  return true;
}

std::optional<Head> Reader::read_head() {
  const auto first = take(1);
  if (!first) return std::nullopt;
  const auto byte = static_cast<std::uint8_t>((*first)[0]);
  Head head{static_cast<std::uint8_t>(byte >> 5), static_cast<std::uint64_t>(byte & 0x1F), false};
  if (head.argument < 24) return head;
  if (head.argument == 31) {
    head.indefinite = true;
    const bool allowed = head.major >= kBytes && head.major <= kMap;
    return allowed ? std::optional(head) : std::nullopt;
  }
  if (head.argument > 27) return std::nullopt;
  const auto more = take(std::uint64_t{1} << (head.argument - 24));
  if (!more) return std::nullopt;
  head.argument = 0;
  for (const char c : *more) head.argument = head.argument << 8 | static_cast<std::uint8_t>(c);
  // A simple value below 32 has one byte; in two it is not well-formed.
  if (head.major == kSimple && more->size() == 1 && head.argument < 32) return std::nullopt;
  return head;
}

/// A byte or text string, in one piece or in chunks.
std::optional<std::string> Reader::read_string(const Head& head) {
  if (!head.indefinite) {
    const auto bytes = take(head.argument);
    return bytes ? std::optional(std::string{*bytes}) : std::nullopt;
  }
  std::string whole;
  while (!take_break()) {
    const auto chunk = read_head();
    if (!chunk || chunk->major != head.major || chunk->indefinite) return std::nullopt;
    const auto bytes = take(chunk->argument);
    if (!bytes) return std::nullopt;
    whole += *bytes;
  }
  return whole;
}

bool Reader::read_value(int depth, CborValue& value) {
  if (depth > kMaxDepth) return false;
  const auto head = read_head();
  if (!head) return false;
  switch (head->major) {
    case kUnsigned:
    case kNegative: {
      constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
      if (head->argument > kMost) return true;
      const auto number = static_cast<std::int64_t>(head->argument);
      value = head->major == kUnsigned ? number : -1 - number;
      return true;
    }
    case kBytes: {
      const auto bytes = read_string(*head);
      if (bytes) value.emplace<std::vector<std::uint8_t>>(bytes->begin(), bytes->end());
      return bytes.has_value();
    }
    case kText: {
      auto text = read_string(*head);
      if (text) value.emplace<std::string>(std::move(*text));
      return text.has_value();
    }
    case kTag:
      return read_value(depth + 1, value);
    case kSimple:
      return true;
    default:
      return skip_items(*head, depth);
  }
}

bool Reader::skip_items(const Head& head, int depth) {
  const std::uint64_t each = head.major == kMap ? 2 : 1;
  for (std::uint64_t i = 0; head.indefinite ? !take_break() : i < head.argument; ++i) {
    for (std::uint64_t k = 0; k < each; ++k) {
      CborValue ignored;
      if (!read_value(depth + 1, ignored)) return false;
    }
  }
  return true;
}

std::optional<CborMap> Reader::read_map() {
  const auto head = read_head();
  if (!head || head->major != kMap) return std::nullopt;
  CborMap map;
  for (std::uint64_t i = 0; head->indefinite ? !take_break() : i < head->argument; ++i) {
    const auto key_head = read_head();
    if (!key_head || key_head->major != kText) return std::nullopt;
    auto key = read_string(*key_head);
    if (!key) return std::nullopt;
    const auto [entry, added] = map.try_emplace(std::move(*key));
    if (!added || !read_value(1, entry->second)) return std::nullopt;
  }
  return map;
}

}  // namespace

std::optional<CborMap> read_cbor_map(std::string_view bytes) {
  Reader reader(bytes);
  auto map = reader.read_map();
  return map && reader.at_end() ? map : std::nullopt;
}

void CborWriter::head(std::uint8_t major, std::uint64_t argument) {
  const auto first = static_cast<std::uint8_t>(major << 5);
  if (argument < 24) {
    out_ += static_cast<char>(first | argument);
    return;
  }
  const int width = argument <= 0xFF ? 0 : argument <= 0xFFFF ? 1 : argument <= 0xFFFF'FFFF ? 2 : 3;
  out_ += static_cast<char>(first | (24 + width));
  for (int shift = (8 << width) - 8; shift >= 0; shift -= 8)
    out_ += static_cast<char>(argument >> shift & 0xFF);
}

void CborWriter::integer(std::int64_t value) {
  if (value >= 0) {
    head(kUnsigned, static_cast<std::uint64_t>(value));
  } else {
    head(kNegative, static_cast<std::uint64_t>(-1 - value));
  }
}

void CborWriter::text(std::string_view value) {
  head(kText, value.size());
  out_ += value;
}

void CborWriter::bytes(std::span<const std::uint8_t> value) {
  head(kBytes, value.size());
  out_.append(reinterpret_cast<const char*>(value.data()), value.size());
}

}  // namespace otasim::cloud
