// What an event means, in a sentence, for people who see an update for the first time; how long they need to
// see it; and whether it is a place to jump to.
#pragma once

#include <string>

#include "sim/base/json.h"
#include "sim/report/cast/cells.h"

namespace otasim::report::cast {

struct Told {
  std::string caption = {};  ///< empty: what was said before still holds
  Ink ink = Ink::kText;
  double dwell_s = 0;
  std::string marker = {};  ///< empty: it is none
};

/// How long things are seen at reading pace.
inline constexpr double kSentenceSeconds = 0.8;
inline constexpr double kLineSeconds = 0.12;

[[nodiscard]] Told tell(const nlohmann::json& event);

}  // namespace otasim::report::cast
