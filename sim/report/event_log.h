// The event log: one ordered stream of all that happens in a run, one JSON object a line.
//
// Everything a person sees later (progress, report, summary) is made from it. Each event has the time since
// the log was opened in microseconds (`t_us`), a running number (`n`), the part that saw it (`source`) and
// what it was (`event`); further members depend on the event. `docs/events.md` lists them. The first event,
// and the first after a log is gone on with, also says which format this is (`log_version`) and when, by the
// calendar, its clock read 0 (`epoch_us`): op log and capture are laid beside the events by that.
//
// What can go wrong: the disk is full, and a write fails. The run goes on without the file, which ends there,
// perhaps with half a line; listeners still hear everything, and whoever made the log asks write_error(), as
// a listener or at the end, and says so.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"

namespace otasim::report {

/// Of the format. Readers refuse a higher one; members and events may be added without a new one.
inline constexpr int kEventLogVersion = 1;

class EventLog {
 public:
  using Listener = std::function<void(const nlohmann::json& event)>;

  /// Creates the file. @returns kEnvironment if it cannot be written.
  [[nodiscard]] static Result<std::unique_ptr<EventLog>> create(const std::string& path);
  /// Goes on with a log whose process was killed: numbers and times follow the last whole event's.
  /// @param earlier  gets the events there are; a torn last one is cut off
  [[nodiscard]] static Result<std::unique_ptr<EventLog>> resume(const std::string& path,
                                                                std::vector<nlohmann::json>& earlier);
  /// A log that keeps no file; listeners still hear everything.
  [[nodiscard]] static std::unique_ptr<EventLog> in_memory();

  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  /// Appends one event and tells the listeners. Thread-safe; listeners run on the caller's thread, one at a
  /// time, and must not emit.
  void emit(std::string_view source, std::string_view event,
            nlohmann::json fields = nlohmann::json::object());

  /// Adds a listener; call before the parts that emit are started.
  void listen(Listener listener);

  /// 0, or the errno of the write that failed: the file ends there. A listener may ask, too.
  [[nodiscard]] int write_error() const { return error_; }

  /// Microseconds since the log was opened: the clock of every event.
  [[nodiscard]] std::int64_t now_us() const;

 private:
  explicit EventLog(std::FILE* file);

  /// What the calendar said, in microseconds since 1970, when `now_us()` was 0.
  [[nodiscard]] std::int64_t epoch_of_start() const;
  void write(const nlohmann::json& event);

  std::FILE* file_;  ///< null: in memory, or it could not be written
  std::atomic<int> error_ = 0;
  std::chrono::steady_clock::time_point start_;
  mutable std::mutex mutex_;
  std::uint64_t next_number_ = 1;
  bool is_introduced_ = false;  ///< version and calendar time are told
  std::vector<Listener> listeners_;
};

}  // namespace otasim::report
