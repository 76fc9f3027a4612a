// `otasim demo`: one device, one update, from power-on to SUCCEEDED.
#pragma once

#include <cstdint>
#include <string>

#include "sim/base/result.h"
#include "sim/cli/transfer_options.h"

namespace otasim::cli {

struct DemoOptions {
  std::string board = "mps2-an385";
  std::string from = "1.0.0";
  std::string to = "1.1.0";
  std::string image;    ///< a signed image to update to, instead of the demo application
  std::string elf;      ///< an application to sign as `to` and update to
  std::string variant;  ///< of the demo application, to sign as `to` and update to
  TransferOptions transfer;
  std::string out;  ///< run folder; empty: a new one below otasim-runs/
  std::uint16_t mqtt_port = 0;
  std::uint64_t seed = 1;
  unsigned limit_seconds = 120;
  bool no_recovery = false;  ///< the device's recovery slot stays empty
  bool keylog = false;       ///< log the TLS secrets
  bool json = false;
  bool quiet = false;
};

[[nodiscard]] Result<void> demo(const DemoOptions& options);

}  // namespace otasim::cli
