// A flash file with armed faults and an op log, and parts that are powered on from it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pal_sim/flash/flash_map.h"
#include "pal_sim/flash/op_log.h"
#include "sim/flash/flash_faults.h"
#include "sim/flash/flash_file.h"
#include "sim/flash/flash_part.h"
#include "tests/sim/flash/temporary_folder.h"

namespace otasim::flash_file {

class FlashPartFixture : public testing::Test {
 protected:
  using Bytes = std::vector<std::uint8_t>;

  static constexpr ::flash::Geometry kPart = ::flash::kSpiNorPart;
  static constexpr std::uint32_t kSector = kPart.sector_size;
  static constexpr std::uint32_t kPage = kPart.page_size;
  static constexpr std::uint32_t kSlot = ::flash::kSlotB.offset;

  FlashPartFixture() {
    flash.emplace(FlashFile::create(folder.file("flash.bin"), kPart).value());
    auto opened = FlashFaults::open(
        io, {.fault_path = folder.file("flash.faults"), .wake_path = folder.file("wake")}, *flash);
    EXPECT_TRUE(opened) << opened.error().message;
    faults = std::move(*opened);
    faults->on_strike([this](const FlashStrike& strike) { strikes.push_back(strike.to_json()); });
  }

  [[nodiscard]] FlashPartFiles files() const {
    return {.window_path = folder.file("flash.bin"),
            .op_log_path = folder.file("flash.ops"),
            .fault_path = folder.file("flash.faults"),
            .wake_path = folder.file("wake"),
            .seed = 1};
  }
  std::unique_ptr<FlashPart> power_on() {
    auto on = FlashPart::power_on(files());
    EXPECT_TRUE(on) << on.error().message;
    return std::move(*on);
  }

  void arm(const FlashFault& fault) {
    const auto id = faults->arm(fault);
    ASSERT_TRUE(id) << id.error().message;
    armed.push_back(*id);
  }
  void clear_faults() {
    for (const FaultId id : armed) faults->clear(id);
    armed.clear();
  }

  [[nodiscard]] Bytes bytes(std::uint32_t offset, std::size_t length) const {
    const auto part = flash->bytes().subspan(offset, length);
    return {part.begin(), part.end()};
  }
  [[nodiscard]] Bytes window() const { return bytes(0, ::flash::kWindowSize); }

  /// The op log: "program 4194314+3 ok".
  [[nodiscard]] std::vector<std::string> logged() const {
    std::vector<std::string> lines;
    const auto log = ::flash::read_op_log(folder.file("flash.ops"));
    EXPECT_TRUE(log);
    for (const auto& one : log->operations) {
      lines.push_back(std::string(to_string(one.kind)) + " " + std::to_string(one.offset) + "+" +
                      std::to_string(one.length) + " " + ::flash::to_string(one.status));
    }
    return lines;
  }

  TemporaryFolder folder;
  boost::asio::io_context io;
  std::optional<FlashFile> flash;
  std::unique_ptr<FlashFaults> faults;
  std::vector<FaultId> armed;
  std::vector<nlohmann::json> strikes;
};

}  // namespace otasim::flash_file
