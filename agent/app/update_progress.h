// The console's account of a download: its size when the job comes, a line for every tenth of it, and the
// agent's statistics at the end.
#pragma once

#include <cstdint>

#include "agent/include/ota.h"

namespace app {

class UpdateProgress {
 public:
  /// A job was accepted for download.
  void begin(const OtaJobDocument_t& job);

  /// Looks at the agent's statistics; logs if another tenth has come. Call after every event.
  void update();

  /// Logs the statistics and forgets the download.
  void end();

 private:
  std::uint32_t block_count_ = 0;  ///< 0: no download
  std::uint32_t next_line_at_ = 0;
  std::uint32_t received_ = 0;   ///< blocks of this job
  std::uint32_t last_seen_ = 0;  ///< the agent's count, which it zeroes whenever a transfer starts or resumes
};

}  // namespace app
