// Runs the qualification group on the host, on a device of its own, and reads its report.
#pragma once

#include <set>
#include <string>

#include "pal_sim/pal/pal.h"
#include "sim/report/unity_report.h"
#include "tests/pal_sim/pal/device.h"

namespace pal_test {

struct QualificationRun {
  std::string output;
  otasim::report::UnityReport report;
  int returned = -1;  ///< what RunQualificationTest() returned

  [[nodiscard]] std::set<std::string> failed() const;
};

/// What the bootloader hands over when it starts the committed image.
[[nodiscard]] boot::BootInfo boot_of_slot_a();

/// Provisions `device` with the samples' signer as `otasim pal-test` does.
void provision_test_signer(Device& device);

/// What a Pal that knows the build's code-signing root works with; an ordinary boot of slot A.
[[nodiscard]] pal::Platform qualification_platform(Device& device);

/// Runs the group against whatever stands behind the otaPal_ functions.
[[nodiscard]] QualificationRun run_qualification();

}  // namespace pal_test
