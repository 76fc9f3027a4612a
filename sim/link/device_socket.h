// The two unix datagram sockets between the link and QEMU; one datagram is one Ethernet frame.
//
// The link's socket is there before QEMU starts. QEMU makes its own, removing what an earlier process left at
// that path, so a restarted device is found again at the first frame for it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "sim/base/result.h"
#include "sim/base/unique_fd.h"
#include "sim/link/ethernet.h"

namespace otasim::link {

class DeviceSocket {
 public:
  enum class Sent : std::uint8_t {
    kYes,
    kWouldBlock,  ///< QEMU does not read at the moment; poll send_fd() for POLLOUT
    kDeviceOff,   ///< nobody at the other end
    kFailed,
  };

  /// @param own_path   where QEMU sends to; a socket left there by an earlier run is replaced
  /// @param qemu_path  where QEMU receives
  /// @returns kEnvironment if a path is too long or the socket cannot be made
  [[nodiscard]] static Result<DeviceSocket> bind(const std::string& own_path, const std::string& qemu_path);

  DeviceSocket(DeviceSocket&& other) noexcept;
  DeviceSocket& operator=(DeviceSocket&&) = delete;
  /// Removes both sockets' files.
  ~DeviceSocket();

  /// The next frame, cut to the buffer's size. Empty: none is waiting.
  [[nodiscard]] std::optional<Bytes> receive(std::span<std::uint8_t> buffer);
  [[nodiscard]] Sent send(Bytes frame);
  /// What was sent and QEMU has not read, with the kernel's overhead; 0 if nobody is there.
  [[nodiscard]] std::size_t unread_bytes() const;

  [[nodiscard]] int receive_fd() const { return receiver_.get(); }
  [[nodiscard]] int send_fd() const { return sender_.get(); }

 private:
  DeviceSocket() = default;
  [[nodiscard]] bool connect_sender();

  std::string own_path_;
  std::string qemu_path_;
  UniqueFd receiver_;
  // A socket of its own: only a connected one can be polled for room at the other end, and a connected one
  // would receive from nobody else.
  UniqueFd sender_;
  bool connected_ = false;
};

}  // namespace otasim::link
