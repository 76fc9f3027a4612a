#include "sim/debug/gdb_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"

namespace otasim::debug {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(GdbScript, QuotesPaths) {
  const std::string script = set_up_script({.bootloader = "/a b/boot.elf",
                                            .application = R"(/c"d/app.elf)",
                                            .source_folders = {"/sources"},
                                            .extension = "/x.py",
                                            .program = "otasim",
                                            .flash = "/run/flash.bin"});
  EXPECT_THAT(script, HasSubstr("file \"/a b/boot.elf\"\n"));
  EXPECT_THAT(script, HasSubstr(R"(application="/c\"d/app.elf", is_live=True)"));
}

TEST(GdbScript, QuotesFurtherSymbolsOfAReplay) {
  const std::string script = set_up_script({.symbols = {"/a b/one.elf", "/two.elf"}, .is_live = false});
  EXPECT_THAT(script, HasSubstr("add-symbol-file \"/a b/one.elf\"\nadd-symbol-file \"/two.elf\"\n"));
  EXPECT_THAT(script, HasSubstr("application=\"\", is_live=False)"));
}

TEST(GdbScript, ContinuesOnlyToAPlace) {
  EXPECT_THAT(attach_script("/set-up", "127.0.0.1:1234", true),
              HasSubstr("target remote 127.0.0.1:1234\ncontinue\n"));
  EXPECT_THAT(attach_script("/set-up", "/tmp/gdb.sock", false),
              testing::EndsWith("target remote /tmp/gdb.sock\n"));
}

class LaunchConfiguration : public ::testing::Test {
 protected:
  Result<std::string> write(const std::string& name, int port) {
    return write_launch_configuration(folder.path().string(), name, "/boot.elf", "/run/debug-setup.gdb",
                                      "127.0.0.1:" + std::to_string(port));
  }
  json content() const {
    std::ifstream in(folder.path() / ".vscode" / "launch.json");
    return json::parse(in);
  }
  TempDir folder = *TempDir::create();
};

TEST_F(LaunchConfiguration, TellsTheEditorWhereToConnect) {
  ASSERT_TRUE(write("otasim: a", 4711));
  const json configuration = content()["configurations"][0];
  EXPECT_EQ(configuration["type"], "cppdbg");
  EXPECT_EQ(configuration["miDebuggerPath"], "gdb-multiarch");
  EXPECT_EQ(configuration["miDebuggerServerAddress"], "127.0.0.1:4711");
  EXPECT_EQ(configuration["setupCommands"][0]["text"], "source /run/debug-setup.gdb");
}

TEST_F(LaunchConfiguration, ReplacesItsOwnAndKeepsOthers) {
  std::filesystem::create_directories(folder.path() / ".vscode");
  std::ofstream(folder.path() / ".vscode" / "launch.json")
      << R"({"version": "0.2.0", "configurations": [{"name": "mine"}], "compounds": []})";
  ASSERT_TRUE(write("otasim: a", 1));
  ASSERT_TRUE(write("otasim: a", 2));
  const json file = content();
  ASSERT_EQ(file["configurations"].size(), 2U);
  EXPECT_EQ(file["configurations"][0]["name"], "mine");
  EXPECT_EQ(file["configurations"][1]["miDebuggerServerAddress"], "127.0.0.1:2");
  EXPECT_TRUE(file.contains("compounds"));
}

TEST_F(LaunchConfiguration, DoesNotLoseComments) {
  std::filesystem::create_directories(folder.path() / ".vscode");
  const auto path = folder.path() / ".vscode" / "launch.json";
  std::ofstream(path) << "{ // mine\n \"configurations\": [] }";
  const auto written = write("otasim: a", 1);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ExitCode::kUsage);
  std::ifstream in(path);
  const std::string kept{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(kept, HasSubstr("// mine"));
}

}  // namespace
}  // namespace otasim::debug
