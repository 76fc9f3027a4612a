// docs/aws-conformance.md: every operation and every topic there is, what is not as with AWS, and which test
// with a client that we did not write has used it with success.
//
// The table is made of the tables that route requests, and of what those tests have left (evidence.h): a row
// that no real client has used fails this test, and so does a document that is not what would be written now.
// To write it: OTASIM_UPDATE_DOCS=1 ctest --test-dir build/default -R conformance_table_test
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "sim/base/json.h"
#include "sim/rest/acm_api.h"
#include "sim/rest/iot_api.h"
#include "sim/rest/jobs_data_api.h"
#include "sim/rest/s3_operations.h"
#include "sim/rest/signer_api.h"
#include "tests/conformance/topics.h"

namespace otasim::testing {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

constexpr const char* kHead = R"(# AWS conformance

Every operation and topic of AWS that a lab has. Each row was used, with success, by a client that we did not write:
the `aws` command line, boto3, or Mosquitto's clients; the last column names the tests. This page is written by
`conformance_table_test` of the tables that route requests and of what those tests have done; the test fails if a row
has no test, or if the page is not what it would write. "-" means that no deviation is known. How it behaves beyond
that: [rest.md](rest.md), [objects.md](objects.md), [cloud.md](cloud.md), [broker.md](broker.md).
)";

/// Which tests have used what.
using Uses = std::map<std::string, std::set<std::string>>;

struct Used {
  Uses operations;
  Uses topics;
};

Used read_evidence() {
  Used used;
  for (const auto& entry : std::filesystem::directory_iterator(OTASIM_CONFORMANCE_FOLDER)) {
    std::ifstream file(entry.path());
    const json evidence = json::parse(file, nullptr, /*allow_exceptions=*/false);
    const std::string test = evidence.at("test");
    for (const std::string operation : evidence.at("operations")) used.operations[operation].insert(test);
    for (const std::string topic : evidence.at("topics")) used.topics[topic].insert(test);
  }
  return used;
}

std::string tests_of(const Uses& uses, const std::string& what, std::vector<std::string>& unused) {
  const auto found = uses.find(what);
  if (found == uses.end()) {
    unused.push_back(what);
    return "none";
  }
  std::string text;
  for (const std::string& test : found->second) text += (text.empty() ? "`" : ", `") + test + "`";
  return text;
}

std::string or_dash(std::string_view text) {
  return text.empty() ? "-" : std::string(text);
}

/// A table of one service's operations: name, request, deviation.
struct Service {
  std::string title;
  std::string signing_name;
  std::vector<std::array<std::string, 3>> rows;
};

Service json_service(const std::string& title, const std::vector<rest::Operation>& operations) {
  Service service{title, std::string(operations.front().service), {}};
  for (const rest::Operation& one : operations) {
    service.rows.push_back(
        {std::string(one.name), fmt::format("{} `{}`", one.verb, one.uri), or_dash(one.deviation)});
  }
  return service;
}

std::string s3_request(const rest::S3Operation& one) {
  std::string text = std::string(one.method) + " `/";
  if (one.resource != rest::S3Resource::kService) text += "{bucket}";
  if (one.resource == rest::S3Resource::kObject) text += "/{key}";
  if (!one.parameter.empty()) text += "?" + std::string(one.parameter);
  text += "`";
  if (!one.header.empty()) text += ", `" + std::string(one.header) + "`";
  return text;
}

std::vector<Service> services() {
  std::vector<rest::Operation> iot;
  for (const rest::IotOperation& one : rest::iot_operations()) iot.push_back(one.operation);
  std::vector<rest::Operation> jobs_data;
  for (const rest::JobsDataOperation& one : rest::jobs_data_operations()) jobs_data.push_back(one.operation);
  Service s3{"Amazon S3", "s3", {}};
  for (const rest::S3Operation& one : rest::s3_operations()) {
    s3.rows.push_back({std::string(one.name), s3_request(one), or_dash(one.deviation)});
  }
  return {json_service("AWS IoT, control plane", iot), json_service("AWS IoT Jobs, data plane", jobs_data),
          std::move(s3), json_service("AWS Signer", rest::signer_operations()),
          json_service("AWS Certificate Manager", rest::acm_operations())};
}

std::string table_of(const Service& service, const Used& used, std::vector<std::string>& unused) {
  std::string text =
      fmt::format("\n## {} (`{}`)\n| Operation | Request | Deviation | Tests |\n|---|---|---|---|\n",
                  service.title, service.signing_name);
  for (const auto& [name, request, deviation] : service.rows) {
    text += fmt::format("| {} | {} | {} | {} |\n", name, request, deviation,
                        tests_of(used.operations, service.signing_name + " " + name, unused));
  }
  return text;
}

std::string topics_table(const Used& used, std::vector<std::string>& unused) {
  std::string text = "\n## MQTT topics\n| Topic | Use | Deviation | Tests |\n|---|---|---|---|\n";
  for (const Topic& one : mqtt_topics()) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", one.topic, one.use, or_dash(one.deviation),
                        tests_of(used.topics, std::string(one.topic), unused));
  }
  return text;
}

TEST(ConformanceTable, IsWhatTheDocumentSaysAndEveryRowWasUsed) {
  const Used used = read_evidence();
  std::vector<std::string> unused;
  std::string text = kHead;
  for (const Service& service : services()) text += table_of(service, used, unused);
  text += topics_table(used, unused);
  EXPECT_THAT(unused, IsEmpty()) << "no client that we did not write has used these with success";
  if (std::getenv("OTASIM_UPDATE_DOCS") != nullptr) std::ofstream(OTASIM_CONFORMANCE_DOCUMENT) << text;
  std::ifstream file(OTASIM_CONFORMANCE_DOCUMENT);
  std::ostringstream document;
  document << file.rdbuf();
  EXPECT_EQ(document.str(), text)
      << "docs/aws-conformance.md is not up to date; set OTASIM_UPDATE_DOCS=1 to write it";
}

}  // namespace
}  // namespace otasim::testing
