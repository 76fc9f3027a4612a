#include "sim/link/dns_server.h"

#include <gtest/gtest.h>

#include "tests/sim/link/packets.h"

namespace otasim::link::test {
namespace {

constexpr std::uint16_t kTypeA = 1;
constexpr std::uint16_t kTypeMx = 15;
constexpr std::uint16_t kTypeAaaa = 28;

enum Code { kNoError = 0, kFormatError = 1, kNoSuchName = 3, kNotImplemented = 4, kRefused = 5 };

class DnsServerTest : public testing::Test {
 protected:
  std::optional<DnsReply> answer(const Frame& query) const { return server_.answer(query); }

  static int code_of(const DnsReply& reply) { return read_u16(reply.payload, 2) & 0x000f; }
  static int answers_of(const DnsReply& reply) { return read_u16(reply.payload, 6); }
  void expect_format_error(const Frame& query, const std::string& what) const {
    const auto reply = answer(query);
    ASSERT_TRUE(reply) << what;
    EXPECT_EQ(code_of(*reply), kFormatError) << what;
    EXPECT_EQ(reply->payload.size(), 12u) << what;
    EXPECT_TRUE(reply->name.empty()) << what;
  }
  /// A query whose question section is these bytes.
  static Frame with_question(const Frame& question) {
    Frame query = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    query.insert(query.end(), question.begin(), question.end());
    return query;
  }

  DnsServer server_{{"otasim.localhost", "Other.Example."}};
};

TEST_F(DnsServerTest, AKnownNameHasTheHostsAddress) {
  const Frame query = dns_query("otasim.localhost", kTypeA, 0xbeef);
  const auto reply = answer(query);
  ASSERT_TRUE(reply);
  EXPECT_EQ(read_u16(reply->payload, 0), 0xbeef);
  EXPECT_EQ(read_u16(reply->payload, 2), 0x8580);
  ASSERT_EQ(answers_of(*reply), 1);
  EXPECT_TRUE(std::equal(query.begin() + 12, query.end(), reply->payload.begin() + 12))
      << "question repeated";
  Frame record = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 2, 2};
  ASSERT_EQ(reply->payload.size(), query.size() + record.size());
  EXPECT_TRUE(std::equal(record.begin(), record.end(), reply->payload.end() - 16));
  EXPECT_TRUE(reply->answered);
}

TEST_F(DnsServerTest, NamesAreComparedWithoutCaseAndEndingDot) {
  EXPECT_TRUE(answer(dns_query("OTASIM.LocalHost"))->answered);
  EXPECT_TRUE(answer(dns_query("other.example"))->answered);
}

TEST_F(DnsServerTest, AKnownNameHasNoOtherRecords) {
  for (const std::uint16_t type : {kTypeAaaa, kTypeMx}) {
    const auto reply = answer(dns_query("otasim.localhost", type));
    EXPECT_EQ(code_of(*reply), kNoError);
    EXPECT_EQ(answers_of(*reply), 0);
    EXPECT_FALSE(reply->answered);
  }
}

TEST_F(DnsServerTest, OtherNamesDoNotExist) {
  for (const char* name : {"example.com", "localhost", "x.otasim.localhost", "otasim.localhost.x", ""}) {
    const auto reply = answer(dns_query(name));
    EXPECT_EQ(code_of(*reply), kNoSuchName) << name;
    EXPECT_EQ(reply->name, name);
  }
}

TEST_F(DnsServerTest, ADotInsideALabelDoesNotMakeAKnownName) {
  const auto reply = answer(with_question(
      {16, 'o', 't', 'a', 's', 'i', 'm', '.', 'l', 'o', 'c', 'a', 'l', 'h', 'o', 's', 't', 0, 0, 1, 0, 1}));
  EXPECT_EQ(code_of(*reply), kNoSuchName);
  EXPECT_EQ(reply->name, "otasim\\.localhost");
}

TEST_F(DnsServerTest, AHostileNameIsReportedPrintable) {
  const auto reply = answer(with_question({4, 0xff, 0, '\n', '\\', 0, 0, 1, 0, 1}));
  EXPECT_EQ(reply->name, "\\255\\000\\010\\\\");
}

TEST_F(DnsServerTest, AnotherClassIsRefused) {
  Frame query = dns_query("otasim.localhost");
  query.back() = 3;
  EXPECT_EQ(code_of(*answer(query)), kRefused);
  EXPECT_EQ(answers_of(*answer(query)), 0);
}

TEST_F(DnsServerTest, NoTruncationGivesAnAddress) {
  const Frame whole = dns_query("otasim.localhost");
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const Frame cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes));
    if (bytes < 12) {
      EXPECT_FALSE(answer(cut)) << bytes << " bytes";
    } else {
      expect_format_error(cut, std::to_string(bytes) + " bytes");
    }
  }
}

TEST_F(DnsServerTest, CompressionPointersInAQuestionAreRefused) {
  expect_format_error(with_question({0xc0, 12, 0, 1, 0, 1}), "points to itself");
  expect_format_error(with_question({1, 'a', 0xc0, 12, 0, 1, 0, 1}), "loop through a label");
  expect_format_error(with_question({0xc0, 0xff, 0, 1, 0, 1}), "points past the end");
  expect_format_error(with_question({0x40, 'a', 0, 0, 1, 0, 1}), "reserved label type");
}

TEST_F(DnsServerTest, ALabelThatRunsPastTheEndIsRefused) {
  expect_format_error(with_question({63, 'a', 0, 0, 1, 0, 1}), "long label");
}

TEST_F(DnsServerTest, ANameLongerThanTheStandardAllowsIsRefused) {
  const std::string label(62, 'a');
  const std::string longest = label + "." + label + "." + label + "." + label;  // 253 bytes encoded
  EXPECT_EQ(code_of(*answer(dns_query(longest))), kNoSuchName);
  expect_format_error(dns_query(longest + ".aaaa"), "too long");
}

TEST_F(DnsServerTest, OneQuestionAndNothingElseIsExpected) {
  for (const std::size_t count_at : {5U, 7U, 9U}) {
    Frame query = dns_query("otasim.localhost");
    query[count_at] = 2;
    expect_format_error(query, "count at " + std::to_string(count_at));
  }
  Frame none = dns_query("otasim.localhost");
  none[5] = 0;
  expect_format_error(none, "no question");
}

TEST_F(DnsServerTest, OtherOperationsAreNotImplementedAndResponsesIgnored) {
  Frame status = dns_query("otasim.localhost");
  status[2] |= 0x10;
  EXPECT_EQ(code_of(*answer(status)), kNotImplemented);
  Frame response = dns_query("otasim.localhost");
  response[2] |= 0x80;
  EXPECT_FALSE(answer(response));
}

TEST_F(DnsServerTest, AForgeryGivesEveryNameItsAddress) {
  const DnsForgery forgery{.address = ipv4(10, 0, 2, 66), .ttl_s = 7};
  for (const char* name : {"otasim.localhost", "example.com"}) {
    const auto reply = server_.answer(dns_query(name), forgery);
    ASSERT_TRUE(reply);
    ASSERT_EQ(answers_of(*reply), 1);
    const Bytes payload = reply->payload;
    EXPECT_EQ(read_ipv4(payload, payload.size() - 4), ipv4(10, 0, 2, 66));
    EXPECT_EQ(read_u32(payload, payload.size() - 10), 7u);
    EXPECT_TRUE(reply->answered);
  }
  EXPECT_EQ(answers_of(*server_.answer(dns_query("otasim.localhost", kTypeAaaa), forgery)), 0);
}

TEST_F(DnsServerTest, AForgeryWithoutAnAddressDeniesEveryName) {
  const auto reply = server_.answer(dns_query("otasim.localhost"), DnsForgery{});
  ASSERT_TRUE(reply);
  EXPECT_EQ(code_of(*reply), kNoSuchName);
  EXPECT_EQ(answers_of(*reply), 0);
  EXPECT_FALSE(reply->answered);
}

TEST_F(DnsServerTest, OnlyAQuestionForAnInternetAddressAsksForOne) {
  EXPECT_TRUE(answer(dns_query("example.com"))->asked_for_address);
  EXPECT_FALSE(answer(dns_query("example.com", kTypeMx))->asked_for_address);
  Frame other_class = dns_query("example.com");
  other_class.back() = 3;
  EXPECT_FALSE(answer(other_class)->asked_for_address);
}

}  // namespace
}  // namespace otasim::link::test
