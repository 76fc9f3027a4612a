#include "sim/sweep/boot_transcript.h"

namespace otasim::sweep {
namespace {

bool is_reset(std::string_view line) {
  return line.starts_with("boot: reset");
}

}  // namespace

bool is_start(std::string_view line) {
  return line.starts_with("boot: start ");
}

const std::string* last_start(std::span<const std::string> lines) {
  const std::string* last = nullptr;
  for (const std::string& line : lines) {
    if (is_start(line)) last = &line;
    if (is_reset(line)) last = nullptr;
  }
  return last;
}

std::string_view report_field(std::string_view line, std::string_view key) {
  const std::size_t found = line.find(key);
  if (found == std::string_view::npos) return {};
  line.remove_prefix(found + key.size());
  return line.substr(0, line.find(' '));
}

void BootTranscript::take(std::string_view line) {
  if (is_over_) return;
  lines_.emplace_back(line);
  if (is_reset(line)) {
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
