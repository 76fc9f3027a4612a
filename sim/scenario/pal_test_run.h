// The PAL's qualification group on a board: a scratch device that runs a test program once, without a
// network.
//
// The device is made in a temporary folder, provisioned as one of a lab, with the test signer's certificate
// beside the lab's, and started by its bootloader like any other. The run ends when the program has printed
// its summary, when the device goes off, resets or stops instead, at the limit, or on Ctrl-C. Process and
// folder are gone when it returns.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/result.h"
#include "sim/lab/build_products.h"
#include "sim/report/unity_report.h"

namespace otasim::scenario {

struct PalTestPlan {
  std::string board;
  lab::BuildProducts products;
  std::vector<std::uint8_t> image;   ///< the test program, signed
  std::vector<std::uint8_t> signer;  ///< certificate of the samples' signer, DER
  unsigned limit_seconds = 60;
  /// Hears each console line; `is_result` for those of the group's report.
  std::function<void(std::string_view line, bool is_result)> on_line = {};
};

struct PalTestOutcome {
  report::UnityReport report;
  std::vector<std::string> console;  ///< all lines
  std::string problem;               ///< why there was no summary; empty if there was one
  std::int64_t wall_ms = 0;
};

/// A group that fails, or never ends, is an outcome, not an error.
/// @returns kEnvironment  a tool or file is missing
///          kInterrupted  Ctrl-C or SIGTERM
[[nodiscard]] Result<PalTestOutcome> run_pal_test(const PalTestPlan& plan);

}  // namespace otasim::scenario
