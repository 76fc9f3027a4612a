#include "agent/app/event_buffers.h"

#include <algorithm>

namespace app {

OtaEventData_t* EventBuffers::acquire(std::size_t keep_free) {
  const auto is_free = [](const OtaEventData_t& buffer) { return !buffer.bufferUsed; };
  const auto free_count = static_cast<std::size_t>(std::count_if(buffers_.begin(), buffers_.end(), is_free));
  if (free_count <= keep_free) return nullptr;
  for (OtaEventData_t& buffer : buffers_) {
    if (buffer.bufferUsed) continue;
    buffer.bufferUsed = true;
    buffer.dataLength = 0;
    return &buffer;
  }
  return nullptr;
}

void EventBuffers::release(const OtaEventData_t* buffer) {
  if (buffer == nullptr) return;
  for (OtaEventData_t& own : buffers_) {
    if (&own == buffer) own.bufferUsed = false;
  }
}

}  // namespace app
