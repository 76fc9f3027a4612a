// Takes back stores that are no commands: a controller's array and OTP bank are memory to QEMU, and any store
// there takes effect, which no flash part would let happen.
//
//   StoreGuard guard(part.model());                 // keeps what the cells hold
//   part's observer: guard.on_operation(operation); // commands may change them
//   guard.take_back(at, size);                      // after a store of the guest: the cells are as they were
//
// It costs a copy of the part, and needs to be told of every store. What else changes cells behind it
// (disturbed bits) it is told of by refresh(). An edit of the file by the host while the guest runs is not
// known to it: a store over one would be taken back to what was there before.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pal_sim/flash/nor_model.h"

namespace otasim::flash_file {

/// Cells, as offsets of the window.
struct StoredCells {
  std::uint32_t offset;
  std::uint32_t length;

  bool operator==(const StoredCells&) const = default;
};

class StoreGuard : public flash::OpObserver {
 public:
  /// @param model  outlives the guard
  explicit StoreGuard(const flash::NorModel& model);

  void on_operation(const flash::Operation& operation) override;
  /// Bytes of the window hold what they are to hold.
  void refresh(std::uint32_t window_offset, std::uint32_t length);

  /// A store of `length` bytes at this offset, which may begin before the window, has been made.
  /// @returns the cells among those, which hold again what they held; nothing if there are none
  [[nodiscard]] std::optional<StoredCells> take_back(std::int64_t window_offset, std::uint32_t length);

 private:
  const flash::NorModel& model_;
  std::vector<std::uint8_t> cells_;  ///< from the window's beginning to the bank's end
};

}  // namespace otasim::flash_file
