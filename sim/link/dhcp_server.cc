#include "sim/link/dhcp_server.h"

#include <algorithm>

namespace otasim::link {
namespace {

// RFC 2131, figure 1: offsets of a message's fixed fields.
constexpr std::size_t kTransactionAt = 4;
constexpr std::size_t kFlagsAt = 10;
constexpr std::size_t kClientAddressAt = 12;
constexpr std::size_t kRelayAddressAt = 24;
constexpr std::size_t kHardwareAddressAt = 28;
constexpr std::size_t kCookieAt = 236;
constexpr std::size_t kOptionsAt = 240;
constexpr std::uint32_t kMagicCookie = 0x63825363;
constexpr std::uint8_t kBootRequest = 1;
constexpr std::uint8_t kBootReply = 2;
constexpr std::uint8_t kHardwareEthernet = 1;
constexpr std::uint16_t kBroadcastFlag = 0x8000;
/// BOOTP's smallest message; some clients refuse shorter ones.
constexpr std::size_t kMinMessageBytes = 300;

enum Option : std::uint8_t {
  kPad = 0,
  kSubnetMask = 1,
  kRouter = 3,
  kNameServer = 6,
  kTimeServer = 42,
  kRequestedAddress = 50,
  kLeaseTime = 51,
  kMessageType = 53,
  kServerId = 54,
  kEnd = 255,
};
enum MessageType : std::uint8_t { kDiscover = 1, kOffer = 2, kRequest = 3, kAck = 5, kNak = 6 };

struct Request {
  std::uint32_t transaction = 0;
  std::uint16_t flags = 0;
  Ipv4Address client_address{};
  MacAddress client{};
  std::uint8_t type = 0;
  std::optional<Ipv4Address> requested{};
  std::optional<Ipv4Address> server_id{};
};

/// @returns false if the option's length is not what its meaning needs
bool take_option(Request& request, std::uint8_t code, Bytes value) {
  switch (code) {
    case kMessageType:
      if (value.size() != 1) return false;
      request.type = value[0];
      return true;
    case kRequestedAddress:
    case kServerId:
      if (value.size() != 4) return false;
      (code == kServerId ? request.server_id : request.requested) = read_ipv4(value, 0);
      return true;
    default:
      return true;
  }
}

/// @returns false unless the options are whole and properly ended
bool take_options(Request& request, Bytes options) {
  std::size_t at = 0;
  while (at < options.size()) {
    const std::uint8_t code = options[at++];
    if (code == kPad) continue;
    if (code == kEnd) return true;
    if (at == options.size()) return false;
    const std::size_t length = options[at++];
    if (length > options.size() - at) return false;
    if (!take_option(request, code, options.subspan(at, length))) return false;
    at += length;
  }
  return false;
}

std::optional<Request> parse_request(Bytes message) {
  if (message.size() < kOptionsAt) return std::nullopt;
  const bool from_ethernet_client =
      message[0] == kBootRequest && message[1] == kHardwareEthernet && message[2] == 6;
  const bool relayed = read_u32(message, kRelayAddressAt) != 0;
  if (!from_ethernet_client || relayed || read_u32(message, kCookieAt) != kMagicCookie) return std::nullopt;

  Request request{.transaction = read_u32(message, kTransactionAt),
                  .flags = read_u16(message, kFlagsAt),
                  .client_address = read_ipv4(message, kClientAddressAt)};
  std::copy_n(message.begin() + kHardwareAddressAt, request.client.size(), request.client.begin());
  if (!take_options(request, message.subspan(kOptionsAt))) return std::nullopt;
  return request;
}

void append_option(std::vector<std::uint8_t>& out, Option code, std::uint32_t value) {
  out.push_back(code);
  out.push_back(4);
  append_u32(out, value);
}

void append_type(std::vector<std::uint8_t>& out, MessageType type) {
  out.insert(out.end(), {kMessageType, 1, type});
}

std::vector<std::uint8_t> reply_message(const Request& request, MessageType type, const DhcpTerms& terms) {
  const bool gives_address = type != kNak;
  std::vector<std::uint8_t> out{kBootReply, kHardwareEthernet, 6, 0};
  append_u32(out, request.transaction);
  append_u16(out, 0);  // seconds
  append_u16(out, request.flags);
  append_u32(out, type == kAck ? request.client_address.value : 0);
  append_u32(out, gives_address ? terms.address.value : 0);
  append_u32(out, 0);  // next server: the device boots from its flash
  append_u32(out, 0);  // relay
  out.insert(out.end(), request.client.begin(), request.client.end());
  out.resize(kCookieAt, 0);
  append_u32(out, kMagicCookie);
  append_type(out, type);
  append_option(out, kServerId, terms.server.value);
  if (gives_address) {
    append_option(out, kLeaseTime, kLeaseSeconds);
    append_option(out, kSubnetMask, kNetmask.value);
    append_option(out, kRouter, terms.router.value);
    append_option(out, kNameServer, terms.name_server.value);
    append_option(out, kTimeServer, terms.time_server.value);
  }
  out.push_back(kEnd);
  out.resize(std::max(out.size(), kMinMessageBytes), 0);
  return out;
}

/// RFC 2131, section 4.1: a client without an address may be unable to receive unicast.
Ipv4Address reply_destination(const Request& request, MessageType type, Ipv4Address address) {
  const bool to_all =
      type == kNak || (request.client_address == Ipv4Address{} && (request.flags & kBroadcastFlag) != 0);
  return to_all ? kBroadcastAddress : address;
}

std::optional<MessageType> answer_type(const Request& request) {
  if (request.type == kDiscover) return kOffer;
  if (request.type != kRequest) return std::nullopt;
  if (request.server_id && *request.server_id != kHostAddress) return std::nullopt;
  return request.requested.value_or(request.client_address) == kDeviceAddress ? kAck : kNak;
}

std::string_view name_of(MessageType type) {
  return type == kOffer ? "offer" : type == kAck ? "ack" : "nak";
}

DhcpReply make_reply(const Request& request, MessageType type, const DhcpTerms& terms) {
  return {.payload = reply_message(request, type, terms),
          .client = request.client,
          .destination = reply_destination(request, type, terms.address),
          .message = name_of(type)};
}

}  // namespace

std::optional<DhcpReply> DhcpServer::answer(Bytes message) {
  const auto request = parse_request(message);
  if (!request) return std::nullopt;
  const auto type = answer_type(*request);
  if (!type) return std::nullopt;

  DhcpReply reply = make_reply(*request, *type, {});
  if (*type == kOffer) acknowledged_transaction_.reset();
  if (*type == kAck && request->client_address == Ipv4Address{}) {
    reply.new_lease = acknowledged_transaction_ != request->transaction;
    acknowledged_transaction_ = request->transaction;
  }
  return reply;
}

void DhcpServer::lost(const DhcpReply& reply) {
  if (reply.new_lease) acknowledged_transaction_.reset();
}

std::optional<DhcpReply> DhcpServer::forge(Bytes message, const DhcpTerms& terms) {
  const auto request = parse_request(message);
  if (!request || (request->type != kDiscover && request->type != kRequest)) return std::nullopt;
  return make_reply(*request, request->type == kDiscover ? kOffer : kAck, terms);
}

}  // namespace otasim::link
