// A link's capture (the classic file of pcap-savefile(5)) as a sequence of frames, also while it is written.
//
//   auto file = GrowingFile::open(path);
//   PcapReader capture(std::move(*file));
//   while (const auto frame = capture.next()) ...
//
// What can go wrong: the file is no capture of an Ethernet, or a record claims more than any frame has; then
// the sequence ends there and problem() says so. A record that is not whole yet comes later; until then
// problem() says that, too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/report/growing_file.h"

namespace otasim::report {

struct CapturedFrame {
  /// No frame of an Ethernet with jumbo frames is longer.
  static constexpr std::uint32_t kMaxBytes = 65'535;

  std::int64_t calendar_ns = 0;  ///< since 1970
  std::uint32_t wire_bytes = 0;  ///< what the frame had, if less was kept
  std::vector<std::uint8_t> bytes = {};
};

class PcapReader {
 public:
  explicit PcapReader(GrowingFile file) : file_(std::move(file)) {}

  /// Reads the file's header.
  /// @returns whether this is a capture; if not, problem() says why not, or why not yet
  [[nodiscard]] bool has_header();
  /// @returns nothing if there is none (yet)
  [[nodiscard]] std::optional<CapturedFrame> next();
  /// Why there are no more; empty: the file ends there.
  [[nodiscard]] std::string problem() const;

 private:
  GrowingFile file_;
  std::int64_t ns_per_unit_ = 0;  ///< 0: the file's header is not read
  bool is_torn_ = false;          ///< what follows is not a whole record, or header
  std::string problem_ = {};
};

}  // namespace otasim::report
