// A board in QEMU as a machine that boots once: the real bootloader, signature checks on.
//
//   auto machine = make_qemu_machine(board, products, folder);
//   (*machine)->window() ... (*machine)->boot(cells, seed) ...
//
// QemuMachine keeps one QEMU process for all its boots (the mps2 boards). Between boots it stands still. At
// each it becomes what a new process is:
//
// | What | How |
// |---|---|
// | flash, cells, entropy, locks | written by the host; the plugin starts anew at its first operation |
// | devices, processors | system_reset |
// | the ROM | written once; the bootloader keeps everybody from writing it, and it is compared now and then |
// | memory kept over a reset; the place of an image's header and vector table | zeroed |
// | other memory | not: the bootloader zeroes it before it hands over, or never reads what it did not write |
//
// A test holds the transcripts of random cases against those of new processes. FreshQemuMachine makes a new
// process for each boot: for boards whose flash needs it, and for that test.
//
// Now and then a boot shows the image that it has loaded, read from the board's memory.
//
// A boot that fails, because QEMU ended or nothing came of it, costs the process; the next boot has a new
// one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"
#include "sim/sweep/boot_machine.h"
#include "sim/sweep/machine_flash.h"
#include "sim/sweep/qemu_process.h"

namespace otasim::sweep {

class QemuMachine final : public BootMachine {
 public:
  /// @param board   of the mps2 family; outlives the machine
  /// @param folder  of its own, empty, the path short
  /// @returns kEnvironment  a file cannot be made or read
  ///          kUsage        the bootloader is no program for the board, or the board's flash is no window
  [[nodiscard]] static Result<std::unique_ptr<QemuMachine>> create(const lab::Board& board,
                                                                   const lab::BuildProducts& products,
                                                                   const std::string& folder);

  [[nodiscard]] std::span<std::uint8_t> window() override { return flash_.window(); }
  [[nodiscard]] Result<Boot> boot(flash::CellState& cells, std::uint64_t seed) override;

  [[nodiscard]] Result<bool> has_written_rom() override;

  /// The ROM is compared with the bootloader's program after so many boots, and when it is asked for.
  static constexpr unsigned kBootsBetweenChecks = 256;
  /// Of so many boots one shows what it has loaded, the first of a process among them: to read an image takes
  /// as long as some boots.
  static constexpr unsigned kBootsForEachImage = 32;

  /// Null before the first boot, and after one that failed.
  [[nodiscard]] QemuProcess* process() { return process_.get(); }

 private:
  /// Where a board has what, in its processor's addresses when it comes out of reset.
  struct Memory {
    std::uint32_t flash_window = 0;
    std::uint32_t rom = 0;
    std::uint32_t load_memory = 0;
    std::vector<std::uint32_t> lost_at_power_off = {};  ///< each kLostBytes long
  };

  QemuMachine(const lab::Board& board, const lab::BuildProducts& products, std::string folder,
              MachineFlash flash, std::vector<std::uint8_t> rom);

  [[nodiscard]] static Memory memory_of(const lab::Board& board);
  [[nodiscard]] Result<void> start();
  [[nodiscard]] Result<Boot> boot_once(flash::CellState& cells, std::uint64_t seed);
  [[nodiscard]] Result<void> look_at(Boot& boot);
  [[nodiscard]] std::size_t started_size(const Boot& boot) const;

  const lab::Board& board_;
  std::string plugin_path_;
  std::string folder_;
  Memory memory_;
  MachineFlash flash_;
  std::vector<std::uint8_t> rom_;
  std::unique_ptr<QemuProcess> process_;
  std::vector<std::uint8_t> loaded_;
  unsigned boots_ = 0;            // of the process
  unsigned boots_unchecked_ = 0;  // since the ROM was written or compared
};

/// The quickest machine that there is for the board.
/// @returns as QemuMachine::create(), FreshQemuMachine::create()
[[nodiscard]] Result<std::unique_ptr<BootMachine>> make_qemu_machine(const lab::Board& board,
                                                                     const lab::BuildProducts& products,
                                                                     const std::string& folder);

}  // namespace otasim::sweep
