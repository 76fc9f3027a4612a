#include "sim/link/dns_server.h"

#include <fmt/format.h>

#include "sim/base/text.h"
#include "sim/link/lab_network.h"

namespace otasim::link {
namespace {

// RFC 1035, section 4.1.1.
constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kQuestionCountAt = 4;
constexpr std::size_t kAnswerCountAt = 6;
constexpr std::size_t kAuthorityCountAt = 8;
constexpr std::size_t kMaxLabelBytes = 63;
constexpr std::size_t kMaxNameBytes = 255;
constexpr std::uint16_t kResponse = 0x8000;
constexpr std::uint16_t kOpcode = 0x7800;
constexpr std::uint16_t kAuthoritative = 0x0400;
constexpr std::uint16_t kRecursionDesired = 0x0100;
constexpr std::uint16_t kRecursionAvailable = 0x0080;
constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kClassInternet = 1;
/// Points to the name of the question, which stands right after the header.
constexpr std::uint16_t kPointerToQuestion = 0xc000 | kHeaderBytes;

enum Code : std::uint16_t {
  kNoError = 0,
  kFormatError = 1,
  kNoSuchName = 3,
  kNotImplemented = 4,
  kRefused = 5
};

struct Question {
  std::string name;
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
  Bytes raw;  ///< as it came, to be repeated in the answer
};

/// Master-file escapes keep a hostile name readable, unambiguous and valid in the event log.
void append_label(std::string& name, Bytes label) {
  for (const std::uint8_t byte : label) {
    const char c = to_lower(static_cast<char>(byte));
    if (byte <= 0x20 || byte >= 0x7f) {
      name += fmt::format("\\{:03}", byte);
    } else if (c == '.' || c == '\\') {
      name += '\\';
      name += c;
    } else {
      name += c;
    }
  }
}

/// Reads the one question. A length byte above 63 is a compression pointer or reserved: refused.
std::optional<Question> parse_question(Bytes query) {
  const Bytes rest = query.subspan(kHeaderBytes);
  Question question;
  std::size_t at = 0;
  while (true) {
    if (at >= rest.size() || at >= kMaxNameBytes) return std::nullopt;
    const std::size_t length = rest[at++];
    if (length == 0) break;
    if (length > kMaxLabelBytes || length > rest.size() - at) return std::nullopt;
    if (!question.name.empty()) question.name += '.';
    append_label(question.name, rest.subspan(at, length));
    at += length;
  }
  if (rest.size() - at < 4) return std::nullopt;
  question.type = read_u16(rest, at);
  question.record_class = read_u16(rest, at + 2);
  question.raw = rest.first(at + 4);
  return question;
}

/// An A record of the name that was asked for.
struct Answer {
  Ipv4Address address{};
  std::uint32_t ttl_s = 0;
};

std::vector<std::uint8_t> reply_message(Bytes query, Code code, Bytes question,
                                        const std::optional<Answer>& answer) {
  std::vector<std::uint8_t> out;
  const std::uint16_t asked = read_u16(query, 2);
  append_u16(out, read_u16(query, 0));
  append_u16(out, static_cast<std::uint16_t>(kResponse | kAuthoritative | kRecursionAvailable |
                                             (asked & (kOpcode | kRecursionDesired)) | code));
  append_u16(out, question.empty() ? 0 : 1);
  append_u16(out, answer ? 1 : 0);
  append_u32(out, 0);  // no authority, no additional records
  out.insert(out.end(), question.begin(), question.end());
  if (answer) {
    append_u16(out, kPointerToQuestion);
    append_u16(out, kTypeA);
    append_u16(out, kClassInternet);
    append_u32(out, answer->ttl_s);
    append_u16(out, 4);
    append_u32(out, answer->address.value);
  }
  return out;
}

DnsReply error_reply(Bytes query, Code code) {
  return {.payload = reply_message(query, code, {}, std::nullopt)};
}

}  // namespace

DnsServer::DnsServer(const std::vector<std::string>& host_names) {
  for (std::string name : host_names) {
    if (name.ends_with('.')) name.pop_back();
    for (char& c : name) c = to_lower(c);
    host_names_.insert(std::move(name));
  }
}

std::optional<DnsReply> DnsServer::answer(Bytes query, const std::optional<DnsForgery>& forgery) const {
  if (query.size() < kHeaderBytes) return std::nullopt;
  const std::uint16_t flags = read_u16(query, 2);
  if ((flags & kResponse) != 0) return std::nullopt;
  if ((flags & kOpcode) != 0) return error_reply(query, kNotImplemented);
  if (read_u16(query, kQuestionCountAt) != 1 || read_u16(query, kAnswerCountAt) != 0 ||
      read_u16(query, kAuthorityCountAt) != 0) {
    return error_reply(query, kFormatError);
  }
  const auto question = parse_question(query);
  if (!question) return error_reply(query, kFormatError);

  const bool known = forgery ? forgery->address.has_value() : host_names_.contains(question->name);
  const bool internet = question->record_class == kClassInternet;
  const bool for_address = internet && question->type == kTypeA;
  std::optional<Answer> found;
  if (known && for_address) {
    found = forgery ? Answer{*forgery->address, forgery->ttl_s} : Answer{kHostAddress, kDnsTimeToLiveSeconds};
  }
  const Code code = !internet ? kRefused : known ? kNoError : kNoSuchName;
  return DnsReply{.payload = reply_message(query, code, question->raw, found),
                  .name = question->name,
                  .answered = found.has_value(),
                  .asked_for_address = for_address};
}

}  // namespace otasim::link
