// Faults in the processor, one at a time: the bootloader runs in QEMU under a debugger, which at one chosen
// moment skips an instruction, or makes a function return at once with a chosen value.
//
//   GlitchRig rig(bootloader, flash_plugin, window);     the flash as it shall be at every start
//   for (const Moment& m : rig.moments(functions, 16)) rig.run({.moment = m, .skipped_bytes = 2});
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/device/elf_symbols.h"
#include "sim/flash/flash_file.h"
#include "tests/qemu_boards/gdb_remote.h"
#include "tests/sim/flash/qemu_guest.h"

namespace otasim::test {

using device::Function;

/// The nth time (from 1) that the instruction at `address` is about to run.
struct Moment {
  std::uint32_t address;
  std::uint32_t occurrence;
};

struct Glitch {
  Moment moment;
  std::uint32_t skipped_bytes = 0;                   ///< the processor goes on this far behind, or
  std::optional<std::uint32_t> returned_value = {};  ///< it returns from the function that begins here
};

enum class Outcome {
  kNotReached,  ///< the moment never came
  kHalted,      ///< the bootloader says that it starts nothing
  kRefused,     ///< the second verification stopped what the first had let through
  kGoodImage,   ///< the image that should run does
  kBadImage,    ///< the one that must not, or any of its instructions
  kStuck,       ///< nothing was said for a second
  kLockedUp,  ///< the processor locked up, which ends QEMU; on a board the watchdog or a power cycle ends it
};

class GlitchRig {
 public:
  /// Starts QEMU. @param window  flash contents, put back before each run
  GlitchRig(std::string bootloader, std::string flash_plugin, std::vector<std::uint8_t> window);

  /// All moments of a run without any fault in these functions, each instruction's first `max_occurrences`.
  [[nodiscard]] std::vector<Moment> moments(const std::vector<Function>& functions,
                                            std::uint32_t max_occurrences);

  /// Boots once with this fault.
  [[nodiscard]] Outcome run(const Glitch& glitch);
  /// What the device said in the last run.
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  [[nodiscard]] std::vector<std::string> arguments() const;
  void start();
  [[nodiscard]] std::string ran_path() const { return folder_.file("ran"); }
  [[nodiscard]] bool something_ran();
  [[nodiscard]] bool load_memory_holds_good_image();
  [[nodiscard]] Outcome run_until_clear(const Glitch& glitch);
  [[nodiscard]] Outcome run_or_throw(const Glitch& glitch);
  void restore_flash();
  void reset();
  [[nodiscard]] bool run_to(const Moment& moment);
  [[nodiscard]] Outcome run_on();
  [[nodiscard]] std::optional<Outcome> outcome_so_far() const;
  [[nodiscard]] std::size_t count(std::string_view text) const;
  /// Waits until the processor has stopped (true) or the outcome is clear or nothing comes (false).
  [[nodiscard]] bool wait_for_stop();

  TempDir folder_ = TempDir::create().value();
  std::string bootloader_;
  std::string flash_plugin_;
  std::vector<std::uint8_t> window_;
  flash_file::FlashFile flash_;
  std::unique_ptr<GdbRemote> gdb_;
  std::unique_ptr<qemu_guest::Guest> guest_;
  std::uint32_t reset_address_ = 0;
  int starts_ = 0;
  std::string said_;
  std::uint64_t log_read_ = 0;
  std::optional<bool> ran_before_reset_;
};

}  // namespace otasim::test
