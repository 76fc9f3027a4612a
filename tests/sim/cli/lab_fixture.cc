#include "tests/sim/cli/lab_fixture.h"

#include <signal.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace otasim::test {

namespace fs = std::filesystem;
using nlohmann::json;

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::unique_ptr<Program> LabTest::start_lab(std::vector<std::string> more) {
  more.insert(more.begin(), {"up", "--json"});
  auto up = std::make_unique<Program>(more, environment());
  if (!up->wait_for_output("mqtt_port"))
    throw std::runtime_error("the lab did not start: " + up->finish().err);
  return up;
}

json LabTest::ok(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const Outcome outcome = otasim(arguments);
  EXPECT_EQ(outcome.code, 0) << testing::PrintToString(arguments) << outcome.err;
  return json::parse(outcome.out, nullptr, false);
}

json LabTest::device(const std::string& name) {
  for (const json& one : ok({"device", "list"})) {
    if (one["name"] == name) return one;
  }
  return {};
}

std::string LabTest::long_image() {
  const fs::path program = OTASIM_PROGRAM;
  std::string bin = content(program.parent_path().parent_path() / "firmware/demo-mps2-an385.bin");
  bin.append(1'500'000, '\0');
  std::ofstream(folder.file("long.bin"), std::ios::binary) << bin;
  const std::string image = folder.file("long.img");
  ok({"image", "sign", "--bin", folder.file("long.bin"), "--version", "1.1.0", "--out", image});
  return image;
}

void LabTest::end_lab(Program& up) {
  const std::vector<pid_t> children = up.children();
  up.send(SIGINT);
  const Outcome outcome = up.finish();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(fs::is_empty(folder.file("tmp"))) << "the temporary folder is still there";
  for (const pid_t pid : children) EXPECT_NE(kill(pid, 0), 0) << "child " << pid << " outlived the lab";
}

}  // namespace otasim::test
