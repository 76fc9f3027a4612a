// The control plane and the jobs data plane past the signature: whatever is asked, in whatever order, the
// answer has AWS's shape, and a device hears of its own jobs only.
//
// Input: calls of two lines each. The first is `Operation value value ?query @principal`: the values of the
// operation's URI, as they stand in a path, or `VERB /target`. The second is the body. `data.` before an
// operation's name, or a target, asks the data plane.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/rest/aws_interface.h"
#include "sim/rest/jobs_data_api.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"
#include "tests/sim/cloud/fuzzed_cloud.h"
#include "tests/sim/rest/handler_call.h"

namespace {

using namespace otasim;
using namespace otasim::rest;
using otasim::testing::claim;
using otasim::testing::take_line;

constexpr int kMostCalls = 12;
constexpr std::string_view kData = "data.";

class NoIssuer final : public CertificateIssuer {
 public:
  Result<Issued> issue_with_key() override { return fail(ExitCode::kUsage, "no key"); }
  Result<Issued> issue_for_request(const std::string& /*csr*/) override {
    return fail(ExitCode::kUsage, "no request");
  }
  [[nodiscard]] std::string authority_pem() const override { return {}; }
};

class Everybody final : public Authenticator {
 public:
  std::optional<ApiError> refuse_unread(const AskedOperation& /*asked*/) override { return std::nullopt; }
  std::optional<ApiError> refuse(const AskedOperation& /*asked*/, const std::string& /*body_hash*/) override {
    return std::nullopt;
  }
};

const Operation* find(std::string_view name, bool data) {
  if (data) {
    for (const auto& one : jobs_data_operations()) {
      if (one.operation.name == name) return &one.operation;
    }
    return nullptr;
  }
  for (const auto& one : iot_operations()) {
    if (one.operation.name == name) return &one.operation;
  }
  return nullptr;
}

std::string_view take_word(std::string_view& line) {
  const std::size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

/// The template's braces replaced by words.
std::string target_of(std::string_view uri, std::string_view& words) {
  std::string target;
  while (!uri.empty()) {
    const std::size_t open = uri.find('{');
    target += uri.substr(0, open);
    if (open == std::string_view::npos) break;
    target += take_word(words);
    uri.remove_prefix(uri.find('}') + 1);
  }
  return target;
}

HttpRequestHead read_call(std::string_view line, bool& data) {
  HttpRequestHead head;
  data = line.starts_with(kData);
  if (data) line.remove_prefix(kData.size());
  const std::string_view name = take_word(line);
  if (const Operation* const operation = find(name, data)) {
    head.method = operation->verb;
    head.target = target_of(operation->uri, line);
  } else {
    head.method = name;
    head.target = take_word(line);
  }
  while (!line.empty()) {
    const std::string_view word = take_word(line);
    if (word.starts_with('?')) head.target += word;
    if (!word.starts_with('@')) continue;
    for (const char* header : {"x-amzn-principal", "x-amzn-iot-principal"}) {
      head.headers.emplace_back(header, std::string(word.substr(1)));
    }
  }
  return head;
}

void check(const HttpResponse& response) {
  claim(response.status >= 200 && response.status < 600 && !reason_phrase(response.status).empty(),
        "an answer has a status");
  claim(!test::header_of(response, "x-amzn-RequestId").empty(), "and a request id");
  const auto body = nlohmann::json::parse(response.body, nullptr, false);
  const std::string error = test::header_of(response, "x-amzn-ErrorType");
  if (response.status == 200) {
    claim(error.empty() && (response.body.empty() || body.is_object()), "a success is an object or nothing");
    return;
  }
  claim(response.status < 500, "no input makes the service fail");
  claim(error.ends_with("Exception"), "an error has AWS's name");
  claim(body.is_object() && body["message"].is_string(), "and a message");
}

/// What is told of a thing by the data plane is that thing's.
void check_data(const HttpRequestHead& head, const HttpResponse& response) {
  const bool of_lamp = head.target.starts_with("/things/lamp/");
  claim(!of_lamp || response.status != 200 ||
            response.body.find(cloud::FuzzedCloud::kOfDoor) == std::string::npos,
        "a device hears nothing of another's jobs");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static cloud::FuzzedCloud cloud;
  cloud.reset();
  static NoIssuer issuer;
  IotServices services{cloud.cloud(), issuer, [](std::string_view type) -> std::optional<std::string> {
                         if (type != "iot:Jobs") return std::nullopt;
                         return "localhost:1";
                       }};
  const JsonApiParts parts{.log = cloud.cloud().log(), .clock = cloud.cloud().clock(), .uuid = [] {
                             return std::string("request");
                           }};
  JsonApi iot(ApiStyle::kIot, iot_routes(services), std::make_unique<Everybody>(), parts);
  JsonApi jobs_data(ApiStyle::kJobsData, jobs_data_routes(cloud.cloud()), std::make_unique<Everybody>(),
                    parts);

  std::string_view rest(reinterpret_cast<const char*>(data), size);
  for (int call = 0; call < kMostCalls && !rest.empty(); ++call) {
    bool is_data = false;
    const HttpRequestHead head = read_call(take_line(rest), is_data);
    const std::string body(take_line(rest));
    const HttpResponse response = test::call_handler(is_data ? jobs_data : iot, head, body);
    check(response);
    if (is_data && call == 0) check_data(head, response);
  }
  return 0;
}
