#include "tests/sim/rest/aws_client.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "sim/base/child_process.h"
#include "sim/base/file_io.h"

namespace otasim::rest::test {

namespace {

/// Debian's, whatever else is in the path.
constexpr const char* kAws = "/usr/bin/aws";
constexpr const char* kPython = "/usr/bin/python3";
/// A client that takes longer hangs; starting one takes seconds on a busy machine.
constexpr auto kClientLimit = std::chrono::seconds(120);

std::string text_of(const std::string& path) {
  const auto content = read_file(path);
  return content ? std::string(content->begin(), content->end()) : std::string{};
}

}  // namespace

AwsClient::AwsClient(boost::asio::io_context& io, lab::RunningLab& lab)
    : io_(io), endpoint_(fmt::format("https://localhost:{}", lab.https_port())) {
  const lab::AccessKey& key = lab.identities().access_key();
  environment_ = {{"PATH", "/usr/bin:/bin"},
                  {"HOME", folder_.path().string()},
                  {"LANG", "C.UTF-8"},
                  {"AWS_ACCESS_KEY_ID", key.id},
                  {"AWS_SECRET_ACCESS_KEY", key.secret},
                  {"AWS_DEFAULT_REGION", "us-east-1"},
                  {"AWS_CA_BUNDLE", lab.identities().authority().certificate_path},
                  {"AWS_MAX_ATTEMPTS", "1"},
                  {"AWS_EC2_METADATA_DISABLED", "true"},
                  {"AWS_PAGER", ""},
                  {"OTASIM_ENDPOINT", endpoint_}};
}

void AwsClient::set(const std::string& name, const std::string& value) {
  for (auto& [known, old] : environment_) {
    if (known != name) continue;
    old = value;
    return;
  }
  environment_.emplace_back(name, value);
}

ClientResult AwsClient::aws(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {kAws, "--endpoint-url", endpoint_});
  return run(std::move(arguments));
}

ClientResult AwsClient::python(const std::string& script, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {kPython, script});
  return run(std::move(arguments));
}

ClientResult AwsClient::run(std::vector<std::string> command) {
  std::vector<std::string> arguments{"-i"};
  for (const auto& [name, value] : environment_) arguments.push_back(fmt::format("{}={}", name, value));
  arguments.insert(arguments.end(), command.begin(), command.end());
  const std::string out = folder_.file("out");
  const std::string err = folder_.file("err");
  auto child = ChildProcess::spawn(io_, {.program = "/usr/bin/env",
                                         .arguments = std::move(arguments),
                                         .stdout_path = out,
                                         .stderr_path = err,
                                         .working_directory = folder_.path().string()});
  EXPECT_TRUE(child) << child.error().message << "\n" << child.error().hint;
  if (!child) return {};
  std::optional<ChildProcess::ExitStatus> status;
  (*child)->on_exit([&status](ChildProcess::ExitStatus ended) { status = ended; });
  const auto limit = std::chrono::steady_clock::now() + kClientLimit;
  io_.restart();
  while (!status && std::chrono::steady_clock::now() < limit) io_.run_one_until(limit);
  ClientResult result{-1, text_of(out), text_of(err)};
  if (status && !status->signaled) result.exit_code = status->code;
  return result;
}

}  // namespace otasim::rest::test
