#include "sim/report/event_log.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace otasim::report {

Result<std::unique_ptr<EventLog>> EventLog::create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot write the event log '{}': {}", path, std::strerror(errno)),
                "Choose a folder you may write to.");
  }
  return std::unique_ptr<EventLog>(new EventLog(file));
}

std::unique_ptr<EventLog> EventLog::in_memory() {
  return std::unique_ptr<EventLog>(new EventLog(nullptr));
}

EventLog::EventLog(std::FILE* file) : file_(file), start_(std::chrono::steady_clock::now()) {}

EventLog::~EventLog() {
  if (file_ != nullptr) std::fclose(file_);
}

std::int64_t EventLog::now_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start_)
      .count();
}

void EventLog::listen(Listener listener) {
  const std::scoped_lock lock(mutex_);
  listeners_.push_back(std::move(listener));
}

void EventLog::emit(std::string_view source, std::string_view event, nlohmann::json fields) {
  const std::scoped_lock lock(mutex_);
  nlohmann::json line = std::move(fields);
  line["t_us"] = now_us();
  line["n"] = next_number_++;
  line["source"] = source;
  line["event"] = event;
  if (file_ != nullptr) {
    // Console bytes may be anything; a replacement character keeps the line valid JSON.
    const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    std::fwrite(text.data(), 1, text.size(), file_);
    std::fflush(file_);
  }
  for (const Listener& listener : listeners_) listener(line);
}

}  // namespace otasim::report
