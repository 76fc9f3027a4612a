// One device of a running lab: a board with its flash file, its own link and its power switch.
//
//   register_device(lab, name);                    // thing, key and certificate in the cloud
//   equip_device(lab, spec, identity, images, products); // the factory: settings, first and recovery image
//   auto device = LabDevice::open(lab, spec, products);
//   (*device)->start();
//   (*device)->cut();          // power is lost now
//   (*device)->stop(done);     // in order
//
// The two ways to go off differ in what others notice. A cut leaves the flash as the instant left it, and the
// TCP connections half-open: the broker finds out by keep-alive, or when the device comes back and takes
// over. A stop ends the machine between two operations on its flash and takes the link down, which closes the
// connections: the broker knows at once.
//
// Files of a device: flash.bin, uart.log (the console's raw bytes); and with `record` link.pcap and
// flash.ops.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sim/base/result.h"
#include "sim/cloud/listeners.h"
#include "sim/device/device.h"
#include "sim/flash/flash_file.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"
#include "sim/lab/factory.h"
#include "sim/lab/running_lab.h"
#include "sim/lab/transfer_settings.h"
#include "sim/link/link.h"

namespace otasim::lab {

struct DeviceSpec {
  std::string name;  ///< the thing's
  const Board* board = nullptr;
  link::MacAddress mac{};
  std::uint64_t seed = 1;  ///< of the device's entropy
  TransferSettings transfer = {};
  std::uint32_t request_wait_ms = DeviceSettings{}.request_wait_ms;
  std::uint32_t self_test_ms = DeviceSettings{}.self_test_ms;
  std::uint16_t keep_alive_seconds = DeviceSettings{}.keep_alive_seconds;
  std::string folder;         ///< where its files are; exists
  std::string socket_folder;  ///< this device's own, its path short; exists
  bool record = false;        ///< every frame and every operation on the flash, in files that only grow
};

/// Makes the device's key and certificate, and the thing they may act as.
[[nodiscard]] Result<Identity> register_device(RunningLab& lab, const std::string& name);

/// Makes the device's flash file, which must not exist, as it leaves the factory.
[[nodiscard]] Result<void> equip_device(const RunningLab& lab, const DeviceSpec& spec,
                                        const Identity& identity, const FactoryImages& images,
                                        const BuildProducts& products);

/// Hears a device's console.
struct ConsoleListener {
  std::function<void(std::string_view line)> on_line;
  std::function<void()> on_end = {};  ///< the device is being removed
};

class LabDevice {
 public:
  /// Console lines that are kept.
  static constexpr std::size_t kKeptLines = 1000;

  enum class Power { kOff, kOn, kStopping };

  /// @param products  those of the device's board
  /// @returns kEnvironment if its flash file cannot be used
  [[nodiscard]] static Result<std::unique_ptr<LabDevice>> open(RunningLab& lab, DeviceSpec spec,
                                                               BuildProducts products);
  ~LabDevice();
  LabDevice(const LabDevice&) = delete;
  LabDevice& operator=(const LabDevice&) = delete;

  /// Calls `handler` when the device goes off by itself.
  void on_exit(std::function<void(const Error& error)> handler) { on_exit_ = std::move(handler); }

  /// @returns kUsage if it is on; kEnvironment if QEMU or the link cannot be started
  [[nodiscard]] Result<void> start();
  /// Does nothing if it is off. Ends a stop() that is under way.
  void cut();
  /// Calls `done` when the device is off; at once if it is.
  void stop(std::function<void()> done);
  /// Pulls the reset line. @returns kUsage if it is off
  [[nodiscard]] Result<void> reset();

  [[nodiscard]] const DeviceSpec& spec() const { return spec_; }
  [[nodiscard]] Power power() const;
  [[nodiscard]] std::span<const std::uint8_t> flash() const { return flash_.bytes(); }
  /// Version of the image that the bootloader started last; empty before it has.
  [[nodiscard]] const std::string& running_version() const { return running_version_; }
  /// Whether that was the recovery image: the device waits for an update.
  [[nodiscard]] bool is_in_recovery() const { return is_in_recovery_; }
  /// Why it went off by itself last; empty if it was told to.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  /// The console's last lines, at most kKeptLines.
  [[nodiscard]] const std::deque<std::string>& console_lines() const { return console_lines_; }
  /// Hears each line to come, until the subscription is let go.
  [[nodiscard]] cloud::Subscription listen_console(ConsoleListener listener);

 private:
  LabDevice(RunningLab& lab, DeviceSpec spec, BuildProducts products, flash_file::FlashFile flash);

  [[nodiscard]] Result<void> bring_link_up();
  [[nodiscard]] Result<void> create_device();
  void handle_line(std::string_view line);

  RunningLab& lab_;
  DeviceSpec spec_;
  BuildProducts products_;
  flash_file::FlashFile flash_;
  std::function<void(const Error&)> on_exit_;
  std::deque<std::string> console_lines_;
  cloud::Listeners<ConsoleListener> console_listeners_;
  std::string running_version_;
  bool is_in_recovery_ = false;
  std::string problem_;
  bool is_stopping_ = false;
  std::unique_ptr<link::Link> link_;
  std::unique_ptr<device::Device> device_;  // last: its power goes first
};

}  // namespace otasim::lab
