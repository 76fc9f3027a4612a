// A board in QEMU as a machine that boots once, in a new process each time: a power cycle as a lab's devices
// have it (sim/device), with the flash controller or the SPI chip's server that belongs to the board.
//
// A SPI chip's writes are on their way when the guest goes on. Those of the bootloader are all taken, for
// QEMU is killed at the application's first line and what it had sent by then is served to the end. Those of
// the application are discarded from the moment when `boot: start` has been read here; the application takes
// longer than that to its first write, because the bootloader has megabytes of memory to zero in between.
#pragma once

#include <memory>
#include <string>

#include "sim/base/result.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"
#include "sim/sweep/boot_machine.h"
#include "sim/sweep/machine_flash.h"

namespace otasim::sweep {

class FreshQemuMachine final : public BootMachine {
 public:
  /// @param board, folder  as for QemuMachine; any board
  /// @returns kEnvironment if a file cannot be made
  [[nodiscard]] static Result<std::unique_ptr<FreshQemuMachine>> create(const lab::Board& board,
                                                                        const lab::BuildProducts& products,
                                                                        const std::string& folder);

  [[nodiscard]] std::span<std::uint8_t> window() override { return flash_.window(); }
  [[nodiscard]] Result<Boot> boot(flash::CellState& cells, std::uint64_t seed) override;

 private:
  FreshQemuMachine(const lab::Board& board, lab::BuildProducts products, std::string folder,
                   MachineFlash flash)
      : board_(board), products_(std::move(products)), folder_(std::move(folder)), flash_(std::move(flash)) {}

  const lab::Board& board_;
  lab::BuildProducts products_;
  std::string folder_;
  MachineFlash flash_;
};

}  // namespace otasim::sweep
