// A board in QEMU with the real bootloader and images of the probe (device/probe_main.cc): what a test does
// with flash while the device is off, and what the device says.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/boot/boot_state.h"
#include "pal_sim/flash/flash_driver.h"
#include "sim/base/temp_dir.h"
#include "sim/crypto/key.h"
#include "sim/device/device.h"
#include "sim/flash/flash_file.h"
#include "sim/image/image.h"
#include "sim/lab/board_flash.h"
#include "sim/lab/build_products.h"
#include "sim/report/event_log.h"
#include "tests/board_under_test.h"
#include "tests/qemu_boards/device/probe_task.h"

namespace otasim::test {

using crypto::Bytes;

/// One image of the probe.
struct ProbeImage {
  probe::Task task = probe::Task::kIdle;
  image::Version version = {1, 0, 0, 0};
  std::uint32_t security_counter = 1;
  boot::image::Kind kind = boot::image::Kind::kApplication;
  std::uint32_t revoked_keys = 0;
  bool is_encrypted = false;
  bool by_spare_signer = false;
  const crypto::P256Key* stranger = nullptr;  ///< signs instead of the ROM's signers
};

/// Which bootloader the device has.
enum class PreviousImage : std::uint8_t {
  kAsBuilt,  ///< the build's
  kKept,     ///< one built with OTASIM_KEEP_PREVIOUS_IMAGE
};

class ProbeDevice {
 public:
  /// A device that runs the probe 1.0.0 from slot A once it is switched on. Failures end the test program.
  explicit ProbeDevice(PreviousImage previous_image = PreviousImage::kAsBuilt);

  [[nodiscard]] Bytes make(const ProbeImage& image) const;

  // While the device is off.

  void write(boot::Slot slot, std::span<const std::uint8_t> image);
  /// As an application leaves it that received `image` into slot B for "job-1" and verified it.
  void stage(std::span<const std::uint8_t> image);
  /// As an application leaves it that is about to receive into `slot` for "job-1", and has erased nothing
  /// yet.
  void begin_receive(boot::Slot slot);
  [[nodiscard]] boot::BootState boot_state() const;
  [[nodiscard]] flash_file::FlashFile& flash() { return *flash_; }

  /// @param virtual_time  the processor's clock counts instructions, and runs ahead while it sleeps: a minute
  /// of the
  ///                      device's time passes in a second or less
  /// @param more_arguments  for QEMU
  void power_on(bool virtual_time = false, std::vector<std::string> more_arguments = {});
  void power_off();
  [[nodiscard]] const lab::BuildProducts& products() const { return products_; }
  /// A file in the device's own folder.
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  /// The reset line, from outside.
  void reset() { device_->reset(); }

  /// Waits until the device says a line that contains `text`, behind what earlier waits found.
  [[nodiscard]] testing::AssertionResult says(std::string_view text);
  /// Waits until QEMU ends by itself, and returns why.
  [[nodiscard]] std::string goes_off();
  /// All lines since the last power_on().
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  [[nodiscard]] bool has_said(std::string_view text) const;

 private:
  TempDir folder_ = TempDir::create().value();
  boost::asio::io_context io_;
  std::unique_ptr<report::EventLog> events_ = report::EventLog::in_memory();
  lab::BuildProducts products_;
  Bytes payload_;
  std::optional<crypto::P256Key> signer_;
  std::optional<crypto::P256Key> spare_signer_;
  std::optional<crypto::P256Key> encryption_key_;
  std::optional<flash_file::FlashFile> flash_;
  std::optional<lab::BoardFlash> board_flash_;
  std::unique_ptr<device::Device> device_;
  std::vector<std::string> lines_;
  std::size_t searched_ = 0;
  std::string exit_message_;
};

}  // namespace otasim::test
