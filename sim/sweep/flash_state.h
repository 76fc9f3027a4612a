// A part's flash while a sweep works on it: its bytes and cells, with a way back and a fingerprint.
//
//   const auto here = state.mark();
//   state.tear(operation, {.bytes = 17, .marginal_bytes = 30});   // the next operation, cut short
//   ... boot it ...
//   state.roll_back(here);
//
// Every change is written down until it is rolled back or forgotten, and every page that changed is
// remembered until it was copied to the machine that boots (copy_to), so that a case costs what it changes
// and not 16 MiB.
//
// The fingerprint is 64 bits of all that a bootloader can read and of the marginal bits: equal states have
// equal ones. Of a million different states two are taken for one with a chance of 1 in 37 million.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pal_sim/flash/nor_model.h"
#include "pal_sim/flash/op_log.h"
#include "pal_sim/flash/window.h"

namespace otasim::sweep {

class FlashState {
 public:
  /// How much of an operation is done when power goes.
  struct Tear {
    std::uint32_t bytes = 0;           ///< firm
    std::uint32_t marginal_bytes = 0;  ///< after those

    bool operator==(const Tear&) const = default;
  };
  struct Mark {
    std::size_t changes;
    flash::CellState cells;
  };

  FlashState(flash::ConstWindow window, const flash::Geometry& part);
  // The model refers to the window.
  FlashState(const FlashState&) = delete;
  FlashState& operator=(const FlashState&) = delete;

  [[nodiscard]] flash::ConstWindow window() const { return window_; }
  [[nodiscard]] const flash::Geometry& part() const { return model_.geometry(); }
  [[nodiscard]] const flash::CellState& cells() const { return model_.cell_state(); }
  void set_cells(flash::CellState cells) { model_.set_cell_state(std::move(cells)); }

  [[nodiscard]] Mark mark() const { return {changes_.size(), model_.cell_state()}; }
  /// To be called with the marks in reverse order of their making.
  void roll_back(const Mark& mark);
  /// What was changed so far cannot be rolled back any more.
  void forget_changes() { changes_.clear(); }

  /// Does what a logged operation did.
  void apply(const flash::LoggedOperation& operation);
  /// Begins the operation; power goes on the way. It must be one that changes cells or a lock.
  void tear(const flash::LoggedOperation& operation, const Tear& tear);
  /// As if power had never been on: what is drawn from here on depends on seeds and on what flash is, not on
  /// how it came to be that.
  void forget_power_ons();
  /// Draws what marginal bits read, as a machine does at power-on.
  void power_on(std::uint64_t seed);
  /// Takes over what a machine's boot has changed: the ranges of its operations, and the cells.
  void take_over(std::span<const flash::LoggedOperation> operations, flash::ConstWindow after,
                 flash::CellState cells);

  /// Makes `machine` equal. It must be the same window each time, and changed by take_over()'s operations and
  /// by marginal bits only.
  void copy_to(flash::Window machine);
  /// The machine has changed its flash in a way that nobody knows: the next copy_to() copies all of it.
  void distrust_machine();

  [[nodiscard]] std::uint64_t fingerprint();

 private:
  struct Change {
    std::uint32_t offset;
    std::vector<std::uint8_t> before;
  };

  void keep(std::uint32_t offset, std::uint32_t length);
  void touched(std::uint32_t offset, std::uint32_t length);
  [[nodiscard]] std::uint64_t page_print(std::uint32_t page) const;

  std::vector<std::uint8_t> window_;
  flash::NorModel model_;
  std::vector<Change> changes_;

  /// Pages that somebody has yet to look at again.
  struct Pages {
    std::vector<bool> is_in = std::vector<bool>(flash::kWindowSize / flash::kPageSize);
    std::vector<std::uint32_t> list = {};

    void add(std::uint32_t page);
    void clear();
  };
  std::vector<std::uint64_t> page_prints_;
  std::uint64_t print_ = 0;  ///< of all pages, but for those in `unprinted_`
  Pages unprinted_;
  Pages stale_;  ///< that the machine has not got
};

}  // namespace otasim::sweep
