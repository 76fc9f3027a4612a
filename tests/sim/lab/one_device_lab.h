// A running lab with one device, for tests that drive a real one in QEMU and read its console.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/lab/firmware.h"
#include "sim/lab/lab_device.h"
#include "sim/lab/running_lab.h"
#include "sim/report/event_log.h"
#include "tests/board_under_test.h"

namespace otasim::lab {

inline constexpr const char* kThing = "thing-1";

class OneDeviceLab : public testing::Test {
 protected:
  using Bytes = std::vector<std::uint8_t>;

  /// How long anything is waited for: more than a trial's deadline, a minute of the boot ROM's.
  static constexpr std::chrono::seconds kLimit{120};

  void start_lab(const EndpointCertificate& endpoint = {}) {
    start_services(endpoint);
    if (!HasFatalFailure()) make_device();
  }

  /// Broker and cloud, without a device.
  void start_services(const EndpointCertificate& endpoint = {}) {
    auto found = BuildProducts::find(test::board_name());
    ASSERT_TRUE(found) << found.error().message;
    products = *found;
    auto identities = Lab::create(folder.path().string());
    ASSERT_TRUE(identities) << identities.error().message;
    ASSERT_TRUE(identities->reissue_endpoint(endpoint));
    auto started = RunningLab::start(
        io, std::move(*identities),
        {.socket_folder = sockets.path().string(), .broker_plugin = products.broker_plugin}, *log);
    ASSERT_TRUE(started) << started.error().message;
    lab = std::move(*started);
  }

  /// @param recovery  in its recovery slot; empty: none
  void make_device(std::span<const std::uint8_t> recovery = {}) {
    const DeviceSpec spec{.name = kThing,
                          .board = &test::board_under_test(),
                          .mac = {0x02, 0, 0, 0, 0, 1},
                          .folder = folder.path().string(),
                          .socket_folder = sockets.path().string()};
    const auto identity = register_device(*lab, kThing);
    ASSERT_TRUE(identity) << identity.error().message;
    const Bytes factory = firmware({.version = "1.0.0"});
    ASSERT_TRUE(equip_device(*lab, spec, *identity, {factory, recovery}, products));
    auto opened = LabDevice::open(*lab, spec, products);
    ASSERT_TRUE(opened) << opened.error().message;
    device = std::move(*opened);
    listening =
        device->listen_console({.on_line = [this](std::string_view line) { lines.emplace_back(line); }});
    bool is_ready = false;
    lab->when_ready([&is_ready] { is_ready = true; });
    ASSERT_TRUE(wait_for([&is_ready] { return is_ready; }));
  }

  [[nodiscard]] Bytes firmware(const FirmwareSource& source) const {
    return make_firmware(source, test::board_under_test(), products).value();
  }

  void power_on() {
    lines.clear();
    ASSERT_TRUE(device->start());
  }
  /// Power is lost, and comes back.
  void restart() {
    device->cut();
    power_on();
  }

  template <typename Condition>
  [[nodiscard]] bool wait_for(Condition holds) {
    const auto end = std::chrono::steady_clock::now() + kLimit;
    while (!holds() && std::chrono::steady_clock::now() < end) io.run_one_for(std::chrono::milliseconds(200));
    return holds();
  }
  /// Since power_on().
  [[nodiscard]] bool has_said(std::string_view text) const {
    return std::ranges::any_of(
        lines, [text](const std::string& line) { return line.find(text) != std::string::npos; });
  }
  [[nodiscard]] testing::AssertionResult says(std::string_view text) {
    if (wait_for([&] { return has_said(text); })) return testing::AssertionSuccess();
    return failure() << "the device does not say \"" << text << "\"";
  }
  [[nodiscard]] testing::AssertionResult failure() const {
    auto result = testing::AssertionFailure();
    for (const std::string& line : lines) result << line << "\n";
    return result;
  }

  TempDir folder = TempDir::create().value();
  TempDir sockets = TempDir::create().value();
  boost::asio::io_context io;
  std::unique_ptr<report::EventLog> log = report::EventLog::in_memory();
  BuildProducts products;
  std::unique_ptr<RunningLab> lab;
  std::vector<std::string> lines;
  std::unique_ptr<LabDevice> device;
  cloud::Subscription listening;
};

}  // namespace otasim::lab
