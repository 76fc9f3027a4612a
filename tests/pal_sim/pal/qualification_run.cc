#include "tests/pal_sim/pal/qualification_run.h"

#include <sstream>

#include "agent/pal_test/ota_pal_test.h"
#include "agent/pal_test/pal_test_port.h"
#include "agent/pal_test/qualification_test.h"
#include "agent/pal_test/test_param_config.h"
#include "boot_keys.h"
#include "pal_test_signers.h"

namespace {

std::string& captured() {
  static std::string text;
  return text;
}

}  // namespace

extern "C" void pal_test_output_char(char c) {
  captured() += c;
}

extern "C" void SetupOtaPalTestParam(OtaPalTestParam_t* param) {
  param->pageSize = flash::kPageSize;
}

namespace pal_test {

std::set<std::string> QualificationRun::failed() const {
  std::set<std::string> names;
  for (const auto& one : report.cases()) {
    if (one.result == otasim::report::UnityCase::Result::kFailed) names.insert(one.name);
  }
  return names;
}

boot::BootInfo boot_of_slot_a() {
  boot::BootInfo boot_info{};
  boot_info.slot = boot::Slot::kA;
  return boot_info;
}

void provision_test_signer(Device& device) {
#ifdef OTASIM_PAL_RSA
  device.settings().code_signers[0] = {OTA_PAL_CERTIFICATE_FILE, pal_test_signers::kRsa};
#else
  device.settings().code_signers[0] = {OTA_PAL_CERTIFICATE_FILE, pal_test_signers::kEcdsa};
#endif
}

pal::Platform qualification_platform(Device& device) {
  static const boot::BootInfo boot_info = boot_of_slot_a();
  const pal::Platform platform = device.platform(boot_info, {});
  return {.flash = platform.flash,
          .updates = platform.updates,
          .settings = platform.settings,
          .boot_info = boot_info,
          .code_signing_root = boot_keys::kCodeSigningRoot,
          .load_region = platform.load_region,
          .reset = {}};
}

QualificationRun run_qualification() {
  captured().clear();
  QualificationRun run;
  run.returned = RunQualificationTest();
  run.output = captured();
  std::istringstream lines(run.output);
  for (std::string line; std::getline(lines, line);) run.report.add_line(line);
  return run;
}

}  // namespace pal_test
