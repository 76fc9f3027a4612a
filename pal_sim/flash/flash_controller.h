// The flash controller: the register interface of controller_registers.h over a NOR model.
//
// The QEMU plugin calls ring() when the guest executes the doorbell instruction. Order in one ring: read the
// operands from the window, run the command on the model, write STATUS and clear COMMAND. The state it reads,
// locks included, is the window's at that moment; nothing is kept between rings.
//
// With set_busy_times() a command that changes cells takes so many instructions: STATUS reads kBusy until
// advance() has been told of as many. How much is left stands in the window, too.
//
// Every register is the guest's to write, so none is trusted: an impossible operand is a status, never a read
// or a write outside the window. While power is cut a ring leaves the window exactly as it is.
#pragma once

#include "pal_sim/flash/nor_model.h"
#include "pal_sim/flash/window.h"

namespace flash {

/// How many of the processor's instructions a command takes; 0: none, it is complete at once.
struct BusyTimes {
  std::uint32_t program_instructions = 0;  ///< a page, or a burn
  std::uint32_t erase_instructions = 0;    ///< a sector, or a block

  [[nodiscard]] bool any() const { return program_instructions != 0 || erase_instructions != 0; }
};

class FlashController {
 public:
  /// @param model  outlives the controller
  explicit FlashController(NorModel& model) : model_(model) {}

  void ring();

  /// Holds for the commands that come; without any, one that is under way is over.
  void set_busy_times(const BusyTimes& times);
  /// So many instructions have passed.
  void advance(std::uint32_t instructions);

 private:
  [[nodiscard]] bool is_busy() const;
  [[nodiscard]] std::uint32_t time_of(std::uint32_t command, Status status) const;
  void answer(Status status);
  [[nodiscard]] Status run(std::uint32_t command);
  [[nodiscard]] Status fill_entropy(std::uint32_t length);

  NorModel& model_;
  BusyTimes busy_;
};

}  // namespace flash
