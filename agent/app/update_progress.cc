#include "agent/app/update_progress.h"

#include <algorithm>
#include <string_view>

#include "agent/app/console.h"
#include "agent/app/job_id.h"

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

std::uint32_t processed_count() {
  OtaAgentStatistics_t statistics{};
  return OTA_GetStatistics(&statistics) == OtaErrNone ? statistics.otaPacketsProcessed : 0;
}

void log_statistics() {
  OtaAgentStatistics_t statistics{};
  if (OTA_GetStatistics(&statistics) != OtaErrNone) return;
  console::log("statistics received ", statistics.otaPacketsReceived, " queued ", statistics.otaPacketsQueued,
               " processed ", statistics.otaPacketsProcessed, " dropped ", statistics.otaPacketsDropped);
}

}  // namespace

void UpdateProgress::begin(const OtaJobDocument_t& job) {
  std::uint32_t size = 0;
  if (job.pJobDocJson != nullptr) {
    size = file_size_in({reinterpret_cast<const char*>(job.pJobDocJson), job.jobDocLength});
  }
  block_count_ = (size + OTA_FILE_BLOCK_SIZE - 1) / OTA_FILE_BLOCK_SIZE;
  next_line_at_ = 1;
  received_ = 0;
  last_seen_ = processed_count();
  console::log("job ", job_id_of(job), " received, ", size, " bytes");
}

void UpdateProgress::update() {
  if (block_count_ == 0) return;
  const std::uint32_t processed = processed_count();
  received_ += processed < last_seen_ ? processed : processed - last_seen_;
  last_seen_ = processed;
  const std::uint32_t count = std::min(received_, block_count_);
  if (count < next_line_at_) return;
  console::log("receiving ", count, '/', block_count_);
  next_line_at_ = count + std::max(block_count_ / kLines, std::uint32_t{1});
}

void UpdateProgress::end() {
  log_statistics();
  block_count_ = 0;
}

}  // namespace app
