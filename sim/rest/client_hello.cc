#include "sim/rest/client_hello.h"

#include <algorithm>

namespace otasim::rest {

namespace {

constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kClientHelloMessage = 1;
constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kMessageHeader = 4;
constexpr std::size_t kMaxRecord = 16 * 1024;
constexpr std::size_t kRandom = 32;
constexpr std::uint16_t kServerName = 0;
constexpr std::uint16_t kAlpn = 16;

/// Reads numbers and vectors off a message; once something does not fit, nothing does.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  std::size_t number(std::size_t size) {
    std::size_t value = 0;
    for (const std::uint8_t byte : take(size)) value = value << 8 | byte;
    return value;
  }
  std::span<const std::uint8_t> take(std::size_t size) {
    if (size > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  /// A vector: its length in so many bytes, and then itself.
  Reader vector(std::size_t length_size) {
    Reader inner(take(number(length_size)));
    inner.failed_ = failed_;
    return inner;
  }
  [[nodiscard]] std::string text() const { return {rest_.begin(), rest_.end()}; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::span<const std::uint8_t> rest_;
  bool failed_ = false;
};

using Hello = tl::expected<std::optional<ClientHello>, std::string_view>;

tl::unexpected<std::string_view> broken() {
  return tl::unexpected<std::string_view>("the ClientHello is damaged");
}

/// Whether it holds the first message to its end; from there on others' bytes begin.
bool is_whole(std::span<const std::uint8_t> handshake) {
  if (handshake.size() < kMessageHeader) return false;
  return handshake.size() - kMessageHeader >= Reader(handshake.subspan(1)).number(3);
}

/// The bytes of the handshake's first message so far, without the records they came in. What follows it, such
/// as a client's early data, is left alone.
tl::expected<std::vector<std::uint8_t>, std::string_view> unwrap(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint8_t> message;
  while (!bytes.empty() && !is_whole(message)) {
    if (bytes[0] != kHandshakeRecord || (bytes.size() > 1 && bytes[1] != 3)) {
      return tl::unexpected<std::string_view>("this is no TLS");
    }
    if (bytes.size() < kRecordHeader) break;
    const std::size_t length = static_cast<std::size_t>(bytes[3]) << 8 | bytes[4];
    if (length == 0 || length > kMaxRecord) return tl::unexpected<std::string_view>("this is no TLS");
    bytes = bytes.subspan(kRecordHeader);
    const auto part = bytes.first(std::min(length, bytes.size()));
    message.insert(message.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
  }
  return message;
}

/// @returns false if it is damaged
bool read_extension(std::size_t type, Reader& data, ClientHello& hello) {
  if (type == kAlpn) {
    Reader names = data.vector(2);
    while (!names.empty()) hello.protocols.push_back(names.vector(1).text());
    return !names.failed();
  }
  if (type == kServerName) {
    Reader names = data.vector(2);
    if (names.number(1) == 0) hello.server_name = names.vector(2).text();
    return !names.failed();
  }
  return true;
}

Hello read_message(std::span<const std::uint8_t> message) {
  Reader body(message);
  body.take(2);  // legacy version
  body.take(kRandom);
  body.vector(1);  // session id
  body.vector(2);  // cipher suites
  body.vector(1);  // compression methods
  ClientHello hello;
  if (body.failed()) return broken();
  if (body.empty()) return hello;
  Reader extensions = body.vector(2);
  while (!extensions.empty() && !extensions.failed()) {
    const std::size_t type = extensions.number(2);
    Reader data = extensions.vector(2);
    if (data.failed() || !read_extension(type, data, hello)) return broken();
  }
  if (extensions.failed()) return broken();
  return hello;
}

}  // namespace

Hello read_client_hello(std::span<const std::uint8_t> bytes) {
  const auto handshake = unwrap(bytes);
  if (!handshake) return tl::unexpected(handshake.error());
  if (handshake->empty()) return std::nullopt;
  if ((*handshake)[0] != kClientHelloMessage) {
    return tl::unexpected<std::string_view>("the handshake does not begin with a ClientHello");
  }
  if (handshake->size() < kMessageHeader) return std::nullopt;
  const std::span<const std::uint8_t> message = *handshake;
  Reader header(message.subspan(1));
  const std::size_t length = header.number(3);
  if (length > kMaxClientHello) return tl::unexpected<std::string_view>("the ClientHello is too long");
  if (handshake->size() - kMessageHeader < length) return std::nullopt;
  return read_message(message.subspan(kMessageHeader, length));
}

}  // namespace otasim::rest
