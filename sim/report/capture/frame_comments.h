// What a run's events say about the frames that come next: "job AFR_OTA-u1 is IN_PROGRESS", "fault
// link.loss".
//
//   auto comments = FrameComments::read(folder);
//   comments.take("thing-1", calendar_ns)      // for each frame, in order of time
//
// Wireshark shows them with the frame (`frame.comment`), so that steps, faults, boots and jobs can be
// searched for in the capture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace otasim::report::capture {

class FrameComments {
 public:
  /// Without an event log, or one that tells no calendar time, there are none.
  [[nodiscard]] static FrameComments read(const std::string& folder);

  /// What has happened up to this frame and no frame has told yet; each event is told once, by the next frame
  /// of its device, and of any device if it is of none.
  [[nodiscard]] std::string take(std::string_view device, std::int64_t calendar_ns);

  /// What no frame of the device is left to tell, each line as of after the last one; of device "": what is
  /// of none, for the last frame of all.
  [[nodiscard]] std::string take_rest(std::string_view device);

 private:
  struct Comment {
    std::int64_t calendar_ns = 0;
    std::size_t place = 0;  ///< in the log, which orders what is of one moment
    std::string text = {};

    bool operator<(const Comment& other) const {
      return std::tie(calendar_ns, place) < std::tie(other.calendar_ns, other.place);
    }
  };
  /// A frame looks at the heads only: frames times events would be hours.
  struct Queue {
    std::vector<Comment> comments = {};  ///< in order of time
    std::size_t next = 0;

    /// @returns nothing if none is due by then
    [[nodiscard]] const Comment* due(std::int64_t calendar_ns) const;
  };
  std::map<std::string, Queue, std::less<>> queues_ = {};  ///< by device; "": of none
};

}  // namespace otasim::report::capture
