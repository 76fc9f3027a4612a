#include "sim/report/event_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sim/base/file_io.h"
#include "sim/base/json_members.h"

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

Result<std::unique_ptr<EventLog>> EventLog::resume(const std::string& path,
                                                   std::vector<nlohmann::json>& earlier) {
  const auto bytes = read_file(path);
  if (!bytes) return tl::unexpected(bytes.error());
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  std::size_t whole = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', whole)) {
    nlohmann::json event = nlohmann::json::parse(text.substr(whole, end - whole), nullptr, false);
    if (!event.is_object()) break;
    earlier.push_back(std::move(event));
    whole = end + 1;
  }
  std::FILE* file = std::fopen(path.c_str(), "r+e");
  if (file == nullptr || ftruncate(fileno(file), static_cast<off_t>(whole)) != 0 ||
      std::fseek(file, 0, SEEK_END) != 0) {
    if (file != nullptr) std::fclose(file);
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot go on with the event log '{}': {}", path, std::strerror(errno)));
  }
  std::unique_ptr<EventLog> log(new EventLog(file));
  if (earlier.empty()) return log;
  log->next_number_ = static_cast<std::uint64_t>(integer_member(earlier.back(), "n").value_or(0)) + 1;
  log->start_ -= std::chrono::microseconds(integer_member(earlier.back(), "t_us").value_or(0));
  return log;
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

std::int64_t EventLog::epoch_of_start() const {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return duration_cast<microseconds>(now).count() - now_us();
}

void EventLog::write(const nlohmann::json& event) {
  // Console bytes may be anything; a replacement character keeps the line valid JSON.
  const std::string text = event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (std::fwrite(text.data(), 1, text.size(), file_) == text.size() && std::fflush(file_) == 0) return;
  // Without the file what is said later would follow half a line.
  error_ = errno;
  std::fclose(file_);
  file_ = nullptr;
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
  // Only the log says these of itself: they would move every other file's events, or end all reading.
  line.erase("log_version");
  line.erase("epoch_us");
  if (file_ != nullptr && !is_introduced_) {
    is_introduced_ = true;
    line["log_version"] = kEventLogVersion;
    line["epoch_us"] = epoch_of_start();
  }
  if (file_ != nullptr) write(line);
  for (const Listener& listener : listeners_) listener(line);
}

}  // namespace otasim::report
