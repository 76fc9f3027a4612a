// All that happened in a run, as one sequence of events on one clock, read from its folder.
//
//   auto stream = RunStream::open(folder);
//   while (auto event = stream->next()) ...       // {"t_us": ..., "source": ..., "event": ..., ...}
//   for (const std::string& text : stream->problems()) ...
//
// It is the merge of three kinds of files: the event log (events.jsonl), and of each device the op log
// (flash.ops), whose records become events `flash` / `operation`, and the link's capture (link.pcap), whose
// frames become events `link` / `frame`. docs/events.md lists all types. Every view of a run is made from
// this sequence. It takes a folder of `otasim run`, of the demo (one device, files in the run's own folder)
// and of a lab, which has events only.
//
// Events are in time order; of one moment the log's come first, then each device's flash and link. Each
// file's own order is kept: where a clock was set back, what follows stands at the moment before. Memory is
// bounded by the longest line, not by the files.
//
// Of a run that is under way, next() gives what is there, and later what has come since. Each of these
// batches is in order; but what one file's writer holds back (a capture is written in blocks) comes in a
// later batch, with the time when it happened.
//
// What can go wrong: there is no event log, or it is of a later version; that ends it. A device's file that
// cannot be read, or is damaged, is left out from there on; problems() says so. Lines that are no events are
// counted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/report/run_clock.h"

namespace otasim::report {

class RunStream {
 public:
  struct Options {
    bool with_flash = true;
    bool with_frames = true;
    bool is_under_way = false;  ///< more may come; a last line without an end waits for it
  };

  /// @returns kEnvironment if there is no event log; kUsage if it is a later version's
  [[nodiscard]] static Result<RunStream> open(const std::string& folder, const Options& options);
  [[nodiscard]] static Result<RunStream> open(const std::string& folder) { return open(folder, Options()); }

  RunStream(RunStream&&) noexcept;
  RunStream& operator=(RunStream&&) noexcept;
  ~RunStream();

  /// @returns nothing if there is no more (yet)
  [[nodiscard]] std::optional<nlohmann::json> next();

  /// Takes up devices that have come since, and with `is_over` lets a last line count that has no end.
  void look_again(bool is_over);

  /// Where the calendar stands; of what has been read so far, and of what the log held when it was opened.
  [[nodiscard]] const std::vector<ClockAnchor>& anchors() const;
  /// Lines of the log so far that are no events: a torn last one, or damage.
  [[nodiscard]] std::uint64_t skipped_lines() const;
  /// What was left out so far, in words.
  [[nodiscard]] std::vector<std::string> problems() const;

 private:
  class Merge;
  explicit RunStream(std::unique_ptr<Merge> merge);

  std::unique_ptr<Merge> merge_;
};

/// A device of a run: its name, and the folder with its files.
struct RunDevice {
  std::string name;
  std::string folder;
};

/// A run keeps its devices in folders; a demo has one, in the run's own. In order of their names.
[[nodiscard]] std::vector<RunDevice> devices_of_run(const std::string& folder);

}  // namespace otasim::report
