#include "sim/sweep/boot_transcript.h"

namespace otasim::sweep {

void BootTranscript::take(std::string_view line) {
  if (is_over_) return;
  lines_.emplace_back(line);
  if (line.starts_with("boot: reset")) {
    ++starts_;
    has_handed_over_ = false;
  } else if (line.starts_with("boot: halt")) {
    is_over_ = true;
  } else if (line.starts_with("boot: start")) {
    has_handed_over_ = true;
  } else if (has_handed_over_ && !line.empty() && !line.starts_with("boot: refused")) {
    reached_application_ = true;
    is_over_ = true;
  }
}

std::string BootTranscript::text() const {
  if (lines_.empty()) return "The device said nothing.";
  std::string text = "The device said:";
  for (const std::string& line : lines_) text += "\n  " + line;
  return text;
}

}  // namespace otasim::sweep
