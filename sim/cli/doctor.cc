#include "sim/cli/doctor.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "sim/base/child_process.h"
#include "sim/base/temp_dir.h"
#include "sim/crypto/key.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"
#include "sim/lab/lab.h"

namespace otasim::cli {
namespace {

struct Check {
  std::string name;
  std::string found;    ///< what it is, if it is there
  std::string problem;  ///< empty if all is well
  std::string hint;
};

template <typename T, typename Describe>
Check check(std::string name, const Result<T>& result, Describe describe) {
  if (result) return {std::move(name), describe(*result), {}, {}};
  return {std::move(name), {}, result.error().message, result.error().hint};
}

std::vector<Check> run_checks() {
  const auto same = [](const std::string& path) { return path; };
  std::vector<Check> checks;
  checks.push_back(check("emulator", find_program("qemu-system-arm"), same));
  checks.push_back(check("broker", find_program("mosquitto"), same));
  const auto elf_of = [](const lab::BuildProducts& found) { return found.application_elf; };
  for (const lab::Board& board : lab::boards()) {
    checks.push_back(check(fmt::format("firmware, {}", board.name),
                           lab::BuildProducts::find(std::string(board.name)), elf_of));
  }
  const Result<lab::BuildProducts> products =
      lab::BuildProducts::find(std::string(lab::boards().front().name));
  if (products) {
    checks.push_back(check("image-signing key", crypto::P256Key::load_private(products->boot_signing_key),
                           [&products](const auto&) { return products->boot_signing_key; }));
    checks.push_back(check("device key", lab::load_device_key(products->device_key),
                           [&products](const auto&) { return products->device_key; }));
  }
  checks.push_back(check("code-signing root", lab::check_code_signing_root(), same));
  checks.push_back(check("temporary folder", TempDir::create(),
                         [](const TempDir& folder) { return folder.path().parent_path().string(); }));
  return checks;
}

}  // namespace

Result<void> doctor(bool as_json) {
  bool is_well = true;
  nlohmann::json list = nlohmann::json::array();
  for (const Check& c : run_checks()) {
    const bool ok = c.problem.empty();
    is_well = is_well && ok;
    if (as_json) {
      list.push_back(
          {{"check", c.name}, {"ok", ok}, {"found", c.found}, {"problem", c.problem}, {"hint", c.hint}});
    } else if (ok) {
      fmt::print("ok    {:<22} {}\n", c.name, c.found);
    } else {
      fmt::print("WRONG {:<22} {}\n      {:<22} {}\n", c.name, c.problem, "", c.hint);
    }
  }
  if (as_json) fmt::print("{}\n", nlohmann::json{{"ok", is_well}, {"checks", list}}.dump());
  if (is_well) return {};
  return fail(ExitCode::kEnvironment, "not everything a run needs is here (see above)",
              "scripts/setup and scripts/build make it so.");
}

}  // namespace otasim::cli
