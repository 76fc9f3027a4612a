// The native machine, and whether it boots just now: a crash then is the bootloader's, any other one is the
// program's own fault.
#pragma once

#include <csignal>

#include "sim/sweep/native_machine.h"

namespace otasim::mutants {

class BootingMachine final : public sweep::BootMachine {
 public:
  BootingMachine(const sweep::RomKeys& keys, const flash::Geometry& part, std::uint32_t load_address,
                 std::uint32_t load_size)
      : inner_(keys, part, load_address, load_size) {}

  [[nodiscard]] std::span<std::uint8_t> window() override { return inner_.window(); }
  [[nodiscard]] Result<sweep::Boot> boot(flash::CellState& cells, std::uint64_t seed) override {
    is_booting_ = 1;
    auto boot = inner_.boot(cells, seed);
    is_booting_ = 0;
    return boot;
  }

  /// For a signal handler, in a program that boots on one thread at a time.
  [[nodiscard]] static bool is_booting() { return is_booting_ != 0; }

 private:
  inline static volatile std::sig_atomic_t is_booting_ = 0;

  sweep::NativeMachine inner_;
};

}  // namespace otasim::mutants
