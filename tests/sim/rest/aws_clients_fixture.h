// A lab without devices and AWS's own clients in front of it; what they do is evidence for
// docs/aws-conformance.md.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/running_lab.h"
#include "tests/conformance/evidence.h"
#include "tests/sim/rest/aws_client.h"

namespace otasim::rest::test {

class AwsClientsFixture : public ::testing::Test {
 protected:
  AwsClientsFixture() {
    testing::evidence().watch(*log);
    log->listen([this](const nlohmann::json& event) {
      if (event["event"] == "api_request") requests.push_back(event);
    });
    auto identities = lab::Lab::open_or_create(folder.path().string());
    EXPECT_TRUE(identities) << identities.error().message;
    auto started = lab::RunningLab::start(
        io, std::move(*identities), {.socket_folder = sockets.path().string(), .broker_plugin = {}}, *log);
    EXPECT_TRUE(started) << started.error().message;
    lab = std::move(*started);
    client.emplace(io, *lab);
  }

  /// Runs `aws` and expects it to be content. @returns what it says
  std::string aws(const std::vector<std::string>& arguments) {
    const auto result = client->aws(arguments);
    EXPECT_EQ(result.exit_code, 0) << ::testing::PrintToString(arguments) << "\n" << result.out << result.err;
    return result.out;
  }
  /// The same for what answers in JSON, or with nothing.
  nlohmann::json aws_json(const std::vector<std::string>& arguments) {
    const std::string out = aws(arguments);
    return nlohmann::json::parse(out.empty() ? "{}" : out, nullptr, /*allow_exceptions=*/false);
  }
  /// Runs `aws` and expects it to fail. @returns its error
  std::string aws_error(const std::vector<std::string>& arguments) {
    const auto result = client->aws(arguments);
    EXPECT_NE(result.exit_code, 0) << ::testing::PrintToString(arguments) << "\n" << result.out;
    return result.err;
  }

  TempDir folder = TempDir::create().value();
  TempDir sockets = TempDir::create().value();
  boost::asio::io_context io;
  std::unique_ptr<report::EventLog> log = report::EventLog::in_memory();
  std::vector<nlohmann::json> requests;  ///< the events `api_request`
  std::unique_ptr<lab::RunningLab> lab;
  std::optional<AwsClient> client;
};

}  // namespace otasim::rest::test
