// A command without a lab to talk to, and with one that ends.
#include "sim/control/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "sim/base/temp_dir.h"
#include "sim/control/server.h"
#include "sim/lab/lab_folder.h"

namespace otasim::control {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(CallLab, SaysThatNoLabRunsAndHowToStartOne) {
  const TempDir folder = TempDir::create().value();
  for (const std::string& lab : {folder.file("missing"), folder.path().string()}) {
    const auto result = call_lab(lab, {"device.list"});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ExitCode::kEnvironment);
    EXPECT_EQ(result.error().message, "no lab is running in '" + lab + "'");
    EXPECT_THAT(result.error().hint, HasSubstr("otasim up --lab '" + lab + "'"));
  }
}

/// A lab's folder with a server that does as the test says.
class RunningServer : public testing::Test {
 protected:
  void serve(Server::Handler handler) {
    server_ = Server::listen(io_, lab_->control_socket(), std::move(handler)).value();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~RunningServer() override {
    boost::asio::post(io_, [this] { server_.reset(); });
    if (thread_.joinable()) thread_.join();
  }

  TempDir folder_ = TempDir::create().value();
  std::string path_ = folder_.file("lab");
  boost::asio::io_context io_;
  std::unique_ptr<lab::LabFolder> lab_ = lab::LabFolder::claim(io_, path_).value();
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

TEST_F(RunningServer, GivesOutputAndResult) {
  serve([](const Request& request, const std::shared_ptr<Reply>& reply) {
    reply->output(request.command);
    reply->output(request.arguments);
    reply->result("end");
  });
  std::vector<json> parts;
  const auto result = call_lab(path_, {"x.y", {{"a", 1}}}, [&](const json& part) { parts.push_back(part); });
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(*result, "end");
  EXPECT_THAT(parts, ElementsAre(json("x.y"), json{{"a", 1}}));
}

TEST_F(RunningServer, GivesTheLabsError) {
  serve([](const Request&, const std::shared_ptr<Reply>& reply) {
    reply->error({ExitCode::kUsage, "no", "try yes"});
  });
  const auto result = call_lab(path_, {"x"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kUsage);
  EXPECT_EQ(result.error().message, "no");
  EXPECT_EQ(result.error().hint, "try yes");
}

TEST_F(RunningServer, SaysThatTheLabHasEnded) {
  serve([this](const Request&, const std::shared_ptr<Reply>&) {
    boost::asio::post(io_, [this] { server_.reset(); });
  });
  const auto result = call_lab(path_, {"x"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(result.error().message, HasSubstr("has ended"));
}

TEST_F(RunningServer, AnAddressThatALabLeftBehindIsNoLab) {
  serve([](const Request&, const std::shared_ptr<Reply>&) {});
  boost::asio::post(io_, [this] { server_.reset(); });
  thread_.join();
  const auto result = call_lab(path_, {"x"});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("no lab is running"));
}

}  // namespace
}  // namespace otasim::control
