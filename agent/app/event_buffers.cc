#include "agent/app/event_buffers.h"

namespace app {

OtaEventData_t* EventBuffers::acquire() {
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
  if (buffer == delivered_) delivered_ = nullptr;
  for (OtaEventData_t& own : buffers_) {
    if (&own == buffer) own.bufferUsed = false;
  }
}

}  // namespace app
