// The device's TCP connections: which there are, and where their sequence numbers stand.
//
// It hears the frames that reach the host's end of the link, and those that leave it. A connection is there
// from its SYN until a RST, or until both ends have sent a FIN. The numbers are the device's own view: what
// it sent, and what it acknowledged last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "sim/link/frame_info.h"

namespace otasim::link {

struct Flow {
  FlowKey key{};
  std::uint32_t device_next = 0;  ///< the sequence number of what the device sends next
  std::uint32_t host_next = 0;    ///< the one that it expects from the host
};

class FlowTable {
 public:
  /// More than libslirp is let open; further ones are not kept.
  static constexpr std::size_t kMaxFlows = 1024;

  void from_device(const FrameInfo& frame);
  void to_device(const FrameInfo& frame);

  /// @param host_port  0: all
  [[nodiscard]] std::vector<Flow> flows_to(std::uint16_t host_port) const;
  void forget(FlowKey key) { flows_.erase(key); }

 private:
  struct State {
    std::uint32_t device_next = 0;
    std::uint32_t host_next = 0;
    bool established = false;  ///< host_next is known
    bool device_closed = false;
    bool host_closed = false;
  };

  std::map<FlowKey, State> flows_;
};

}  // namespace otasim::link
