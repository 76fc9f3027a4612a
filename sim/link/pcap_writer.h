// A capture file that Wireshark and tcpdump read: classic pcap with nanoseconds, link type Ethernet.
//
// Writes are buffered; the destructor flushes. Once the file cannot be written or has reached its limit, the
// capture ends there, the file stays readable, and write() says so.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "sim/base/result.h"
#include "sim/link/ethernet.h"

namespace otasim::link {

class PcapWriter {
 public:
  static constexpr std::uint64_t kMaxFileBytes = 1ULL << 30;

  /// @returns kEnvironment if the file cannot be created
  [[nodiscard]] static Result<PcapWriter> create(const std::string& path,
                                                 std::uint64_t max_file_bytes = kMaxFileBytes);

  /// @returns false if the frame was not written: the capture has ended
  [[nodiscard]] bool write(Bytes frame, std::chrono::system_clock::time_point when);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;

  PcapWriter(File file, std::uint64_t max_file_bytes);

  File file_;
  std::uint64_t bytes_left_;
};

}  // namespace otasim::link
