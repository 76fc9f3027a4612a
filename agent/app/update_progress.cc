#include "agent/app/update_progress.h"

#include <algorithm>
#include <string_view>

#include "agent/app/console.h"
#include "agent/app/job_id.h"
#include "agent/src/names.h"

namespace app {
namespace {

constexpr std::uint32_t kLines = 10;
constexpr std::size_t kMaxDigits = 9;  // more than any slot holds, less than 32 bits

/// The value of `"filesize"` in a job document the agent has already parsed and accepted; for the log only.
std::uint32_t file_size_in(std::string_view json) {
  constexpr std::string_view kKey = "\"filesize\"";
  std::size_t at = json.find(kKey);
  if (at == std::string_view::npos) return 0;
  at = json.find_first_not_of(" \t\r\n:", at + kKey.size());
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < kMaxDigits && at < json.size() && json[at] >= '0' && json[at] <= '9';
       ++i, ++at) {
    value = value * 10 + static_cast<std::uint32_t>(json[at] - '0');
  }
  return value;
}

OtaAgentStatistics_t statistics_now() {
  OtaAgentStatistics_t statistics{};
  static_cast<void>(OTA_GetStatistics(&statistics));  // fails for a missing argument only
  return statistics;
}

bool are_equal(const OtaAgentStatistics_t& a, const OtaAgentStatistics_t& b) {
  return a.otaPacketsReceived == b.otaPacketsReceived && a.otaPacketsQueued == b.otaPacketsQueued &&
         a.otaPacketsProcessed == b.otaPacketsProcessed && a.otaPacketsDropped == b.otaPacketsDropped;
}

/// @param what  what the line begins with
void log_statistics(std::string_view what, const OtaAgentStatistics_t& statistics) {
  console::log(what, " received ", statistics.otaPacketsReceived, " queued ", statistics.otaPacketsQueued,
               " processed ", statistics.otaPacketsProcessed, " dropped ", statistics.otaPacketsDropped);
}

}  // namespace

void UpdateProgress::begin(const OtaJobDocument_t& job) {
  std::uint32_t size = 0;
  if (job.pJobDocJson != nullptr) {
    size = file_size_in({reinterpret_cast<const char*>(job.pJobDocJson), job.jobDocLength});
  }
  block_count_ = (size + block_size_ - 1) / block_size_;
  next_line_at_ = 1;
  received_ = 0;
  last_seen_ = statistics_now().otaPacketsProcessed;
  console::log("job ", job_id_of(job), " received, ", size, " bytes");
}

void UpdateProgress::update() {
  log_every_second();
  if (block_count_ == 0) return;
  const std::uint32_t processed = statistics_now().otaPacketsProcessed;
  received_ += processed < last_seen_ ? processed : processed - last_seen_;
  last_seen_ = processed;
  const std::uint32_t count = std::min(received_, block_count_);
  if (count < next_line_at_) return;
  console::log("receiving ", count, '/', block_count_);
  next_line_at_ = count + std::max(block_count_ / kLines, std::uint32_t{1});
}

/// As AWS's demo does. An agent that only waits has nothing new to say.
void UpdateProgress::log_every_second() {
  if (!next_statistics_.passed()) return;
  next_statistics_ = Deadline(kStatisticsIntervalMs);
  const OtaState_t state = OTA_GetState();
  const OtaAgentStatistics_t statistics = statistics_now();
  if (block_count_ == 0 && state == logged_state_ && are_equal(statistics, logged_)) return;
  logged_state_ = state;
  logged_ = statistics;
  console::Line what;
  what << "state " << ota::name_of(state);
  log_statistics(what.text(), statistics);
}

void UpdateProgress::end() {
  log_statistics("statistics", statistics_now());
  block_count_ = 0;
}

}  // namespace app
