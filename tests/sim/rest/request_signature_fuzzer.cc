// Signatures of requests: whatever stands in headers and query, nothing is believed that was not signed.
//
// Input, one a line: `header`, `query` or `none` (how to sign), method, target, header fields (`name: value`)
// until an empty line, and then perhaps `{edit}<place><character>`: changes one character of the signed
// target or Authorization header.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/cloud/identifiers.h"
#include "sim/rest/request_signature.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"
#include "tests/sim/rest/signed_request.h"

namespace {

using namespace otasim;
using namespace otasim::rest;
using otasim::testing::claim;
using otasim::testing::take_line;

constexpr std::int64_t kNow = 1'440'938'160;  // 20150830T123600Z
constexpr std::string_view kEdit = "{edit}";
constexpr std::size_t kMaxFields = 20;

/// HTTP lets no others through.
bool is_field(std::string_view name, std::string_view value) {
  const auto token = [](char c) { return cloud::detail::is_word(c); };
  return !name.empty() && std::ranges::all_of(name, token) &&
         std::ranges::none_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

HttpRequestHead read_head(std::string_view& rest) {
  HttpRequestHead head;
  head.method = take_line(rest);
  head.target = take_line(rest);
  while (head.headers.size() < kMaxFields) {
    const std::string_view line = take_line(rest);
    if (line.empty()) break;
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos || !is_field(line.substr(0, colon), line.substr(colon + 2))) continue;
    head.headers.emplace_back(std::string(line.substr(0, colon)), std::string(line.substr(colon + 2)));
  }
  return head;
}

/// @returns whether anything was changed
bool edit(std::string& text, std::string_view what) {
  if (!what.starts_with(kEdit)) return false;
  what.remove_prefix(kEdit.size());
  std::size_t place = 0;
  const auto [end, error] = std::from_chars(what.data(), what.data() + what.size(), place);
  if (error != std::errc{} || end == what.data() + what.size() || place >= text.size()) return false;
  if (text[place] == *end) return false;
  text[place] = *end;
  return true;
}

void check_normal_path(const std::string& path) {
  const std::string normal = normalized_path(path);
  claim(normal.starts_with('/'), "a normal path is absolute");
  claim(normalized_path(normal) == normal, "and stays as it is");
  claim(normal.find("//") == std::string::npos, "it has no empty segments");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const cloud::ManualClock clock(kNow);
  static const test::Signer signer;
  static const RequestVerifier verifier({signer.access_key_id, signer.secret_access_key, "us-east-1"}, clock);
  static const std::string no_body = test::sha256_hex("");

  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view how = take_line(rest);
  HttpRequestHead head = read_head(rest);
  check_normal_path(head.target.substr(0, head.target.find('?')));

  // As it came: nobody knows the secret.
  const auto unsigned_result = verifier.verify_request(head, "iot", no_body);
  claim(!unsigned_result, "nothing is believed that was not signed with the secret");
  claim(!unsigned_result.error().detail.empty(), "and the reason is told");
  static_cast<void>(claimed_service(head));
  if (how == "none" || !cloud::parse_request_target(head.target)) return 0;
  if (read_signature(head) || unsigned_result.error().problem != SignatureProblem::kMissing) return 0;
  if (head.count("X-Amz-Date") > 0 || head.count("Date") > 0) return 0;

  if (how == "query") {
    signer.presign(head, no_body, "60");
  } else {
    signer.sign(head, no_body);
  }
  const auto signature = read_signature(head);
  const auto result = verifier.verify_request(head, "iot", no_body);
  if (signature && signature->payload().value_or(no_body) == no_body) {
    claim(result.has_value(), "what was signed is believed");
  }
  if (!result) return 0;

  HttpRequestHead changed = head;
  const std::string_view what = take_line(rest);
  std::string& text = how == "query" ? changed.target : changed.headers.back().second;
  if (!edit(text, what)) return 0;
  const auto again = verifier.verify_request(changed, "iot", no_body);
  if (!again) return 0;
  claim(canonical_request_of(changed, *again, no_body) == canonical_request_of(head, *result, no_body),
        "what is still believed says the same");
  claim(again->signature == result->signature && again->scope.str() == result->scope.str(),
        "by the same signature");
  return 0;
}
