// One lab to a folder, and nothing of a killed one is left after the next start.
#include "sim/lab/lab_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"

namespace otasim::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class LabFolderTest : public testing::Test {
 protected:
  Result<std::unique_ptr<LabFolder>> claim() {
    // Each lab is another process in life: it has an io_context of its own.
    contexts.push_back(std::make_unique<boost::asio::io_context>());
    return LabFolder::claim(*contexts.back(), path);
  }
  nlohmann::json state() {
    nlohmann::json content;
    std::ifstream(path + "/lab.json") >> content;
    return content;
  }
  void write_state(const nlohmann::json& content) { std::ofstream(path + "/lab.json") << content; }

  TempDir parent = TempDir::create().value();
  std::string path = parent.file("lab");
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts;
};

TEST_F(LabFolderTest, IsMadeForItsUserOnlyWithATemporaryFolderThatIsWrittenDown) {
  const auto lab = claim().value();
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  EXPECT_TRUE(fs::is_directory(lab->temporary()));
  EXPECT_EQ(state()["running"]["temporary_folder"], lab->temporary());
  EXPECT_EQ(state()["running"]["pid"], ::getpid());
  EXPECT_EQ(LabFolder::control_socket(path).value(), lab->control_socket());
}

TEST_F(LabFolderTest, ItsEndLeavesNoTemporaryFolderAndNoAddress) {
  auto lab = claim().value();
  const std::string temporary = lab->temporary();
  lab.reset();
  EXPECT_FALSE(fs::exists(temporary));
  EXPECT_FALSE(state().contains("running"));
  const auto socket = LabFolder::control_socket(path);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().message, "no lab is running in '" + path + "'");
}

TEST_F(LabFolderTest, HoldsOneLabAtATimeAndNamesTheOther) {
  auto lab = claim().value();
  const auto second = claim();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ExitCode::kEnvironment);
  EXPECT_THAT(second.error().message, HasSubstr("already running in '" + path + "'"));
  EXPECT_THAT(second.error().message, HasSubstr("pid " + std::to_string(::getpid())));
  EXPECT_TRUE(fs::is_directory(lab->temporary())) << "the second start has harmed the first";
  lab.reset();
  contexts.clear();
  EXPECT_TRUE(claim());
}

TEST_F(LabFolderTest, KeepsTheMqttPort) {
  auto lab = claim().value();
  EXPECT_EQ(lab->ports(), LabPorts());
  ASSERT_TRUE(lab->keep_ports({.mqtt = 4711, .https = 4712, .jobs = 4713, .alpn = 4714}));
  lab.reset();
  contexts.clear();
  EXPECT_EQ(claim().value()->ports(), (LabPorts{.mqtt = 4711, .https = 4712, .jobs = 4713, .alpn = 4714}));
}

TEST_F(LabFolderTest, RemovesWhatAKilledLabLeft) {
  claim().value().reset();
  contexts.clear();
  const std::string left_over = parent.file("otasim-leftover");
  fs::create_directory(left_over);
  std::ofstream(left_over + "/mosquitto.log") << "x";
  write_state({{"format", 1}, {"mqtt_port", 1}, {"running", {{"temporary_folder", left_over}}}});
  const auto lab = claim().value();
  EXPECT_FALSE(fs::exists(left_over));
  EXPECT_NE(lab->temporary(), left_over);
}

TEST_F(LabFolderTest, RemovesNothingThatIsNoTemporaryFolderOfALab) {
  claim().value().reset();
  const std::string precious = parent.file("precious");
  const std::string link = parent.file("otasim-link");
  fs::create_directory(precious);
  std::ofstream(precious + "/file") << "x";
  fs::create_directory_symlink(precious, link);
  for (const std::string& named : {precious, link, std::string("/"), std::string("")}) {
    contexts.clear();
    write_state({{"format", 1}, {"mqtt_port", 1}, {"running", {{"temporary_folder", named}}}});
    EXPECT_TRUE(claim());
    EXPECT_TRUE(fs::exists(precious + "/file")) << named;
  }
}

TEST_F(LabFolderTest, DoesNotTakeAFolderThatHoldsOtherThings) {
  fs::create_directory(path);
  std::ofstream(path + "/thesis.tex") << "x";
  const auto refused = claim();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ExitCode::kUsage);
  EXPECT_THAT(refused.error().message, HasSubstr("holds other things than a lab"));
  EXPECT_EQ(std::distance(fs::directory_iterator(path), {}), 1);
}

TEST_F(LabFolderTest, TakesAnEmptyFolderAndOneWhereALabHadJustBegun) {
  fs::create_directory(path);
  EXPECT_TRUE(claim());
  contexts.clear();
  fs::remove(path + "/lab.json");
  EXPECT_TRUE(claim());
}

TEST_F(LabFolderTest, ADamagedStateIsRefusedByItsPath) {
  claim().value().reset();
  for (const char* content : {"", "[]", "{}", R"({"format": 2, "mqtt_port": 1})", R"({"format": 1})",
                              R"({"format": 1, "mqtt_port": 65536})"}) {
    contexts.clear();
    std::ofstream(path + "/lab.json") << content;
    const auto refused = claim();
    ASSERT_FALSE(refused) << content;
    EXPECT_EQ(refused.error().code, ExitCode::kEnvironment);
    EXPECT_THAT(refused.error().message, HasSubstr(path + "/lab.json"));
  }
}

}  // namespace
}  // namespace otasim::lab
