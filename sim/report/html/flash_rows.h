// The pieces of a flash track (flash_track.h), for those who make one from a finished history and for those
// who follow a log that grows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pal_sim/flash/op_log.h"
#include "pal_sim/flash/window.h"
#include "sim/base/json.h"
#include "sim/inspect/keys.h"

namespace otasim::report::html {

/// Which kind of state an operation can change.
enum class Subject : std::uint8_t { kNone, kBootControl, kOtp, kSlot };

struct Touched {
  Subject subject = Subject::kNone;
  std::size_t slot = 0;  ///< of inspect::kSlots

  bool operator==(const Touched&) const = default;
};

[[nodiscard]] Touched touched_by(const flash::LoggedOperation& operation);

/// `part`, `partitions`, and what the numbers of rows are called.
[[nodiscard]] nlohmann::json describe_part(const flash::Geometry& part);
/// `before`: [[first page, pages]...].
[[nodiscard]] nlohmann::json programmed_pages(flash::ConstWindow window, const flash::Geometry& part);
/// One of `operations`.
[[nodiscard]] nlohmann::json operation_row(const flash::LoggedOperation& operation, std::int64_t t_us);
/// Decodes what a subject holds and adds it to `states`, unless it is what it was.
void add_state(nlohmann::json& states, const Touched& touched, flash::ConstWindow window, std::size_t done,
               const flash::Geometry& part, const inspect::Keys& keys);

}  // namespace otasim::report::html
