// One device for one measurement: its own thing, flash and link, with settings, ports and a delay that
// sim/lab's devices do not have.
//
//   BenchDevice device(lab, folder, {.name = "bench-1", .image = ..., .mqtt_port = ...});
//   device.on_line(...);
//   device.power_on();          // and run the lab's io_context
//   ~BenchDevice                // cuts the power
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/device/device.h"
#include "sim/flash/flash_file.h"
#include "sim/lab/board_flash.h"
#include "sim/lab/build_products.h"
#include "sim/lab/factory.h"
#include "sim/lab/running_lab.h"
#include "sim/link/link.h"

namespace otasim::bench {

struct BenchDeviceOptions {
  std::string board;
  std::span<const std::uint8_t> image;         ///< what it starts with
  lab::DeviceSettings settings;                ///< with its thing's name
  std::vector<std::uint16_t> more_ports = {};  ///< of the host, beside the lab's
  std::chrono::microseconds one_way_delay{0};
};

class BenchDevice {
 public:
  BenchDevice(lab::RunningLab& lab, const lab::BuildProducts& products, const BenchDeviceOptions& options);

  void on_line(std::function<void(std::string_view line)> handler);
  /// It went off by itself.
  void on_exit(std::function<void(const Error& error)> handler);
  void power_on();

  [[nodiscard]] std::span<const std::uint8_t> flash() const { return flash_->bytes(); }

 private:
  TempDir folder_;
  std::optional<flash_file::FlashFile> flash_;
  std::optional<lab::BoardFlash> board_flash_;
  std::unique_ptr<link::Link> link_;
  std::unique_ptr<device::Device> device_;  // last: its power goes first
};

}  // namespace otasim::bench
