#include "agent/app/agent_notes.h"

#include "agent/app/console.h"
#include "agent/src/names.h"

namespace app {

void AgentNotes::on_note(ota::Note note) {
  std::uint32_t& count = counts_[place_of(note)];
  if (count == UINT32_MAX) return;
  if (++count == 1) console::log("agent: ", ota::name_of(note));
}

void AgentNotes::end() {
  for (std::size_t kind = 0; kind < counts_.size(); ++kind) {
    if (counts_[kind] <= 1) continue;
    console::log("agent: ", counts_[kind], " times: ", ota::name_of(static_cast<ota::Note>(kind)));
  }
  counts_ = {};
}

}  // namespace app
