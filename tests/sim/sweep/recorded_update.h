// An update without a network, recorded: what the factory wrote, and every operation from the first boot over
// download, trial and acceptance to the commit. The agent's part is done on the host with the agent's own
// means (boot::LocalUpdateService); the bootloader's by a machine.
//
//   auto update = RecordedUpdate::record(machine, board, products);
//   update->cut(n, bytes, marginal_bytes)    // flash and cells as power was cut in operation n
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pal_sim/flash/cell_state.h"
#include "pal_sim/flash/op_log.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"
#include "sim/sweep/boot_machine.h"

namespace otasim::sweep {

using Bytes = std::vector<std::uint8_t>;

/// A part that is off.
struct Flash {
  Bytes window;
  flash::CellState cells = {};
};

class RecordedUpdate {
 public:
  /// From demo 1.0.0 to demo 1.1.0, commit included. The machine's flash must be blank.
  [[nodiscard]] static Result<RecordedUpdate> record(BootMachine& machine, const lab::Board& board,
                                                     const lab::BuildProducts& products);
  /// From demo 1.0.0 to this image, its trial included.
  [[nodiscard]] static Result<RecordedUpdate> record_trial(BootMachine& machine, const lab::Board& board,
                                                           const lab::BuildProducts& products,
                                                           const Bytes& new_image);

  [[nodiscard]] const std::vector<flash::LoggedOperation>& operations() const { return operations_; }
  /// As it left the factory.
  [[nodiscard]] const Bytes& factory() const { return factory_; }
  /// The boots on the way, in order.
  [[nodiscard]] const std::vector<Boot>& boots() const { return boots_; }
  /// Operations that are done when the boot of that number begins, from 0.
  [[nodiscard]] const std::vector<std::size_t>& boots_begin() const { return boots_begin_; }

  /// As it was when that many operations were done.
  [[nodiscard]] Flash before(std::size_t operation) const;
  /// As it was when power went in the operation.
  [[nodiscard]] Flash cut(std::size_t operation, std::uint32_t bytes, std::uint32_t marginal_bytes) const;

 private:
  class Recorder;

  Bytes factory_;
  std::vector<flash::LoggedOperation> operations_;
  std::vector<Boot> boots_;
  std::vector<std::size_t> boots_begin_;
};

}  // namespace otasim::sweep
