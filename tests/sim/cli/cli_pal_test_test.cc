// `otasim pal-test` as a user and a CI meet it: the qualification group on a board in QEMU, its exit code,
// and what it leaves for others to read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sim/base/json.h"
#include "sim/base/temp_dir.h"
#include "sim/crypto/certificate.h"
#include "tests/sim/cli/program.h"

namespace {

using otasim::TempDir;
using otasim::test::Outcome;
using otasim::test::Program;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kCases = 15;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

class PalTestCommand : public testing::Test {
 protected:
  PalTestCommand() { std::filesystem::create_directory(folder.file("tmp")); }
  ~PalTestCommand() override {
    EXPECT_TRUE(std::filesystem::is_empty(folder.file("tmp"))) << "the scratch device is gone";
  }

  [[nodiscard]] std::vector<std::string> environment() const { return {"TMPDIR=" + folder.file("tmp")}; }
  [[nodiscard]] Outcome run(std::vector<std::string> options) const {
    options.insert(options.begin(), "pal-test");
    return otasim::test::run(options, environment());
  }
  [[nodiscard]] std::string text_of(const std::string& file) const {
    std::ifstream in(folder.file(file), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// A code signer's certificate that the devices' code-signing root did not issue.
  [[nodiscard]] std::string self_signed_signer() const {
    const auto key = otasim::crypto::P256Key::generate().value();
    const auto certificate =
        otasim::crypto::Certificate::self_signed({.common_name = "impostor",
                                                  .purpose = otasim::crypto::Purpose::kCodeSigner,
                                                  .dns_names = {},
                                                  .ip_addresses = {}},
                                                 key)
            .value();
    std::ofstream(folder.file("signer.pem")) << certificate.pem();
    return folder.file("signer.pem");
  }

  TempDir folder = TempDir::create().value();
};

TEST_F(PalTestCommand, ThePalQualifiesOnTheBoard) {
  const Outcome outcome = run({"--junit", folder.file("junit.xml")});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(count(outcome.out, ":PASS\n"), kCases) << outcome.out;
  EXPECT_THAT(outcome.out, HasSubstr("TEST(Full_OTA_PAL, otaPal_CloseFile_ValidSignature):PASS\n"));
  EXPECT_THAT(outcome.out, HasSubstr("15 Tests 0 Failures 0 Ignored\nOK\n"));
  EXPECT_THAT(outcome.out, Not(HasSubstr("boot:"))) << "results only";
  EXPECT_THAT(outcome.err, HasSubstr("app: otasim qualification"));

  const std::string junit = text_of("junit.xml");
  EXPECT_THAT(junit, HasSubstr("<testsuite name=\"otasim.pal-test.mps2-an385\" tests=\"15\" failures=\"0\" "
                               "errors=\"0\" skipped=\"0\""));
  EXPECT_EQ(count(junit, "<testcase classname=\"Full_OTA_PAL\" name=\"otaPal_"), kCases) << junit;
  EXPECT_THAT(junit, Not(HasSubstr("<failure")));
}

TEST_F(PalTestCommand, ASignerOfAnotherRootFails) {
  const Outcome outcome = run({"--signer", self_signed_signer(), "--junit", folder.file("junit.xml")});
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("the PAL does not qualify: 4 of 15 tests failed"));
  EXPECT_THAT(outcome.out,
              HasSubstr("otaPal_CloseFile_ValidSignature):FAIL: Expected 0x00000000 Was 0x000000e7"))
      << "OtaPalBadSignerCert";
  EXPECT_THAT(outcome.out, HasSubstr("15 Tests 4 Failures 0 Ignored\nFAIL\n"));
  const std::string junit = text_of("junit.xml");
  EXPECT_THAT(junit, HasSubstr("tests=\"15\" failures=\"4\""));
  EXPECT_THAT(junit, HasSubstr("name=\"otaPal_CloseFile_ValidSignature\"><failure message=\"Expected"));
}

TEST_F(PalTestCommand, JsonIsOneObjectOnStdout) {
  const Outcome outcome = run({"--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto result = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(result["board"], "mps2-an385");
  EXPECT_EQ(result["passed"], true);
  ASSERT_EQ(result["cases"].size(), kCases);
  EXPECT_EQ(result["cases"][0]["name"], "otaPal_CloseFile_ValidSignature");
  EXPECT_THAT(outcome.err, HasSubstr(":PASS")) << "for whoever watches";
}

TEST_F(PalTestCommand, AProgramWithoutASummaryFailsAtTheLimit) {
  const Outcome outcome =
      run({"--elf", OTASIM_DEMO_ELF, "--timeout", "1", "--junit", folder.file("junit.xml")});
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("the PAL's tests did not end: no end within 1 s"));
  EXPECT_THAT(outcome.err, HasSubstr("The device's last lines:"));
  EXPECT_THAT(outcome.err, HasSubstr("    app: otasim demo 0.9.1, slot A"));
  const std::string junit = text_of("junit.xml");
  EXPECT_THAT(junit, HasSubstr("tests=\"1\" failures=\"0\" errors=\"1\""));
  EXPECT_THAT(junit, HasSubstr("<error message=\"no end within 1 s\"/>"));
}

TEST_F(PalTestCommand, CtrlCLeavesNothingBehind) {
  Program program({"pal-test", "--elf", OTASIM_DEMO_ELF}, environment());
  ASSERT_TRUE(program.wait_for("app: otasim demo"));
  const pid_t qemu = program.child("qemu-system-arm");
  ASSERT_GT(qemu, 0);
  program.send(SIGINT);
  EXPECT_EQ(program.finish().code, 130);
  EXPECT_NE(kill(qemu, 0), 0);
}

/// An otasim whose build was given a code-signing root without its private key.
class WithoutTheRootsKey : public PalTestCommand {
 protected:
  WithoutTheRootsKey() {
    namespace fs = std::filesystem;
    const fs::path build = fs::path(OTASIM_PROGRAM).parent_path().parent_path();
    for (const char* made : {"bin", "keys"}) fs::create_directory(folder.file(made));
    fs::copy_file(OTASIM_PROGRAM, folder.file("bin/otasim"));  // it finds its files beside itself
    for (const char* used : {"lib", "firmware", "scenarios"})
      fs::create_symlink(build / used, folder.file(used));
    for (const auto& key : fs::directory_iterator(build / "keys")) {
      if (key.path().filename() == "code_signing_root_key.pem") continue;
      fs::create_symlink(key.path(), fs::path(folder.file("keys")) / key.path().filename());
    }
  }

  /// Runs it. @returns its exit code and all its output
  [[nodiscard]] std::pair<int, std::string> run_it(const std::string& arguments) const {
    const std::string command =
        "TMPDIR=" + folder.file("tmp") + " " + folder.file("bin/otasim") + " " + arguments + " 2>&1";
    FILE* const pipe = popen(command.c_str(), "r");
    std::string output;
    for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) output += static_cast<char>(c);
    const int status = pclose(pipe);
    return {WEXITSTATUS(status), output};
  }
};

TEST_F(WithoutTheRootsKey, ThePalIsTestedAllTheSame) {
  const auto [code, output] = run_it("pal-test");
  EXPECT_EQ(code, 0) << output;
  EXPECT_THAT(output, HasSubstr("15 Tests 0 Failures 0 Ignored\nOK\n"));
}

TEST_F(WithoutTheRootsKey, ALabSaysHowToGiveItASigner) {
  const auto [code, output] = run_it("demo --quiet --out " + folder.file("run"));
  EXPECT_EQ(code, 3) << output;
  EXPECT_THAT(output, HasSubstr("the code-signing root's private key cannot be read"));
  EXPECT_THAT(output, HasSubstr("code-signer.key.pem, code-signer.cert.pem"));
  const auto [doctor_code, checks] = run_it("doctor");
  EXPECT_EQ(doctor_code, 3);
  EXPECT_THAT(checks, HasSubstr("FAIL  code-signing root"));
}

TEST_F(PalTestCommand, WrongFilesAreUsageErrors) {
  EXPECT_EQ(run({"--signer", folder.file("none.pem")}).code, 2);
  EXPECT_EQ(run({"--elf", folder.file("none.elf")}).code, 2);
  std::ofstream(folder.file("text.pem")) << "no certificate";
  const Outcome outcome = run({"--signer", folder.file("text.pem")});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("text.pem' is not a PEM certificate"));
  EXPECT_EQ(run({"--board", "none"}).code, 2);
}

}  // namespace
