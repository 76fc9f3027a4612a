// A bounded queue of the agent's events between threads: the place an RTOS's message queue takes.
//
//   EventQueue queue(20);
//   queue.open();                     empty from here on
//   queue.send(event, timeout)        from any thread, any number of them
//   queue.receive(event, timeout)     from the thread that runs the agent
//   queue.close();                    wakes everybody who waits; further calls fail until open()
//
// Events are copied in and out, in the order in which send() got hold of the queue. An event's data stays
// where it is: whoever closes a queue that is not empty has to know about the buffers in it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

#include "agent/include/ota_types.h"

namespace ota::posix {

class EventQueue {
 public:
  /// @param capacity  at least 1; all memory is taken here
  explicit EventQueue(std::size_t capacity);
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  void open();
  void close();

  /// @returns false  the queue stayed full for `timeout`, or is closed; nothing is queued
  [[nodiscard]] bool send(const OtaEventMsg_t& event, std::chrono::milliseconds timeout);

  /// @returns false  no event came within `timeout`, or the queue is closed; `event` is left alone
  [[nodiscard]] bool receive(OtaEventMsg_t& event, std::chrono::milliseconds timeout);

 private:
  std::mutex mutex_;
  std::condition_variable has_event_;
  std::condition_variable has_room_;
  std::vector<OtaEventMsg_t> ring_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  bool is_open_ = false;
};

}  // namespace ota::posix
