// The command line without a device: images, help, and what a wrong command line is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/crypto/key.h"
#include "tests/sim/cli/program.h"

namespace {

using otasim::TempDir;
using otasim::test::Outcome;
using otasim::test::run;
using testing::HasSubstr;

class Cli : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) {
    std::ofstream(folder.file(name), std::ios::binary) << content;
    return folder.file(name);
  }
  std::string new_key(const std::string& name) {
    return write(name, otasim::crypto::P256Key::generate().value().private_pem());
  }
  TempDir folder = TempDir::create().value();
};

TEST_F(Cli, HelpAndVersionGoToStdout) {
  const Outcome help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, HasSubstr("demo"));
  EXPECT_THAT(help.out, HasSubstr("Exit codes"));
  EXPECT_EQ(help.err, "");
  const Outcome version = run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, HasSubstr("otasim "));
}

TEST_F(Cli, AWrongCommandLineExitsWith2) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{},
                                                    {"nonsense"},
                                                    {"demo", "--nonsense"},
                                                    {"image"},
                                                    {"image", "sign"},
                                                    {"demo", "--board", "z80"},
                                                    {"demo", "--mqtt-port", "65536"},
                                                    {"demo", "--mqtt-port", "x"}}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << testing::PrintToString(arguments);
    EXPECT_NE(outcome.err, "");
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(Cli, ASignedImageVerifiesWithItsKeyOnly) {
  const std::string key = new_key("key.pem");
  const std::string bin = write("app.bin", std::string(1000, 'x'));
  const std::string out = folder.file("app.img");
  const Outcome made =
      run({"image", "sign", "--bin", bin, "--version", "2.3.4", "--key", key, "--out", out, "--json"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(nlohmann::json::parse(made.out)["version"], "2.3.4");
  const Outcome good = run({"image", "verify", out, "--key", key, "--json"});
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_EQ(nlohmann::json::parse(good.out)["verified"], true);
  const Outcome other = run({"image", "verify", out, "--key", new_key("other.pem")});
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.err, HasSubstr("another key"));
}

TEST_F(Cli, AnEncryptedImageOpensWithItsKeyOnly) {
  const std::string key = new_key("key.pem");
  const std::string device = new_key("device.pem");
  const std::string other = new_key("other.pem");
  const std::string image = folder.file("app.img");
  const Outcome made =
      run({"image", "sign", "--bin", write("app.bin", std::string(1000, 'a')), "--version", "1.2.3", "--key",
           key, "--encrypt", "--encryption-key", device, "--out", image, "--json"});
  ASSERT_EQ(made.code, 0) << made.err;
  const auto described = nlohmann::json::parse(made.out);
  EXPECT_EQ(described.at("encrypted"), true);
  EXPECT_EQ(described.at("kind"), "application");
  EXPECT_EQ(run({"image", "verify", image, "--key", key, "--decryption-key", device}).code, 0);
  const Outcome refused = run({"image", "verify", image, "--key", key, "--decryption-key", other});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("encrypted to another key"));
}

TEST_F(Cli, ARecoveryImageAndRevokedKeysAreTold) {
  const std::string image = folder.file("recovery.img");
  const Outcome made =
      run({"image", "sign", "--bin", write("app.bin", std::string(100, 'a')), "--version", "1.2.3", "--key",
           new_key("key.pem"), "--recovery", "--revoke-key", "0", "--revoke-key", "3", "--out", image});
  ASSERT_EQ(made.code, 0) << made.err;
  const auto described = nlohmann::json::parse(run({"image", "info", image, "--json"}).out);
  EXPECT_EQ(described.at("kind"), "recovery");
  EXPECT_EQ(described.at("revoked_keys"), nlohmann::json({0, 3}));
  EXPECT_EQ(run({"image", "sign", "--bin", folder.file("app.bin"), "--version", "1.2.3", "--revoke-key", "16",
                 "--out", image})
                .code,
            2);
}

TEST_F(Cli, BadInputIsNamedAndLeavesNoFile) {
  const std::string key = new_key("key.pem");
  const std::string bin = write("app.bin", "abc");
  const std::string out = folder.file("out.img");
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  const std::vector<Case> cases = {
      {{"--bin", bin, "--version", "1.2"}, "'1.2' is not a version"},
      {{"--elf", bin, "--version", "1.2.3"}, "no ELF header"},
      {{"--elf", "/nonexistent", "--version", "1.2.3"}, "/nonexistent"},
      {{"--bin", write("empty", ""), "--version", "1.2.3"}, "is empty"},
      {{"--bin", write("large", std::string(4 << 20, 'x')), "--version", "1.2.3"}, "a slot holds"},
  };
  for (const Case& c : cases) {
    std::vector<std::string> arguments{"image", "sign", "--key", key, "--out", out};
    arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(c.message));
    EXPECT_FALSE(std::filesystem::exists(out));
  }
}

TEST_F(Cli, AFailedSignKeepsTheOldFile) {
  const std::string out = write("out.img", "old");
  const Outcome outcome = run({"image", "sign", "--bin", write("app.bin", "abc"), "--version", "nope",
                               "--key", new_key("key.pem"), "--out", out});
  EXPECT_EQ(outcome.code, 2);
  std::ifstream in(out);
  std::string content;
  in >> content;
  EXPECT_EQ(content, "old");
}

TEST_F(Cli, AFileThatIsNoImageIsRefused) {
  for (const char* command : {"info", "verify"}) {
    const Outcome outcome = run({"image", command, write("text", "hello, this is text")});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("not an image in MCUboot's format"));
  }
}

}  // namespace
