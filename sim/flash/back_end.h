// What emulates a board's flash, and which faults that can express. This is the one place that says so:
// arming, the choice of scenarios for a board, `otasim boards --faults` and docs/faults.md follow it.
//
//   if (auto possible = check(BackEnd::kSpiNor, board, fault); !possible) ...   // before arming
//   for (const FaultSupport& row : fault_support()) ...                         // the whole table
//
// A fault that is not in the table does not depend on the flash; every back end can express it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "pal_sim/flash/nor_model.h"
#include "sim/base/result.h"
#include "sim/flash/flash_fault.h"

namespace otasim::flash_file {

enum class BackEnd : std::uint8_t {
  kController,  ///< a memory-mapped window whose controller is a plugin of QEMU (the mps2 boards)
  kSpiNor,      ///< QEMU's SPI NOR chip, whose drive the simulator serves (emcraft-sf2)
};

/// "controller", "spi-nor": also the capability that scenarios may need of a board.
[[nodiscard]] std::string_view to_string(BackEnd back_end);

/// The kind of part that a blank flash file is to be.
[[nodiscard]] const flash::Geometry& part_of(BackEnd back_end);

struct Support {
  bool is_possible;
  std::string_view note;  ///< why it is not, or in what it differs; may be empty if it is
};

struct FaultSupport {
  std::string_view fault;
  Support controller;
  Support spi_nor;

  [[nodiscard]] const Support& on(BackEnd back_end) const {
    return back_end == BackEnd::kController ? controller : spi_nor;
  }
};

/// All faults that depend on what emulates the flash, in the order of docs/faults.md.
[[nodiscard]] std::span<const FaultSupport> fault_support();
/// The same of one fault. Possible, without a note, for one that is not in the table.
[[nodiscard]] Support support_of(BackEnd back_end, std::string_view fault);
/// Operations that a back end never sees cannot be struck.
[[nodiscard]] Support support_of(BackEnd back_end, flash::OpKind kind);

/// @returns kUsage, naming board, fault and reason, if the board's flash cannot express it
[[nodiscard]] Result<void> check(BackEnd back_end, std::string_view board, std::string_view fault);
/// The same, of a fault with all that it says.
[[nodiscard]] Result<void> check(BackEnd back_end, std::string_view board, const FlashFault& fault);

}  // namespace otasim::flash_file
