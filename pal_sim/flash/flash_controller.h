// The flash controller: the register interface of controller_registers.h over a NOR model.
//
// The QEMU plugin calls ring() when the guest executes the doorbell instruction. Order in one ring: read the
// operands from the window, run the command on the model, write STATUS and clear COMMAND. The state it reads,
// locks included, is the window's at that moment; nothing is kept between rings.
//
// Every register is the guest's to write, so none is trusted: an impossible operand is a status, never a read
// or a write outside the window. While power is cut a ring leaves the window exactly as it is.
#pragma once

#include "pal_sim/flash/nor_model.h"
#include "pal_sim/flash/window.h"

namespace flash {

class FlashController {
 public:
  /// @param model  outlives the controller
  explicit FlashController(NorModel& model) : model_(model) {}

  void ring();

 private:
  [[nodiscard]] Status run();
  [[nodiscard]] Status fill_entropy(std::uint32_t length);

  NorModel& model_;
};

}  // namespace flash
