// Reads a classic capture file frame by frame, with every byte and the nanosecond: pcap-savefile(5).
//
//   auto reader = PcapReader::open(path);
//   while (reader->next(frame)) ...
//   if (!reader->problem().empty()) ...     // it ended early
//
// Captures of otasim are little-endian Ethernet; others are refused. A last record that is not whole, as a
// killed simulator leaves it, ends the file; nothing is taken from its length but what is there.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace otasim::report::capture {

/// No frame of an Ethernet with jumbo frames is longer.
inline constexpr std::uint32_t kMaxFrameBytes = 65'535;

struct CapturedFrame {
  std::int64_t calendar_ns = 0;  ///< since 1970
  std::uint32_t wire_bytes = 0;  ///< what the frame had, if less was kept
  std::vector<std::uint8_t> bytes = {};
};

class PcapReader {
 public:
  /// @returns kEnvironment if the file cannot be read; kUsage if it is no such capture
  [[nodiscard]] static Result<PcapReader> open(const std::string& path);

  /// @returns false if there is no more
  [[nodiscard]] bool next(CapturedFrame& frame);
  /// Why it ended before the file's end; empty: it did not.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;
  PcapReader(File file, std::int64_t ns_per_unit) : file_(std::move(file)), ns_per_unit_(ns_per_unit) {}

  File file_;
  std::int64_t ns_per_unit_;
  std::string problem_ = {};
};

}  // namespace otasim::report::capture
