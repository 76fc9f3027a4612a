// One boot's console: what is the bootloader's, and when the boot is over.
//
//   transcript.take(line) ...      // each line, until transcript.is_over()
//
// It is over with the application's first line - the first that comes after `boot: start` and says anything -
// or with `boot: halt`. A reset that the device asks for itself belongs to the boot: the bootloader begins
// again, and its lines follow. One that goes on resetting never comes to an end; resets() tells.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otasim::sweep {

/// "boot: start slot=B version=1.1.0 state=trial": the bootloader is about to start an image.
[[nodiscard]] bool is_start(std::string_view line);
/// The one that what runs was started with: the last, if no reset has come after it. @returns null: none
[[nodiscard]] const std::string* last_start(std::span<const std::string> lines);
/// The value of ` key=VALUE` in a line of the boot report; empty if there is none.
/// @param key  " key="
[[nodiscard]] std::string_view report_field(std::string_view line, std::string_view key);

class BootTranscript {
 public:
  /// Does nothing once it is over.
  void take(std::string_view line);

  [[nodiscard]] bool is_over() const { return is_over_; }
  [[nodiscard]] bool reached_application() const { return reached_application_; }
  /// The bootloader has said that it starts the application, in the reset that is under way.
  [[nodiscard]] bool has_handed_over() const { return has_handed_over_; }
  /// After the first.
  [[nodiscard]] unsigned resets() const { return starts_ > 0 ? starts_ - 1 : 0; }

  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  [[nodiscard]] std::vector<std::string> take_lines() { return std::move(lines_); }
  /// The lines for an error's text, and that there are none.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::string> lines_;
  unsigned starts_ = 0;
  bool has_handed_over_ = false;
  bool reached_application_ = false;
  bool is_over_ = false;
};

}  // namespace otasim::sweep
