// A run's folder as `otasim run` leaves it, with events and flash operations that a test chooses.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pal_sim/flash/nor_model.h"
#include "pal_sim/flash/op_log.h"
#include "pal_sim/flash/window.h"
#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/temp_dir.h"

namespace otasim::test {

/// One device "thing-1" behind a controller; its clock and the events' are the same, from kEpochUs on.
class RunFolder : private flash::OpObserver {
 public:
  static constexpr std::int64_t kEpochUs = 1'795'826'247'000'000;

  RunFolder() : folder_(TempDir::create().value()), window_(flash::kWindowSize), part_(format(window_)) {
    std::filesystem::create_directories(device());
    window_[flash::kSlotA.offset] = 0x5A;  // the factory's
    const std::vector<std::uint8_t> factory(window_);
    EXPECT_TRUE(write_file_atomic(device() + "/factory.bin", factory).has_value());
    writer_ = flash::OpLogWriter::open(device() + "/flash.ops");
    EXPECT_TRUE(writer_.has_value());
    part_.set_observer(this);
    events_.open(path() + "/events.jsonl", std::ios::binary);
    event(0, "run", "step", {{"text", "begin"}, {"log_version", 1}, {"epoch_us", kEpochUs}});
  }

  [[nodiscard]] std::string path() const { return folder_.path().string(); }
  [[nodiscard]] std::string device() const { return path() + "/devices/thing-1"; }

  void event(std::int64_t t_us, std::string_view source, std::string_view name,
             nlohmann::json members = nlohmann::json::object()) {
    members["t_us"] = t_us;
    members["n"] = ++count_;
    members["source"] = source;
    members["event"] = name;
    line(members.dump());
  }
  void line(std::string_view text) { events_ << text << '\n' << std::flush; }

  /// The part, whose operations are logged as the agent's, done at this time.
  flash::NorModel& at(std::int64_t t_us) {
    now_us_ = t_us;
    return part_;
  }

  void result(const nlohmann::json& value) {
    EXPECT_TRUE(write_file_atomic(path() + "/result.json", value.dump()).has_value());
  }

 private:
  static flash::Window format(std::vector<std::uint8_t>& window) {
    flash::format_window(window);
    return window;
  }
  void on_operation(const flash::Operation& operation) override {
    flash::Operation logged = operation;
    logged.source = flash::OpSource::kAgent;
    logged.time_us = static_cast<std::uint64_t>(kEpochUs + now_us_);
    writer_->on_operation(logged);
  }

  TempDir folder_;
  std::vector<std::uint8_t> window_;
  flash::NorModel part_;
  std::optional<flash::OpLogWriter> writer_;
  std::ofstream events_;
  std::int64_t now_us_ = 0;
  int count_ = 0;
};

}  // namespace otasim::test
