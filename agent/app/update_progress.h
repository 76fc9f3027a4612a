// The console's account of the agent's work: a download's size when the job comes, a line for every tenth of
// it, the agent's state and statistics every second while there is something new, and once more at the end.
#pragma once

#include <cstdint>

#include "agent/app/deadline.h"
#include "agent/include/ota.h"

namespace app {

class UpdateProgress {
 public:
  static constexpr std::uint32_t kStatisticsIntervalMs = 1000;

  /// @param block_size  that the agent asks for
  explicit UpdateProgress(std::uint32_t block_size) : block_size_(block_size) {}

  /// A job was accepted for download.
  void begin(const OtaJobDocument_t& job);

  /// Looks at the agent's statistics; logs if another tenth or a second has come. Call after every event.
  void update();

  /// Logs the statistics and forgets the download.
  void end();

 private:
  void log_every_second();

  const std::uint32_t block_size_;
  Deadline next_statistics_{kStatisticsIntervalMs};
  OtaState_t logged_state_ = OtaAgentStateStopped;
  OtaAgentStatistics_t logged_{};
  std::uint32_t block_count_ = 0;  ///< 0: no download
  std::uint32_t next_line_at_ = 0;
  std::uint32_t received_ = 0;   ///< blocks of this job
  std::uint32_t last_seen_ = 0;  ///< the agent's count, which it zeroes whenever a transfer starts or resumes
};

}  // namespace app
