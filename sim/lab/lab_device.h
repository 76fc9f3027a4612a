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
// Faults are armed by arm(), on or off, and stay armed over power cycles until they have struck as often as
// they may or are cleared. Each strike is an event ("fault") of the layer it belongs to. A power cut that
// strikes in flash leaves the device off; whoever wants it on again starts it.
//
// Files of a device: flash.bin, flash.faults (its cells' wear, and what is armed), uart.log (the console's
// raw bytes); with `record` link.pcap and flash.ops, with `log_flash` flash.ops and factory.bin.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/cloud/listeners.h"
#include "sim/device/device.h"
#include "sim/device/device_fault.h"
#include "sim/flash/at_rest.h"
#include "sim/flash/flash_faults.h"
#include "sim/flash/flash_file.h"
#include "sim/lab/board_flash.h"
#include "sim/lab/boards.h"
#include "sim/lab/build_products.h"
#include "sim/lab/factory.h"
#include "sim/lab/running_lab.h"
#include "sim/lab/transfer_settings.h"
#include "sim/link/link.h"
#include "sim/replay/recorder.h"

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
  std::string folder;                       ///< where its files are; exists
  std::string socket_folder;                ///< this device's own, its path short; exists
  device::DebugPort* debug_port = nullptr;  ///< a debugger holds its processor; outlives the device
  bool capture = false;                     ///< every frame, also without `record`
  std::string recording_folder = {};        ///< boots that can be replayed (sim/replay); empty: none
  bool record = false;  ///< every frame and every operation on the flash, in files that only grow
  /// The operations on the flash since the lab's start (flash.ops) and the flash before them (factory.bin),
  /// begun anew when they are too many: for those who watch.
  bool log_flash = false;
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
  /// @returns kEnvironment if its flash file cannot be used, or is of another kind of part than the board's
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

  /// The cable, which is laid if it is not yet; stop() takes it up, and with it the faults armed on it.
  /// @returns kEnvironment if it cannot be
  [[nodiscard]] Result<link::Link*> link();
  /// Which cable that is, each time it is laid another; 0: none. Faults on a link are the cable's.
  [[nodiscard]] std::uint64_t cable() const { return link_ ? cables_laid_ : 0; }

  // Faults.

  /// @returns kUsage if the fault is impossible: no such place, too many, or none that the board's flash can
  ///          express (back_end.h)
  [[nodiscard]] Result<flash_file::FaultId> arm(const flash_file::FlashFault& fault);
  /// @returns kUsage if the fault is impossible, also on this board, or strikes at once and the device is off
  ///          kEnvironment if the program that it names cannot be read
  [[nodiscard]] Result<flash_file::FaultId> arm(const device::DeviceFault& fault);
  /// Takes back what has not struck yet, and ends what lasts. Does nothing for one that is over.
  void clear(flash_file::FaultId id);
  /// Calls `handler` when a power cut has struck in flash: the device is off.
  void on_power_cut(std::function<void()> handler) { on_power_cut_ = std::move(handler); }

  /// What befalls flash at rest. @returns kUsage if the device is on, or the range is none
  [[nodiscard]] Result<std::vector<flash_file::RottenBit>> rot(const flash_file::BitRot& rot);
  [[nodiscard]] Result<void> destroy(const flash_file::Destroy& destroy);

  [[nodiscard]] const DeviceSpec& spec() const { return spec_; }
  [[nodiscard]] Power power() const;
  /// What its flash holds. While it is on, a SPI NOR's is behind the device by what QEMU has sent and the
  /// drive has not seen yet; once it is off, this is final.
  [[nodiscard]] std::span<const std::uint8_t> flash() const { return flash_.bytes(); }
  /// Version of the image that the bootloader started last; empty before it has.
  [[nodiscard]] const std::string& running_version() const { return running_version_; }
  /// Whether that was the recovery image: the device waits for an update.
  [[nodiscard]] bool is_in_recovery() const { return is_in_recovery_; }
  /// Why it went off by itself last; empty if it was told to.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  /// Why what is recorded is not all, if so.
  [[nodiscard]] std::optional<Error> recording_error() const {
    return recorder_ ? recorder_->error() : std::nullopt;
  }

  /// The console's last lines, at most kKeptLines.
  [[nodiscard]] const std::deque<std::string>& console_lines() const { return console_lines_; }
  /// Hears each line to come, until the subscription is let go.
  [[nodiscard]] cloud::Subscription listen_console(ConsoleListener listener);

 private:
  LabDevice(RunningLab& lab, DeviceSpec spec, BuildProducts products, flash_file::FlashFile flash);

  [[nodiscard]] Result<void> bring_link_up();
  [[nodiscard]] Result<void> begin_flash_log();
  [[nodiscard]] Result<void> limit_flash_log();
  void make_board_flash();
  [[nodiscard]] Result<void> make_recorder();
  void lose_power_in_flash();
  [[nodiscard]] Result<void> create_device();
  void handle_line(std::string_view line);
  void handle_off();
  void handle_strike(const flash_file::FlashStrike& strike);
  void strike(const device::DeviceFault& fault, flash_file::FaultId id);
  [[nodiscard]] Result<flash_file::FaultId> arm_skip(const device::SkipInstruction& skip);
  void emit_fault(nlohmann::json fields);
  [[nodiscard]] Result<void> need_no_debugger(const device::DeviceFault& fault) const;
  [[nodiscard]] Result<void> need_off(std::string_view fault) const;

  RunningLab& lab_;
  DeviceSpec spec_;
  BuildProducts products_;
  flash_file::FlashFile flash_;
  std::unique_ptr<flash_file::FlashFaults> faults_;
  std::optional<BoardFlash> board_flash_;
  std::map<flash_file::FaultId, device::SkipPoint> skips_;
  std::optional<flash_file::FaultId> hang_;
  std::function<void()> on_power_cut_;
  std::function<void(const Error&)> on_exit_;
  std::deque<std::string> console_lines_;
  cloud::Listeners<ConsoleListener> console_listeners_;
  std::string running_version_;
  bool is_in_recovery_ = false;
  std::string problem_;
  bool is_stopping_ = false;
  std::uint64_t cables_laid_ = 0;
  std::unique_ptr<link::Link> link_;
  std::unique_ptr<replay::Recorder> recorder_;
  std::unique_ptr<device::Device> device_;  // last: its power goes first
};

}  // namespace otasim::lab
