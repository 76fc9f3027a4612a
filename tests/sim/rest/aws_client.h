// AWS's own clients against a lab: the `aws` command line and Python with boto3, unmodified.
//
//   AwsClient client(io, lab);
//   auto listed = client.aws({"s3", "ls", "s3://firmware"});
//   EXPECT_EQ(listed.exit_code, 0) << listed.err;
//
// They get what a user is told to set: endpoint, key, region and the lab's CA; nothing of the machine's own
// configuration, and one attempt for each request. Calls run the io_context, and the lab with it, until the
// client has ended.
#pragma once

#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/lab/running_lab.h"

namespace otasim::rest::test {

struct ClientResult {
  int exit_code = -1;  ///< -1: it was ended, or never came to an end
  std::string out;
  std::string err;
};

class AwsClient {
 public:
  AwsClient(boost::asio::io_context& io, lab::RunningLab& lab);

  /// `aws --endpoint-url ... ARGUMENTS`
  ClientResult aws(std::vector<std::string> arguments);
  /// `python3 SCRIPT ARGUMENTS`; the endpoint is in OTASIM_ENDPOINT.
  ClientResult python(const std::string& script, std::vector<std::string> arguments = {});

  /// Another value for a variable of the environment, from now on.
  void set(const std::string& name, const std::string& value);
  /// A path in a folder of the client's own.
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }

 private:
  ClientResult run(std::vector<std::string> command);

  boost::asio::io_context& io_;
  std::string endpoint_;
  std::vector<std::pair<std::string, std::string>> environment_;
  TempDir folder_ = TempDir::create().value();
};

}  // namespace otasim::rest::test
