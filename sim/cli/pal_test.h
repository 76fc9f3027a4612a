// `otasim pal-test`: the PAL's qualification group on a board in QEMU.
#pragma once

#include <string>

#include "sim/base/result.h"
#include "sim/lab/boards.h"

namespace otasim::cli {

struct PalTestOptions {
  std::string board = std::string(lab::boards().front().name);
  std::string elf;     ///< another test program
  std::string signer;  ///< another certificate for the device, PEM
  std::string junit;   ///< file to write
  unsigned timeout_seconds = 60;
  bool json = false;
};

/// Prints the group's lines on stdout, the device's other lines on stderr; with `json` all lines on stderr
/// and one object on stdout.
/// @returns kFailed if a case fails or the summary never comes
[[nodiscard]] Result<void> pal_test(const PalTestOptions& options);

}  // namespace otasim::cli
