// Reads the event log of a run with one update and says what the run is to do next.
//
// A pure function of the events it was shown, so it is tested without a lab.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/scenario/update_run.h"

namespace otasim::scenario {

class UpdateObserver {
 public:
  enum class Next {
    kNothing,
    kOfferUpdate,   ///< the device is connected and has asked for work: create the OTA update
    kShowProgress,  ///< more blocks were served
    kEnd,           ///< the job is over, and the device has said what was awaited
  };

  /// @param last_line  awaited on the console after SUCCEEDED; empty: nothing
  UpdateObserver(std::string thing, std::string last_line);

  [[nodiscard]] Next observe(const nlohmann::json& event);

  /// Bytes of the image the cloud has served so far, over MQTT in blocks of `block_size`; repeated ones count
  /// again.
  [[nodiscard]] std::uint64_t served_bytes(std::uint64_t block_size) const {
    return blocks_ * block_size + bytes_;
  }
  [[nodiscard]] const std::string& last_console_line() const { return last_console_line_; }
  /// What was seen; the flash's part of it is not.
  [[nodiscard]] const UpdateOutcome& outcome() const { return outcome_; }

 private:
  Next observe_console(const std::string& line, std::int64_t now_ms);
  Next observe_request(const nlohmann::json& event);
  Next observe_blocks(const nlohmann::json& event, std::int64_t now_ms);
  Next observe_object(const nlohmann::json& event, std::int64_t now_ms);
  void begin_transfer(std::int64_t now_ms);
  Next observe_execution(const nlohmann::json& event, std::int64_t now_ms);
  [[nodiscard]] Next end_if_complete() const;

  std::string thing_;
  std::string last_line_;
  std::string last_console_line_;
  UpdateOutcome outcome_;
  std::int64_t power_on_ms_ = -1;
  std::int64_t transfer_start_ms_ = -1;
  std::uint64_t blocks_ = 0;  ///< over MQTT
  std::uint64_t bytes_ = 0;   ///< over HTTP
  bool is_offered_ = false;
  bool is_over_ = false;
  bool last_line_seen_ = false;
};

}  // namespace otasim::scenario
