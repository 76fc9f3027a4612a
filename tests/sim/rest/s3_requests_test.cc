// Requests to S3 as they come over the wire, those included that real clients do not send.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

#include "sim/cloud/arn.h"
#include "sim/cloud/base64.h"
#include "sim/cloud/digest.h"
#include "sim/cloud/utc_time.h"
#include "sim/crypto/key.h"
#include "sim/rest/aws_chunked.h"
#include "sim/rest/object_handler.h"
#include "sim/rest/s3_documents.h"
#include "tests/sim/cloud/object_store_fixture.h"
#include "tests/sim/rest/signed_request.h"

namespace otasim::rest {
namespace {

using cloud::random_uuid;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using Fields = std::vector<std::pair<std::string, std::string>>;

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

class S3RequestsTest : public cloud::ObjectStoreFixture {
 protected:
  static constexpr const char* kSecret = "secret";

  S3RequestsTest() {
    options_.max_put_bytes = 100'000;
    open();
    handler_.emplace(ObjectHandlerParts{*objects_, *uploads_, presigner_, clock_, *log_});
    log_->listen([this](const nlohmann::json& event) { events_.push_back(event); });
    EXPECT_TRUE(objects_->buckets().create("firmware"));
  }

  struct Asked {
    std::string method = "GET";
    std::string target = "/firmware/app.bin";
    std::string body = {};
    Fields headers = {};
    std::string payload = {};  ///< x-amz-content-sha256; empty: the body's
    std::string host = "localhost:8443";
    std::string sent = {};  ///< another body than the signed one
  };

  HttpRequestHead head_of(const Asked& asked) {
    HttpRequestHead head;
    head.method = asked.method;
    head.target = asked.target;
    head.headers = asked.headers;
    const std::string payload = asked.payload.empty() ? test::sha256_hex(asked.body) : asked.payload;
    head.headers.emplace_back("Host", asked.host);
    head.headers.emplace_back("x-amz-content-sha256", payload);
    test::Signer signer{.access_key_id = "AKID", .secret_access_key = kSecret, .service = "s3"};
    signer.date = cloud::amz_date(clock_.now());
    signer.sign(head, payload);
    const std::string& sent = asked.sent.empty() ? asked.body : asked.sent;
    head.has_body = !sent.empty();
    if (!sent.empty()) {
      head.content_length = sent.size();
      head.headers.emplace_back("Content-Length", std::to_string(sent.size()));
    }
    return head;
  }

  HttpResponse send(const HttpRequestHead& head, const std::string& body) {
    auto decision = handler_->begin(head);
    if (auto* const early = std::get_if<HttpResponse>(&decision)) return std::move(*early);
    auto& exchange = std::get<std::unique_ptr<HttpExchange>>(decision);
    constexpr std::size_t kPiece = 1000;
    for (std::size_t at = 0; at < body.size(); at += kPiece) {
      if (auto answer = exchange->on_body(bytes_of(body).subspan(at, std::min(kPiece, body.size() - at)))) {
        return std::move(*answer);
      }
    }
    return exchange->on_end();
  }

  HttpResponse ask(const Asked& asked) {
    HttpResponse response = send(head_of(asked), asked.sent.empty() ? asked.body : asked.sent);
    if (response.on_sent) response.on_sent(response.body_length(), "");
    return response;
  }
  /// The code of the error that a request is refused with; `200` and so on if it is not.
  std::string outcome(const Asked& asked) {
    const HttpResponse response = ask(asked);
    const std::size_t at = response.body.find("<Code>");
    if (response.status < 400 || at == std::string::npos) return std::to_string(response.status);
    return response.body.substr(at + 6, response.body.find("</Code>") - at - 6);
  }
  std::string content(const std::string& key) {
    const auto object = objects_->describe("firmware", key);
    if (!object) return "none";
    const auto all = objects_->read_all(object->location).value();
    return {all.begin(), all.end()};
  }
  static std::string checksum(cloud::DigestKind kind, const std::string& text) {
    return cloud::base64_encode(cloud::digest_of(kind, bytes_of(text)));
  }
  /// A body in one unsigned chunk with a trailer.
  static std::string chunked(const std::string& text, const std::string& trailer) {
    return fmt::format("{:x}\r\n{}\r\n0\r\n{}\r\n\r\n", text.size(), text, trailer);
  }

  cloud::UrlPresigner presigner_{
      {.endpoint = "localhost:8443", .access_key_id = "AKID", .secret_access_key = kSecret},
      clock_,
      random_uuid};
  std::unique_ptr<report::EventLog> log_ = report::EventLog::in_memory();
  std::vector<nlohmann::json> events_;
  std::optional<ObjectHandler> handler_;
};

TEST_F(S3RequestsTest, ThePayloadIsHeldAgainstItsHash) {
  EXPECT_EQ(outcome({.method = "PUT", .body = "hello"}), "200");
  EXPECT_EQ(outcome({.method = "PUT", .body = "hello", .sent = "hullo"}), "XAmzContentSHA256Mismatch");
  EXPECT_EQ(content("app.bin"), "hello") << "the second one is not there";
  EXPECT_THAT(files(), ::testing::SizeIs(1));
  EXPECT_EQ(outcome({.method = "PUT", .body = "x", .payload = "UNSIGNED-PAYLOAD"}), "200");
  EXPECT_EQ(outcome({.method = "PUT", .body = "x", .payload = "nonsense"}), "InvalidArgument");
}

TEST_F(S3RequestsTest, HashInTheHeaderMustBeSigned) {
  HttpRequestHead head = head_of({.method = "PUT", .body = "hello"});
  for (auto& [name, value] : head.headers) {
    if (name == "x-amz-content-sha256") value = test::sha256_hex("other");
  }
  EXPECT_EQ(send(head, "other").status, 403);
}

TEST_F(S3RequestsTest, EachKindOfChecksumIsHeldAgainstTheContent) {
  const std::string text = "123456789";
  for (const auto kind : {cloud::DigestKind::kCrc32, cloud::DigestKind::kCrc32c, cloud::DigestKind::kSha1,
                          cloud::DigestKind::kSha256}) {
    std::string header = fmt::format("x-amz-checksum-{}", cloud::checksum_name(kind));
    std::ranges::transform(header, header.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::string sum = checksum(kind, text);
    const std::string other = checksum(kind, "987654321");
    Asked asked{.method = "PUT", .body = text, .headers = {{header, sum}}};
    EXPECT_THAT(ask(asked).headers, Contains(Pair(header, sum)));
    asked.headers = {{header, other}};
    EXPECT_EQ(outcome(asked), "BadDigest") << header;
    asked.headers = {{header, "AAAA"}};
    EXPECT_EQ(outcome(asked), "InvalidRequest") << header;
    asked = {.method = "PUT",
             .body = chunked(text, header + ":" + sum),
             .headers = {{"x-amz-trailer", header},
                         {"x-amz-decoded-content-length", "9"},
                         {"content-encoding", "gzip, aws-chunked"}},
             .payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"};
    EXPECT_THAT(ask(asked).headers, Contains(Pair(header, sum))) << "behind the body";
    EXPECT_EQ(content("app.bin"), text);
    EXPECT_THAT(objects_->describe("firmware", "app.bin")->headers,
                ElementsAre(Pair("content-encoding", "gzip")));
    asked.body = chunked(text, header + ":" + other);
    EXPECT_EQ(outcome(asked), "BadDigest") << header;
    asked.body = chunked(text, "x-amz-meta-other:1");
    EXPECT_EQ(outcome(asked), "MalformedTrailerError") << header;
  }
  EXPECT_EQ(outcome({.method = "PUT",
                     .body = text,
                     .headers = {{"x-amz-checksum-crc32", checksum(cloud::DigestKind::kCrc32, text)},
                                 {"x-amz-checksum-sha1", checksum(cloud::DigestKind::kSha1, text)}}}),
            "InvalidRequest");
}

TEST_F(S3RequestsTest, ChunksAreSignedFromTheRequestsSignatureOn) {
  const Asked asked{.method = "PUT",
                    .body = "",
                    .headers = {{"x-amz-decoded-content-length", "5"}},
                    .payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"};
  HttpRequestHead head = head_of(asked);
  const auto signature = read_signature(head).value();
  ChunkSigner signer(kSecret, signature.scope, signature.date, signature.signature);
  const std::string first = signer.sign_chunk(test::sha256_hex("hello"));
  const std::string last = signer.sign_chunk(test::sha256_hex(""));
  const std::string body =
      fmt::format("5;chunk-signature={}\r\nhello\r\n0;chunk-signature={}\r\n\r\n", first, last);
  head.has_body = true;
  head.content_length = body.size();
  EXPECT_EQ(send(head, body).status, 200);
  EXPECT_EQ(content("app.bin"), "hello");
  std::string changed = body;
  changed.replace(changed.find("hello"), 5, "hullo");
  EXPECT_THAT(send(head, changed).body, HasSubstr("SignatureDoesNotMatch"));
  EXPECT_EQ(content("app.bin"), "hello");
}

TEST_F(S3RequestsTest, TheLengthMustBeSaidAndTrue) {
  Asked asked{.method = "PUT", .body = chunked("12345", ""), .payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"};
  EXPECT_EQ(outcome(asked), "MissingContentLength");
  for (const char* const wrong : {"4", "6"}) {
    asked.headers = {{"x-amz-decoded-content-length", wrong}};
    EXPECT_EQ(outcome(asked), "IncompleteBody") << wrong;
  }
  HttpRequestHead head = head_of({.method = "PUT", .body = "hello"});
  head.content_length.reset();  // chunked by HTTP's own means
  EXPECT_EQ(send(head, "hello").status, 411);
}

TEST_F(S3RequestsTest, ABucketMayBeNamedByTheHost) {
  EXPECT_EQ(outcome({.method = "PUT", .target = "/a/b", .body = "1", .host = "firmware.localhost:8443"}),
            "200");
  EXPECT_EQ(content("a/b"), "1");
  EXPECT_EQ(outcome({.target = "/a/b", .host = "firmware.otasim.localhost:8443"}), "200");
  EXPECT_EQ(outcome({.target = "/firmware/a/b", .host = "otasim.localhost"}), "200");
  EXPECT_EQ(outcome({.target = "/firmware/a/b", .host = "127.0.0.1:8443"}), "200");
  EXPECT_EQ(outcome({.target = "/?list-type=2", .host = "firmware.localhost"}), "200");
}

TEST_F(S3RequestsTest, SubResourcesThatAreNotThereAreRefusedByName) {
  const auto response = ask({.target = "/firmware?policy"});
  EXPECT_EQ(response.status, 501);
  EXPECT_THAT(response.body, HasSubstr("<Code>NotImplemented</Code>"));
  EXPECT_THAT(response.body, HasSubstr("<Header>policy</Header>"));
  for (const char* target : {"/firmware/app.bin?acl", "/firmware?lifecycle", "/firmware/app.bin?torrent",
                             "/firmware/app.bin?partNumber=1"}) {
    EXPECT_EQ(outcome({.target = target}), "NotImplemented") << target;
  }
  EXPECT_EQ(outcome({.method = "PUT", .body = "x", .headers = {{"x-amz-tagging", "a=b"}}}), "NotImplemented");
  EXPECT_EQ(outcome({.method = "PUT", .body = "x", .headers = {{"x-amz-acl", "public-read"}}}),
            "NotImplemented");
  EXPECT_EQ(outcome({.method = "PUT", .body = "x", .headers = {{"x-amz-acl", "private"}}}), "200");
  EXPECT_EQ(outcome({.method = "PATCH"}), "MethodNotAllowed");
  EXPECT_EQ(outcome({.method = "POST", .target = "/"}), "MethodNotAllowed");
}

TEST_F(S3RequestsTest, AnObjectBeyondTheLimitIsRefusedBeforeItComes) {
  const std::string large(100'001, 'x');
  HttpRequestHead head = head_of({.method = "PUT", .body = large});
  const auto decision = handler_->begin(head);
  ASSERT_TRUE(std::holds_alternative<HttpResponse>(decision));
  EXPECT_THAT(std::get<HttpResponse>(decision).body, HasSubstr("EntityTooLarge"));
  EXPECT_EQ(outcome({.method = "PUT", .body = large.substr(1)}), "200");
}

TEST_F(S3RequestsTest, ResponseParametersCannotBreakTheHeader) {
  ask({.method = "PUT", .body = "x"});
  const auto response = ask({.target = "/firmware/app.bin?response-content-type=a%0D%0AX-Evil:%201"});
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(ask({.target = "/firmware/app.bin?response-content-type=image%2Fpng"}).headers,
              Contains(Pair("content-type", "image/png")));
}

TEST_F(S3RequestsTest, DocumentsThatAreNoneAreRefused) {
  const auto complete = [&](const std::string& body) {
    return outcome({.method = "POST",
                    .target = "/firmware?delete",
                    .body = body,
                    .headers = {{"content-md5", checksum(cloud::DigestKind::kMd5, body)}}});
  };
  EXPECT_EQ(complete("<Delete><Object><Key>k</Key></Object></Delete>"), "200");
  for (const char* const body : {"<", "<Delete/>", "<Other/>", "{}", "<Delete><Object/></Delete>",
                                 "<Delete><Object><Key>k</Key></Object>"}) {
    EXPECT_EQ(complete(body), "MalformedXML") << body;
  }
  std::string many = "<Delete>";
  for (int i = 0; i < 1001; ++i) many += "<Object><Key>k</Key></Object>";
  EXPECT_EQ(complete(many + "</Delete>"), "MalformedXML") << "more than may be deleted at once";
  EXPECT_EQ(outcome({.method = "POST",
                     .target = "/firmware?delete",
                     .body = "<Delete><Object><Key>k</Key></Object></Delete>"}),
            "InvalidRequest")
      << "nothing guards it";
  EXPECT_EQ(
      outcome({.method = "PUT", .target = "/firmware?versioning", .body = "<VersioningConfiguration/>"}),
      "IllegalVersioningConfigurationException");
  EXPECT_EQ(outcome({.method = "PUT",
                     .target = "/elsewhere",
                     .body = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>"
                             "</CreateBucketConfiguration>"}),
            "IllegalLocationConstraintException");
}

TEST_F(S3RequestsTest, KeysWithAnyBytesAreListedInEitherForm) {
  put_in("firmware", "a<&>\"b", bytes("x"));
  put_in("firmware", "a b/\xC3\xA4", bytes("x"));
  put_in("firmware", "a\tb\rc", bytes("x"));
  EXPECT_THAT(ask({.target = "/firmware?list-type=2"}).body, HasSubstr("<Key>a&lt;&amp;&gt;&quot;b</Key>"));
  EXPECT_THAT(ask({.target = "/firmware?list-type=2"}).body, HasSubstr("<Key>a&#x9;b&#xD;c</Key>"));
  EXPECT_THAT(ask({.target = "/firmware?list-type=2&encoding-type=url"}).body,
              HasSubstr("<Key>a%20b/%C3%A4</Key>"));
  EXPECT_EQ(outcome({.target = "/firmware?max-keys=-1"}), "InvalidArgument");
  EXPECT_EQ(outcome({.target = "/firmware?max-keys=x"}), "InvalidArgument");
  EXPECT_EQ(outcome({.target = "/firmware?encoding-type=base64"}), "InvalidArgument");
  EXPECT_EQ(outcome({.target = "/firmware?versions&version-id-marker=1"}), "InvalidArgument");
}

TEST_F(S3RequestsTest, AMarkerThatIsACommonPrefixIsNotListedAgain) {
  for (const char* key : {"a/1", "a/2", "b/1", "c"}) put_in("firmware", key, bytes("x"));
  const std::string page = ask({.target = "/firmware?delimiter=/&marker=a/&max-keys=1"}).body;
  EXPECT_THAT(page, HasSubstr("<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes>"));
  EXPECT_THAT(page, HasSubstr("<NextMarker>b/</NextMarker>"));
  EXPECT_THAT(page, Not(HasSubstr("<Prefix>a/</Prefix>")));
  EXPECT_THAT(ask({.target = "/firmware?delimiter=/&marker=a/1"}).body, HasSubstr("<Prefix>a/</Prefix>"));
}

TEST_F(S3RequestsTest, CopySourcesAreChecked) {
  put_in("firmware", "a b", bytes("hello"));
  const auto copy = [&](const std::string& source, const std::string& target = "/firmware/copy",
                        Fields more = {}) {
    more.emplace_back("x-amz-copy-source", source);
    return outcome({.method = "PUT", .target = target, .headers = std::move(more)});
  };
  EXPECT_EQ(copy("/firmware/a%20b"), "200");
  EXPECT_EQ(content("copy"), "hello");
  EXPECT_EQ(copy("firmware/a%20b?versionId=null"), "200");
  EXPECT_EQ(copy("firmware"), "InvalidArgument");
  EXPECT_EQ(copy("%zz"), "InvalidArgument");
  EXPECT_EQ(copy("firmware/none"), "NoSuchKey");
  EXPECT_EQ(copy("none/none"), "NoSuchBucket");
  EXPECT_EQ(copy("firmware/copy", "/none/copy"), "NoSuchBucket");
  EXPECT_EQ(copy("firmware/copy"), "InvalidRequest") << "to itself";
  EXPECT_EQ(copy("firmware/copy", "/firmware/copy", {{"x-amz-metadata-directive", "REPLACE"}}), "200");
  EXPECT_EQ(copy("firmware/copy", "/firmware/b", {{"x-amz-metadata-directive", "COPY"}}), "200");
  EXPECT_EQ(copy("firmware/copy", "/firmware/b", {{"x-amz-metadata-directive", "FOO"}}), "InvalidArgument");
  EXPECT_EQ(copy("firmware/copy?versionId=null", "/firmware/copy"), "200") << "a version of itself";
  put_in("firmware", "versionId", bytes("hello"));
  EXPECT_EQ(copy("firmware/versionId", "/firmware/versionId"), "InvalidRequest") << "to itself";
  EXPECT_EQ(copy("firmware/copy", "/firmware/b", {{"x-amz-copy-source-if-match", "\"other\""}}),
            "PreconditionFailed");
}

TEST_F(S3RequestsTest, APutMayWantItsKeyToBeFree) {
  const Asked asked{.method = "PUT", .body = "x", .headers = {{"if-none-match", "*"}}};
  EXPECT_EQ(outcome(asked), "200");
  EXPECT_EQ(outcome(asked), "PreconditionFailed");
}

TEST_F(S3RequestsTest, ConditionsOfAPutHoldWhenItsBodyIsThere) {
  const auto put_meanwhile = [&](Fields headers) {
    const HttpRequestHead head = head_of({.method = "PUT", .body = "late", .headers = std::move(headers)});
    auto decision = handler_->begin(head);
    auto& exchange = std::get<std::unique_ptr<HttpExchange>>(decision);
    EXPECT_FALSE(exchange->on_body(bytes_of("late")).has_value());
    EXPECT_EQ(outcome({.method = "PUT", .body = "early"}), "200");
    return exchange->on_end().status;
  };
  EXPECT_EQ(put_meanwhile({{"if-none-match", "*"}}), 412);
  EXPECT_EQ(content("app.bin"), "early");
  const std::string etag = objects_->describe("firmware", "app.bin")->etag;
  EXPECT_EQ(outcome({.method = "PUT", .body = "first"}), "200");
  const std::string first = objects_->describe("firmware", "app.bin")->etag;
  EXPECT_EQ(put_meanwhile({{"if-match", first}}), 412);
  EXPECT_EQ(content("app.bin"), "early");
  EXPECT_EQ(put_meanwhile({{"if-match", etag}}), 200) << "the same content again";
  EXPECT_EQ(content("app.bin"), "late");
  EXPECT_THAT(files(), ::testing::SizeIs(1)) << "nothing is left of those refused";
}

TEST_F(S3RequestsTest, APutMayWantTheObjectItReplaces) {
  const auto put_if = [&](const std::string& etag, const std::string& body) {
    return outcome({.method = "PUT", .body = body, .headers = {{"If-Match", etag}}});
  };
  EXPECT_EQ(put_if("\"5d41402abc4b2a76b9719d911017c592\"", "x"), "NoSuchKey");
  ask({.method = "PUT", .body = "hello"});
  EXPECT_EQ(put_if("\"other\"", "x"), "PreconditionFailed");
  EXPECT_EQ(put_if("\"5d41402abc4b2a76b9719d911017c592\"", "x"), "200");
  EXPECT_EQ(content("app.bin"), "x");
  ASSERT_TRUE(objects_->buckets().set_versioning("firmware", cloud::Versioning::kEnabled));
  ask({.method = "DELETE"});
  EXPECT_EQ(put_if("\"9dd4e461268c8034f5c8564e155c67a6\"", "y"), "NoSuchKey") << "it is marked as deleted";
  EXPECT_EQ(outcome({.method = "PUT", .body = "y", .headers = {{"If-None-Match", "*"}}}), "200");
}

TEST_F(S3RequestsTest, ConditionsHoldForCopiesAndUploadsInParts) {
  ask({.method = "PUT", .body = "hello"});
  const Fields free{{"If-None-Match", "*"}};
  EXPECT_EQ(outcome({.method = "PUT",
                     .headers = {{"x-amz-copy-source", "/firmware/other"}, {"If-None-Match", "*"}}}),
            "NoSuchKey");
  put_in("firmware", "other", bytes("other"));
  EXPECT_EQ(outcome({.method = "PUT",
                     .headers = {{"x-amz-copy-source", "/firmware/other"}, {"If-None-Match", "*"}}}),
            "PreconditionFailed");
  const auto place = uploads_->create({.bucket = "firmware", .key = "app.bin"})->place;
  auto part = uploads_->begin_part(place, 1).value();
  ASSERT_TRUE(part.append(bytes_of("part")));
  const std::string etag = part.finish()->etag;
  const auto complete = [&](Fields headers) {
    return outcome({.method = "POST",
                    .target = "/firmware/app.bin?uploadId=" + place.id,
                    .body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + etag +
                            "</ETag></Part></CompleteMultipartUpload>",
                    .headers = std::move(headers)});
  };
  EXPECT_EQ(complete(free), "PreconditionFailed");
  EXPECT_EQ(complete({{"If-Match", "\"other\""}}), "PreconditionFailed");
  EXPECT_EQ(content("app.bin"), "hello");
  EXPECT_EQ(complete({{"If-Match", "\"5d41402abc4b2a76b9719d911017c592\""}}), "200");
  EXPECT_EQ(content("app.bin"), "part");
}

TEST_F(S3RequestsTest, ConditionsThatAreNotThereAreRefused) {
  ask({.method = "PUT", .body = "hello"});
  const std::string date = "Tue, 14 Nov 2023 22:13:20 GMT";
  for (const auto& [name, value] : Fields{{"If-None-Match", "\"other\""},
                                          {"If-Match", "*"},
                                          {"If-Match", ""},
                                          {"If-Modified-Since", date},
                                          {"If-Unmodified-Since", date}}) {
    EXPECT_EQ(outcome({.method = "PUT", .body = "x", .headers = {{name, value}}}), "NotImplemented")
        << name << ": " << value;
  }
  EXPECT_EQ(outcome({.method = "PUT", .body = "x", .headers = {{"If-Match", "a"}, {"If-None-Match", "*"}}}),
            "NotImplemented");
  EXPECT_EQ(outcome({.method = "PUT", .body = "x", .headers = {{"If-Match", "a"}, {"If-Match", "b"}}}),
            "NotImplemented");
  for (const char* const name : {"If-Match", "x-amz-if-match-size", "x-amz-if-match-last-modified-time"}) {
    EXPECT_EQ(outcome({.method = "DELETE", .headers = {{name, "1"}}}), "NotImplemented") << name;
  }
  EXPECT_EQ(outcome({.method = "POST", .target = "/firmware/a?uploads", .headers = {{"If-None-Match", "*"}}}),
            "NotImplemented");
  EXPECT_EQ(content("app.bin"), "hello");
}

TEST_F(S3RequestsTest, AnotherAccountIsNotTheBucketsOwner) {
  EXPECT_EQ(outcome({.method = "PUT",
                     .body = "x",
                     .headers = {{"x-amz-expected-bucket-owner", std::string(cloud::kAccount)}}}),
            "200");
  const Fields another{{"x-amz-expected-bucket-owner", "111122223333"}};
  for (const char* const method : {"GET", "HEAD", "DELETE", "PUT"}) {
    EXPECT_EQ(ask({.method = method, .headers = another}).status, 403) << method;
  }
  EXPECT_EQ(outcome({.target = "/firmware", .headers = another}), "AccessDenied");
  EXPECT_EQ(outcome({.method = "PUT",
                     .target = "/firmware/copy",
                     .headers = {{"x-amz-copy-source", "/firmware/app.bin"},
                                 {"x-amz-source-expected-bucket-owner", "111122223333"}}}),
            "AccessDenied");
  EXPECT_EQ(content("app.bin"), "x");
}

TEST_F(S3RequestsTest, GrantsAreRefused) {
  for (const char* const name : {"x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp",
                                 "x-amz-grant-write", "x-amz-grant-write-acp"}) {
    const Fields grant{{name, "id=\"someone\""}};
    EXPECT_EQ(outcome({.method = "PUT", .body = "x", .headers = grant}), "NotImplemented") << name;
    EXPECT_EQ(outcome({.method = "PUT", .target = "/other", .headers = grant}), "NotImplemented") << name;
  }
}

TEST_F(S3RequestsTest, AKeyThatIsTooLongCannotBeDeletedEither) {
  const std::string longest(cloud::kMaxObjectKeyBytes, 'k');
  ASSERT_TRUE(objects_->buckets().set_versioning("firmware", cloud::Versioning::kEnabled));
  EXPECT_EQ(outcome({.method = "DELETE", .target = "/firmware/" + longest}), "204");
  EXPECT_EQ(outcome({.method = "DELETE", .target = "/firmware/" + longest + "k"}), "KeyTooLongError");
  const std::string body =
      "<Delete><Object><Key>" + longest + "k</Key></Object><Object><Key>k</Key></Object></Delete>";
  const auto response = ask({.method = "POST",
                             .target = "/firmware?delete",
                             .body = body,
                             .headers = {{"content-md5", checksum(cloud::DigestKind::kMd5, body)}}});
  EXPECT_THAT(response.body, HasSubstr("<Code>KeyTooLongError</Code>"));
  EXPECT_THAT(objects_->list({.bucket = "firmware", .all_versions = true})->objects, ::testing::SizeIs(2));
}

TEST_F(S3RequestsTest, APresignedRequestWithOtherSignedHeadersExpiresToo) {
  const auto put = [&](const std::optional<std::string>& expires) {
    HttpRequestHead head;
    head.method = "PUT";
    head.target = "/firmware/by/url";
    head.headers = {{"Host", "localhost:8443"}, {"Content-Type", "text/x"}};
    test::Signer signer{.access_key_id = "AKID", .secret_access_key = kSecret, .service = "s3"};
    signer.date = cloud::amz_date(clock_.now());
    signer.presign(head, cloud::kUnsignedPayload, expires);
    return head;
  };
  const HttpRequestHead good = put("604800");
  EXPECT_EQ(send(good, "").status, 200);
  const std::vector<std::optional<std::string>> wrong{"604801", "10000000", "9223372036854775807", "0",
                                                      std::nullopt};
  for (const auto& expires : wrong) {
    const auto refused = send(put(expires), "");
    EXPECT_EQ(refused.status, 400) << expires.value_or("none");
    EXPECT_THAT(refused.body, HasSubstr("<Code>AuthorizationQueryParametersError</Code>"));
  }
  clock_.advance(604801);
  EXPECT_THAT(send(good, "").body, HasSubstr("<Message>Request has expired</Message>"));
}

TEST_F(S3RequestsTest, SignaturesOfVersion2AreToldWhatToSet) {
  HttpRequestHead head;
  head.method = "GET";
  head.target = "/firmware/app.bin?AWSAccessKeyId=AKID&Signature=x&Expires=1700000060";
  head.headers = {{"Host", "localhost:8443"}};
  const auto refused = send(head, "");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("<Code>InvalidRequest</Code>"));
  EXPECT_THAT(refused.body, HasSubstr("Please use AWS4-HMAC-SHA256.</Message>")) << "AWS's words";
  EXPECT_THAT(refused.body, HasSubstr("signature_version"));
}

TEST_F(S3RequestsTest, NotModifiedHasNoDocument) {
  ask({.method = "PUT", .body = "hello"});
  const auto response = ask({.headers = {{"If-None-Match", "\"5d41402abc4b2a76b9719d911017c592\""}}});
  EXPECT_EQ(response.status, 304);
  EXPECT_THAT(response.body, IsEmpty());
  EXPECT_THAT(response.headers, Contains(Pair("ETag", "\"5d41402abc4b2a76b9719d911017c592\"")));
}

TEST_F(S3RequestsTest, AVersionIsToldWhereThereEverWasOne) {
  EXPECT_THAT(ask({.method = "PUT", .body = "x"}).headers,
              Not(Contains(Pair("x-amz-version-id", ::testing::_))));
  ASSERT_TRUE(objects_->buckets().set_versioning("firmware", cloud::Versioning::kSuspended));
  EXPECT_THAT(ask({}).headers, Contains(Pair("x-amz-version-id", "null")));
}

TEST_F(S3RequestsTest, EachRequestIsAnEventAndReadsAreTwo) {
  ask({.method = "PUT", .body = "x"});
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(events_[0]["event"], "api_request");
  EXPECT_EQ(events_[0]["service"], "s3");
  EXPECT_EQ(events_[0]["operation"], "PutObject");
  EXPECT_EQ(events_[0]["status"], 200);
  ask({.target = "/firmware/none"});
  ASSERT_EQ(events_.size(), 3U);
  EXPECT_EQ(events_[1]["operation"], "GetObject");
  EXPECT_EQ(events_[1]["error"], "NoSuchKey");
  EXPECT_EQ(events_[2]["event"], "object_request");
  EXPECT_EQ(events_[2]["key"], "none");
  HttpRequestHead device;
  device.method = "GET";
  device.target = "/firmware/app.bin";
  const HttpResponse refused = send(device, "");
  refused.on_sent(refused.body_length(), "");
  ASSERT_EQ(events_.size(), 4U);
  EXPECT_EQ(events_[3]["event"], "object_request") << "reads without a signature in the header are devices'";
}

TEST_F(S3RequestsTest, FaultsStrikeReadsWithPresignedUrlsOnly) {
  ask({.method = "PUT", .body = "x"});
  handler_->set_fault_handler([](const cloud::ObjectRequest&) { return cloud::ObjectFaults{.status = 503}; });
  EXPECT_EQ(ask({}).status, 200);
  HttpRequestHead head;
  head.method = "GET";
  const std::string url = presigner_.presign_get({"firmware", "app.bin", ""}, 60);
  head.target = url.substr(url.find("/firmware"));
  head.headers = {{"Host", "localhost:8443"}};
  EXPECT_EQ(send(head, "").status, 503);
}

TEST_F(S3RequestsTest, APresignedPutCannotBeMadeACopy) {
  put_in("firmware", "secret", bytes("secret"));
  HttpRequestHead head;
  head.method = "PUT";
  const std::string url = presigner_.presign("PUT", {"firmware", "mine", ""}, 60);
  head.target = url.substr(url.find("/firmware"));
  head.headers = {{"Host", "localhost:8443"}};
  EXPECT_EQ(send(head, "").status, 200);
  head.headers.emplace_back("X-Amz-Copy-Source", "/firmware/secret");
  const auto refused = send(head, "");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("<HeadersNotSigned>X-Amz-Copy-Source</HeadersNotSigned>"));
  EXPECT_EQ(content("mine"), "");
}

TEST_F(S3RequestsTest, TheTableOfOperationsNamesEachOnce) {
  std::set<std::string_view> names;
  for (const S3Operation& operation : s3_operations()) EXPECT_TRUE(names.insert(operation.name).second);
  EXPECT_EQ(names.size(), 24U);
}

}  // namespace
}  // namespace otasim::rest
