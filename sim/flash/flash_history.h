// The flash as it stood at any operation: what it held before the first one, and the op log since.
//
//   auto history = FlashHistory::load(folder + "/factory.bin", folder + "/flash.ops");
//   history->seek(n);            // n operations are done; the next is history->operations()[n]
//   history->window()            // as the part read then
//
// An op log says how far each operation came in firm cells. What cells read that a fault left marginal it
// does not say: there the window shows what they held before.
//
// What can go wrong: a file is missing, is no flash file or no op log, or the log speaks of cells that the
// part does not have. A torn tail of the log is left out; is_torn() tells.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pal_sim/flash/op_log.h"
#include "pal_sim/flash/window.h"
#include "sim/base/result.h"

namespace otasim::flash_file {

/// Where in the window an operation's cells begin.
[[nodiscard]] std::uint32_t first_cell(const flash::LoggedOperation& operation);

/// Whether what it changed firmly lies within the part's array or bank, and within its data.
[[nodiscard]] bool is_possible(const flash::LoggedOperation& operation, const flash::Geometry& part);

/// Does to a window what the operation did firmly. It must be possible.
void apply_logged(const flash::LoggedOperation& operation, flash::Window window);

class FlashHistory {
 public:
  /// @returns kUsage if `before` is no flash window, or the log does not fit it
  [[nodiscard]] static Result<FlashHistory> make(std::vector<std::uint8_t> before, flash::OpLog log);
  /// @param before_path  a flash file as it was before the log's first operation
  /// @returns kEnvironment if a file cannot be read; kUsage as above
  [[nodiscard]] static Result<FlashHistory> load(const std::string& before_path, const std::string& ops_path);

  [[nodiscard]] std::span<const flash::LoggedOperation> operations() const { return log_.operations; }
  [[nodiscard]] bool is_torn() const { return log_.torn; }
  [[nodiscard]] const flash::Geometry& part() const { return part_; }

  /// How many operations are done when the accepted one with this number is, refused ones included.
  /// @returns nothing if the log has no such operation
  [[nodiscard]] std::optional<std::size_t> count_through(std::uint32_t sequence) const;

  /// Goes to the moment when `done` operations were done (at most all). Forward costs what lies between; back
  /// begins anew.
  void seek(std::size_t done);
  [[nodiscard]] std::size_t position() const { return done_; }
  [[nodiscard]] flash::ConstWindow window() const { return window_; }
  /// As it was before the first operation.
  [[nodiscard]] flash::ConstWindow before() const { return before_; }

 private:
  FlashHistory(std::vector<std::uint8_t> before, flash::OpLog log, const flash::Geometry& part)
      : before_(std::move(before)), log_(std::move(log)), part_(part), window_(before_) {}

  std::vector<std::uint8_t> before_;
  flash::OpLog log_;
  flash::Geometry part_;
  std::vector<std::uint8_t> window_;
  std::size_t done_ = 0;
};

}  // namespace otasim::flash_file
