// Requests for objects over HTTP: presigned URLs, targets and ranges, whatever stands in them.
//
// Input, one a line: method, target, Host, Range, If-Range. `{signed}` in the target becomes the target of a
// URL that is good, and `{edit}` as the last line's beginning changes one of its characters: `{edit}12x`.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/cloud/object_reply.h"
#include "sim/cloud/uri_encoding.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"
#include "tests/sim/cloud/fuzzed_cloud.h"

namespace {

using namespace otasim::cloud;
using otasim::testing::claim;
using otasim::testing::take_line;

constexpr std::string_view kEndpoint = "otasim.localhost:8443";
constexpr std::string_view kSigned = "{signed}";
constexpr std::string_view kEdit = "{edit}";
constexpr std::array kErrors{
    "InvalidURI",         "AccessDenied",          "AuthorizationQueryParametersError",
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "MethodNotAllowed",
    "NotImplemented",     "NoSuchBucket",          "NoSuchKey",
    "NoSuchVersion",      "InvalidRange"};

/// The target of a URL that gets the file of 10,000 bytes.
std::string good_target(FuzzedCloud& cloud) {
  const std::string url = cloud.cloud().urls().presign_get({"firmware", "file-0", {}}, 600);
  const std::string start = "https://" + std::string{kEndpoint};
  claim(url.starts_with(start + "/"), "a URL leads to the endpoint");
  return url.substr(start.size());
}

/// Puts another character in a place, as `{edit}<place><character>` says.
void edit(std::string& target, std::string_view what) {
  if (!what.starts_with(kEdit)) return;
  what.remove_prefix(kEdit.size());
  std::size_t place = 0;
  const auto [end, error] = std::from_chars(what.data(), what.data() + what.size(), place);
  if (error == std::errc{} && end != what.data() + what.size() && place < target.size()) target[place] = *end;
}

/// Two targets that say the same, in whatever spelling and order.
bool same(const std::string& a, const std::string& b) {
  auto first = parse_request_target(a);
  auto second = parse_request_target(b);
  if (!first || !second) return false;
  const auto by_name = [](const QueryParameter& x, const QueryParameter& y) {
    return std::pair(x.name, x.value) < std::pair(y.name, y.value);
  };
  std::ranges::sort(first->query, by_name);
  std::ranges::sort(second->query, by_name);
  return first->path == second->path && first->query == second->query;
}

void check_encoding(const std::string& text) {
  claim(uri_decode(uri_encode(text)) == text, "what is encoded is decoded");
  claim(uri_decode(uri_encode(text, /*keep_slashes=*/true)) == text, "with slashes as well");
  const auto decoded = uri_decode(text);
  claim(decoded.has_value() || text.find('%') != std::string::npos, "only percent signs can be malformed");
  claim(!decoded || uri_decode(uri_encode(*decoded)) == decoded, "and what is decoded can be encoded again");
}

void check_range(std::string_view header) {
  const auto range = parse_range(header);
  if (!range) return;
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{1}, std::int64_t{10'000}, INT64_MAX}) {
    const auto bytes = range->within(size);
    claim(!bytes || (bytes->first >= 0 && bytes->first <= bytes->last && bytes->last < size),
          "a range is within the object");
  }
}

void check_refusal(const S3Error& error) {
  const bool known = std::ranges::any_of(kErrors, [&](const char* name) { return error.code == name; });
  claim(known && error.status >= 400 && error.status < 600, "an error is one of S3's");
  const std::string document = s3_error_document(error, "request", "host");
  claim(
      std::ranges::none_of(
          document,
          [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r'; }),
      "its document has no byte that XML forbids");
}

void check_reply(const ObjectHttpRequest& request, const ObjectReply& reply, const std::string& good) {
  claim(request.method == "GET", "a URL is good for the method it was signed for");
  claim(same(request.target, good), "and for what was signed");
  claim(request.host == kEndpoint, "and for the host it was signed for");
  claim(reply.object.location.key == "file-0" && reply.object.size == 10'000,
        "it brings the object it names");
  claim(reply.first_byte >= 0 && reply.length >= 0 && reply.first_byte + reply.length <= reply.object.size,
        "no byte outside the object is sent");
  claim(reply.status() == 206 || reply.length == reply.object.size, "without a range it is the whole");
  claim(std::ranges::none_of(
            reply.headers(),
            [](const auto& field) { return field.second.find_first_of("\r\n") != std::string::npos; }),
        "no header field has a line break");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static FuzzedCloud* const cloud = [] {
    static FuzzedCloud made;
    made.reset();
    made.cloud().urls().set_endpoint(std::string{kEndpoint});
    return &made;  // objects are only read: the store stays as it is
  }();
  static const std::string good = good_target(*cloud);

  std::string_view rest(reinterpret_cast<const char*>(data), size);
  ObjectHttpRequest request;
  for (std::string* field :
       {&request.method, &request.target, &request.host, &request.range, &request.if_range}) {
    *field = take_line(rest);
  }
  if (const std::size_t at = request.target.find(kSigned); at != std::string::npos) {
    request.target.replace(at, kSigned.size(), good);
    edit(request.target, take_line(rest));
  }
  check_encoding(request.target);
  check_range(request.range);
  const auto reply = answer_object_request(request, cloud->cloud().objects(), cloud->cloud().urls());
  if (reply) {
    check_reply(request, *reply, good);
  } else {
    check_refusal(reply.error());
    const bool untouched = request.method == "GET" && request.target == good && request.host == kEndpoint;
    claim(!untouched || reply.error().code == "InvalidRange", "a URL as it was made is good");
  }
  return 0;
}
