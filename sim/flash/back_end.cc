#include "sim/flash/back_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "sim/flash/at_rest.h"

namespace otasim::flash_file {
namespace {

constexpr Support kYes{true, ""};

constexpr Support yes(std::string_view note) {
  return {true, note};
}
constexpr Support no(std::string_view why) {
  return {false, why};
}

constexpr Support kNoStatus =
    no("the drive sees results, not commands: the chip's status is QEMU's, and never tells of a failure");

constexpr std::array kFaults{
    FaultSupport{
        "flash.power_cut", kYes,
        yes("the guest runs on for the microseconds until the drive has seen the operation; bytes are "
            "those between the first and the last that the program changes")},
    FaultSupport{"flash.program_failure", kYes, kNoStatus},
    FaultSupport{"flash.erase_failure", kYes, kNoStatus},
    FaultSupport{
        "flash.silent_drop", kYes,
        no("QEMU's chip keeps the whole content itself, and would read back what was dropped until the "
           "next power-on")},
    FaultSupport{"flash.stuck_bits", kYes, yes("the guest reads them from the next power-on")},
    FaultSupport{"flash.worn", kYes, kNoStatus},
    FaultSupport{"flash.busy", kYes, no("the chip's busy flag is QEMU's, and never shows")},
    FaultSupport{kStrictName, kYes, no("the chip's cells are no memory that the processor could store into")},
    FaultSupport{"flash.read_disturb", kYes,
                 no("QEMU's chip answers reads from memory of its own; the drive is read once, at power-on")},
    FaultSupport{kBitRotName, kYes, kYes},
    FaultSupport{kDestroyName, kYes, kYes},
    FaultSupport{"device.reset_at_instruction", kYes,
                 no("what counts instructions is the flash controller's plugin")},
};

std::optional<flash::OpKind> kind_of(const FlashFault& fault) {
  return std::visit(
      [](const auto& one) -> std::optional<flash::OpKind> {
        if constexpr (requires { one.operations; }) {
          return one.operations.kind;
        } else {
          return std::nullopt;
        }
      },
      fault);
}

}  // namespace

std::string_view to_string(BackEnd back_end) {
  return back_end == BackEnd::kController ? "controller" : "spi-nor";
}

const flash::Geometry& part_of(BackEnd back_end) {
  return back_end == BackEnd::kController ? flash::kControllerPart : flash::kSpiNorPart;
}

std::span<const FaultSupport> fault_support() {
  return kFaults;
}

Support support_of(BackEnd back_end, std::string_view fault) {
  const auto found = std::ranges::find(kFaults, fault, &FaultSupport::fault);
  return found == kFaults.end() ? kYes : found->on(back_end);
}

Support support_of(BackEnd back_end, flash::OpKind kind) {
  const bool is_lock = kind == flash::OpKind::kLock || kind == flash::OpKind::kOtpLock;
  return back_end == BackEnd::kSpiNor && is_lock ? no("the chip has no locks") : kYes;
}

Result<void> check(BackEnd back_end, std::string_view board, std::string_view fault) {
  const Support support = support_of(back_end, fault);
  if (support.is_possible) return {};
  return fail(ExitCode::kUsage,
              fmt::format("{} is not possible on the board '{}': {}", fault, board, support.note),
              "'otasim boards --faults' shows what each board's flash can express.");
}

Result<void> check(BackEnd back_end, std::string_view board, const FlashFault& fault) {
  if (auto possible = check(back_end, board, name_of(fault)); !possible) return possible;
  const auto kind = kind_of(fault);
  const Support support = kind ? support_of(back_end, *kind) : kYes;
  if (support.is_possible) return {};
  return fail(ExitCode::kUsage,
              fmt::format("{} of the kind '{}' is not possible on the board '{}': {}", name_of(fault),
                          to_string(*kind), board, support.note),
              "Choose another kind of operation.");
}

}  // namespace otasim::flash_file
