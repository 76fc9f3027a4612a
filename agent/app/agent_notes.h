// What the agent remarks in passing (ota::Note), for the console: each kind is told once and then counted, so
// that a server that keeps sending rubbish does not fill the log.
//
//   notes.on_note(note)     // whenever the agent has one: the first of its kind is logged
//   notes.end()             // a download or a connection begins or ends: logs how often the rest came, and
//                           // starts anew
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "agent/src/note.h"

namespace app {

class AgentNotes {
 public:
  void on_note(ota::Note note);
  void end();

  /// Since the last end().
  [[nodiscard]] std::uint32_t count(ota::Note note) const { return counts_[place_of(note)]; }

 private:
  /// More than there are, for those to come; what is beyond shares the last one's counter.
  static constexpr std::size_t kKinds = 32;
  static_assert(static_cast<std::size_t>(ota::Note::kBlockMisfit) < kKinds);

  static std::size_t place_of(ota::Note note) { return std::min(static_cast<std::size_t>(note), kKinds - 1); }

  std::array<std::uint32_t, kKinds> counts_{};
};

}  // namespace app
