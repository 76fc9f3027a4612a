// The parts of an answer, without a network: encodings, times, ranges, error documents, and the answer
// itself.
#include "sim/cloud/object_reply.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "sim/cloud/uri_encoding.h"
#include "sim/cloud/utc_time.h"
#include "tests/sim/cloud/object_store_fixture.h"

namespace otasim::cloud {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::int64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();

TEST(UriEncoding, LeavesUnreservedBytesAlone) {
  EXPECT_EQ(uri_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(uri_encode("a b+c/d%\xC3\xA4"), "a%20b%2Bc%2Fd%25%C3%A4");
  EXPECT_EQ(uri_encode("/a/b c", true), "/a/b%20c");
}

TEST(UriEncoding, APlusSignIsNoBlank) {
  EXPECT_EQ(uri_decode("a+b%20c%2b"), "a+b c+");
}

RC_GTEST_PROP(UriEncoding, DecodingUndoesEncoding, (const std::string& bytes, bool keep_slashes)) {
  RC_ASSERT(uri_decode(uri_encode(bytes, keep_slashes)) == bytes);
}

TEST(RequestTarget, IsAPathAndItsParameters) {
  const auto target = parse_request_target("/b/k%20x?a=1&&b&c=%3D=&=d");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/b/k x");
  EXPECT_THAT(target->query, ElementsAre(QueryParameter{"a", "1"}, QueryParameter{"b", ""},
                                         QueryParameter{"c", "=="}, QueryParameter{"", "d"}));
  EXPECT_THAT(parse_request_target("/?")->query, IsEmpty());
}

TEST(UtcTime, IsWrittenAsHttpAndS3Do) {
  EXPECT_EQ(http_date(1369353600), "Fri, 24 May 2013 00:00:00 GMT");
  EXPECT_EQ(iso8601(1369353600), "2013-05-24T00:00:00Z");
  EXPECT_EQ(amz_date(1369353600), "20130524T000000Z");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(1709251199), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(UtcTime, ADateThatDoesNotExistIsNoDate) {
  EXPECT_EQ(parse_amz_date("20240229T235959Z"), 1709251199);
  for (const char* text : {"20230229T000000Z", "20130001T000000Z", "20130524T240000Z", "20130524T006000Z",
                           "20130524T000060Z", "20130524T000000", "20130524t000000Z", "2013-05-24T00:00:00Z",
                           "", "20130524T000000Z ", "2013052aT000000Z"}) {
    EXPECT_FALSE(parse_amz_date(text)) << text;
  }
}

RC_GTEST_PROP(UtcTime, ReadsWhatItWrote, ()) {
  const auto time = *rc::gen::inRange<std::int64_t>(0, 253402300800);  // to the end of year 9999
  RC_ASSERT(parse_amz_date(amz_date(time)) == time);
}

struct RangeCase {
  const char* value;
  std::int64_t size;
  std::optional<ByteRange> range;  ///< nothing: cannot be satisfied
};

TEST(Range, IsOneOfThreeForms) {
  const RangeCase cases[] = {
      {"bytes=0-0", 10, ByteRange{0, 0}},
      {"bytes=2-5", 10, ByteRange{2, 5}},
      {"bytes=5-99", 10, ByteRange{5, 9}},
      {"bytes=9-", 10, ByteRange{9, 9}},
      {"bytes=0-", 10, ByteRange{0, 9}},
      {"bytes=-3", 10, ByteRange{7, 9}},
      {"bytes=-99", 10, ByteRange{0, 9}},
      {"Bytes= 2-5\t", 10, ByteRange{2, 5}},
      {"bytes=0-99999999999999999999999", 10, ByteRange{0, 9}},
      {"bytes=-99999999999999999999999", 10, ByteRange{0, 9}},
      {"bytes=10-", 10, std::nullopt},
      {"bytes=10-12", 10, std::nullopt},
      {"bytes=99999999999999999999999-", 10, std::nullopt},
      {"bytes=9223372036854775807-", kMaxInt64, std::nullopt},
      {"bytes=-0", 10, std::nullopt},
      {"bytes=0-", 0, std::nullopt},
      {"bytes=-1", 0, std::nullopt},
  };
  for (const RangeCase& c : cases) {
    const auto asked = parse_range(c.value);
    ASSERT_TRUE(asked) << c.value;
    EXPECT_EQ(asked->within(c.size), c.range) << c.value;
  }
}

TEST(Range, AnythingElseCountsAsNone) {
  for (const char* value : {"", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=5-2", "bytes=0-1,3-4",
                            "bytes=a-b", "bytes=1-b", "bytes=--1", "bytes=1--2", "bytes=+1-2", "bytes=0x1-2",
                            "items=0-1", "bytes 0-1", "bytes=1 - 2", "bytes=-5,"}) {
    EXPECT_FALSE(parse_range(value)) << value;
  }
}

RC_GTEST_PROP(Range, LiesWithinTheObject, (const std::string& tail)) {
  const auto digits = rc::gen::container<std::string>(rc::gen::element('0', '1', '9', '-', ',', ' '));
  const std::string value = "bytes=" + (*rc::gen::arbitrary<bool>() ? tail : *digits);
  const auto size = *rc::gen::inRange<std::int64_t>(0, 1000);
  const auto asked = parse_range(value);
  if (!asked) return;
  const auto range = asked->within(size);
  if (!range) return;
  RC_ASSERT(0 <= range->first);
  RC_ASSERT(range->first <= range->last);
  RC_ASSERT(range->last < size);
}

TEST(S3ErrorDocument, HoldsCodeMessageAndDetailsInOrder) {
  EXPECT_EQ(s3_error_document({404, "NoSuchKey", "Not here.", {{"Key", "a"}, {"X", "1"}}}, "R", "H"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<Error><Code>NoSuchKey</Code><Message>Not here.</Message><Key>a</Key><X>1</X>"
            "<RequestId>R</RequestId><HostId>H</HostId></Error>");
}

TEST(S3ErrorDocument, IsWellFormedWhateverTheKeyIs) {
  EXPECT_EQ(xml_escape("<a href=\"x\">&</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;");
  EXPECT_EQ(xml_escape("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80"), "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(xml_escape(std::string("a\0b\x1F\n", 5)), "a?b?\n");
  EXPECT_EQ(xml_escape("a\tb\rc"), "a&#x9;b&#xD;c")
      << "as they are, parsers make blanks and line feeds of them";
  EXPECT_EQ(xml_escape("\xC0\xAF"), "??") << "an overlong form";
  EXPECT_EQ(xml_escape("\xED\xA0\x80"), "???") << "a surrogate";
  EXPECT_EQ(xml_escape("\xEF\xBF\xBF"), "???") << "no XML character";
  EXPECT_EQ(xml_escape("\xF4\x90\x80\x80"), "????") << "beyond Unicode";
  EXPECT_EQ(xml_escape("\xE2\x82"), "??") << "cut off";
  EXPECT_EQ(xml_escape("\xF8"), "?");
}

TEST(S3ErrorDocument, EveryStatusAFaultMayAskForHasACode) {
  for (const int status : {400, 403, 404, 500, 503, 599}) {
    const S3Error error = s3_error_of_status(status);
    EXPECT_EQ(error.status, status);
    EXPECT_FALSE(error.code.empty());
  }
  EXPECT_EQ(s3_error_of_status(403).code, "AccessDenied");
  EXPECT_EQ(s3_error_of_status(503).code, "SlowDown");
}

class ObjectReplyTest : public ObjectStoreFixture {
 protected:
  S3Result<ObjectReply> read(const std::string& range, const std::string& if_range = {}) {
    return read_object({.range = range, .if_range = if_range}, image_);
  }
  ObjectReply reply_to(const std::string& range) { return read(range).value(); }

  const ObjectInfo image_ = put("app.bin", pattern(1000));
};

TEST_F(ObjectReplyTest, TheWholeObjectIsSentWithoutARange) {
  const auto reply = reply_to("");
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.first_byte, 0);
  EXPECT_EQ(reply.length, 1000);
  EXPECT_THAT(
      reply.headers(),
      ElementsAre(Pair("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT"),
                  Pair("ETag", "\"" + image_.etag + "\""), Pair("x-amz-version-id", image_.location.version),
                  Pair("Accept-Ranges", "bytes"), Pair("Content-Type", "binary/octet-stream")));
}

TEST_F(ObjectReplyTest, ARangeIsSentWithItsPlace) {
  const auto reply = reply_to("bytes=100-299");
  EXPECT_EQ(reply.status(), 206);
  EXPECT_EQ(reply.first_byte, 100);
  EXPECT_EQ(reply.length, 200);
  EXPECT_THAT(reply.headers(), Contains(Pair("Content-Range", "bytes 100-299/1000")));
}

TEST_F(ObjectReplyTest, SeveralRangesAreAnsweredWithTheWhole) {
  EXPECT_EQ(reply_to("bytes=0-1,5-6").status(), 200);
}

TEST_F(ObjectReplyTest, ARangeBeyondTheEndCannotBeSatisfied) {
  const auto reply = read("bytes=1000-");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().status, 416);
  EXPECT_EQ(reply.error().code, "InvalidRange");
  EXPECT_THAT(reply.error().headers, ElementsAre(Pair("Content-Range", "bytes */1000")));
  EXPECT_THAT(reply.error().details,
              ElementsAre(Pair("RangeRequested", "bytes=1000-"), Pair("ActualObjectSize", "1000")));
}

TEST_F(ObjectReplyTest, IfRangeGuardsAgainstAnotherVersionsBytes) {
  for (const std::string& condition :
       {"\"" + image_.etag + "\"", std::string("Tue, 14 Nov 2023 22:13:20 GMT")}) {
    EXPECT_EQ(read("bytes=0-9", condition)->status(), 206) << condition;
  }
  for (const char* condition : {"\"other\"", "Tue, 14 Nov 2023 22:13:21 GMT"}) {
    EXPECT_EQ(read("bytes=0-9", condition)->status(), 200) << condition;
  }
}

TEST_F(ObjectReplyTest, HeadIsAnsweredWithTheHeaderOfTheSameGet) {
  const auto reply = read_object({.head_only = true, .range = "bytes=0-9"}, image_).value();
  EXPECT_EQ(reply.status(), 206);
  EXPECT_EQ(reply.length, 10);
  EXPECT_EQ(reply.body_length(), 0);
}

TEST_F(ObjectReplyTest, WithoutFaultsNothingIsNamed) {
  ObjectReply reply = reply_to("bytes=0-9");
  EXPECT_THAT(apply_faults({}, reply), IsEmpty());
}

TEST_F(ObjectReplyTest, AShiftedRangeKeepsItsLengthAndStaysInTheObject) {
  const auto shifted = [&](std::int64_t by, const std::string& range) {
    ObjectReply reply = reply_to(range);
    const bool named = !apply_faults({.shift_range = by}, reply).empty();
    EXPECT_EQ(named, reply.first_byte != reply.asked->first);
    EXPECT_EQ(reply.length, reply.asked->length());
    EXPECT_EQ(reply.content_range, reply.asked) << "Content-Range claims what was asked for";
    return reply.first_byte;
  };
  EXPECT_EQ(shifted(50, "bytes=100-199"), 150);
  EXPECT_EQ(shifted(-50, "bytes=100-199"), 50);
  EXPECT_EQ(shifted(kMaxInt64, "bytes=100-199"), 900);
  EXPECT_EQ(shifted(-kMaxInt64 - 1, "bytes=100-199"), 0);
  EXPECT_EQ(shifted(1, "bytes=900-999"), 900);
}

TEST_F(ObjectReplyTest, ARangeThatTellsTheTruthSaysWhatIsSent) {
  ObjectReply reply = reply_to("bytes=100-199");
  EXPECT_THAT(apply_faults({.shift_range = 50, .content_range_tells_shift = true}, reply),
              ElementsAre("wrong_range"));
  EXPECT_EQ(reply.content_range, (ByteRange{150, 249}));
}

TEST_F(ObjectReplyTest, AnIgnoredRangeIsAnsweredWithTheWhole) {
  ObjectReply reply = reply_to("bytes=100-199");
  EXPECT_THAT(apply_faults({.ignore_range = true}, reply), ElementsAre("ignore_range"));
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.first_byte, 0);
  EXPECT_EQ(reply.length, 1000);
}

TEST_F(ObjectReplyTest, FaultsThatMakeNoDifferenceAreNotNamed) {
  ObjectReply whole = reply_to("");
  EXPECT_THAT(apply_faults({.truncate_after = 1000,
                            .reset_after = 1001,
                            .shift_range = 10,
                            .ignore_range = true,
                            .corrupt_at = 1000},
                           whole),
              IsEmpty());
  ObjectReply part = reply_to("bytes=100-199");
  EXPECT_THAT(apply_faults({.corrupt_at = 99}, part), IsEmpty());
  EXPECT_THAT(apply_faults({.truncate_after = 10, .corrupt_at = 110}, part), ElementsAre("truncate"));
  EXPECT_THAT(apply_faults({.corrupt_at = 199}, part), ElementsAre("corrupt"));
  ObjectReply head = read_object({.head_only = true}, image_).value();
  EXPECT_THAT(apply_faults({.bytes_per_second = 1, .truncate_after = 0, .corrupt_at = 0}, head), IsEmpty());
}

TEST_F(ObjectReplyTest, OfTruncationAndResetTheEarlierStrikes) {
  const auto cut = [](std::int64_t truncate, std::int64_t reset) {
    return body_cut({.truncate_after = truncate, .reset_after = reset}, 100).value();
  };
  EXPECT_FALSE(cut(10, 20).reset);
  EXPECT_EQ(cut(10, 20).at, 10);
  EXPECT_TRUE(cut(20, 10).reset);
  EXPECT_EQ(cut(20, 10).at, 10);
  EXPECT_TRUE(cut(500, 100).reset) << "after the whole body";
  EXPECT_EQ(cut(500, -1).at, -1);
  EXPECT_FALSE(body_cut({}, 100));
}

}  // namespace
}  // namespace otasim::cloud
