// Requests for objects as devices send them: presigned URLs, targets and ranges, whatever stands in them.
//
// Input, one a line: method, target, Host, Range, If-Range. `{signed}` in the target becomes the target of a
// URL that is good, and `{edit}` as the last line's beginning changes one of its characters: `{edit}12x`.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "sim/cloud/byte_range.h"
#include "sim/cloud/uri_encoding.h"
#include "sim/report/event_log.h"
#include "sim/rest/object_handler.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"
#include "tests/sim/cloud/fuzzed_cloud.h"

namespace {

using namespace otasim::cloud;
using namespace otasim::rest;
using otasim::testing::claim;
using otasim::testing::take_line;

constexpr std::string_view kEndpoint = "otasim.localhost:8443";
constexpr std::string_view kSigned = "{signed}";
constexpr std::string_view kEdit = "{edit}";
constexpr std::int64_t kObjectBytes = 10'000;

/// What serves the objects of a fuzzed cloud, which are only read: the store stays as it is.
struct Served {
  Served() { cloud.urls().set_endpoint(std::string{kEndpoint}); }

  /// The target of a URL that gets the file of 10,000 bytes.
  std::string good_target() {
    const std::string url = cloud.urls().presign_get({"firmware", "file-0", {}}, 600);
    const std::string start = "https://" + std::string{kEndpoint};
    claim(url.starts_with(start + "/"), "a URL leads to the endpoint");
    return url.substr(start.size());
  }

  static Cloud& made(FuzzedCloud& fuzzed) {
    fuzzed.reset();
    return fuzzed.cloud();
  }

  FuzzedCloud fuzzed;
  Cloud& cloud = made(fuzzed);
  const ManualClock clock{FuzzedCloud::kNow};
  std::unique_ptr<otasim::report::EventLog> log = otasim::report::EventLog::in_memory();
  ObjectHandler handler{{cloud.objects(), cloud.uploads(), cloud.urls(), clock, *log}};
};

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
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{1}, kObjectBytes, INT64_MAX}) {
    const auto bytes = range->within(size);
    claim(!bytes || (bytes->first >= 0 && bytes->first <= bytes->last && bytes->last < size),
          "a range is within the object");
  }
}

void check_headers(const HttpResponse& response) {
  for (const auto& [name, value] : response.headers) {
    claim(!name.empty() && (name + value).find_first_of("\r\n") == std::string::npos, "a header is one line");
  }
}

/// @returns the error's code
std::string check_refusal(const HttpResponse& response) {
  claim(response.status >= 400 && response.status < 500, "what is refused is the client's fault");
  pugi::xml_document document;
  claim(document.load_buffer(response.body.data(), response.body.size()).status == pugi::status_ok,
        "an error's document is well-formed");
  const std::string code = document.child("Error").child_value("Code");
  claim(!code.empty(), "and has a code");
  return code;
}

void check_object(const HttpRequestHead& head, const HttpResponse& response, const std::string& good) {
  claim(head.method == "GET", "a URL is good for the method it was signed for");
  claim(same(head.target, good), "and for what was signed");
  claim(head.text("Host") == kEndpoint, "and for the host it was signed for");
  const auto& [file, first, length] = *response.piece;
  claim(first >= 0 && length >= 0 && first + length <= kObjectBytes, "no byte outside the object is sent");
  claim(response.status == 206 || (response.status == 200 && length == kObjectBytes),
        "without a range it is the whole");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Served served;
  static const std::string good = served.good_target();

  std::string_view rest(reinterpret_cast<const char*>(data), size);
  HttpRequestHead head;
  head.method = take_line(rest);
  head.target = take_line(rest);
  for (const char* const name : {"Host", "Range", "If-Range"}) {
    head.headers.emplace_back(name, std::string(take_line(rest)));
  }
  if (const std::size_t at = head.target.find(kSigned); at != std::string::npos) {
    head.target.replace(at, kSigned.size(), good);
    edit(head.target, take_line(rest));
  }
  check_encoding(head.target);
  check_range(head.text("Range"));
  auto decision = served.handler.begin(head);
  auto* const response = std::get_if<HttpResponse>(&decision);
  claim(response != nullptr, "nobody without a signature of their own may send a body");
  check_headers(*response);
  if (response->piece) {
    check_object(head, *response, good);
    return 0;
  }
  const std::string code = check_refusal(*response);
  const bool untouched = head.method == "GET" && head.target == good && head.text("Host") == kEndpoint;
  claim(!untouched || code == "InvalidRange", "a URL as it was made is good");
  return 0;
}
