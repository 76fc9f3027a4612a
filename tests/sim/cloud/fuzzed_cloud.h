// A cloud with two things and something to do for both, the same again for every input of a fuzzer.
//
//   FuzzedCloud cloud;                  once: makes the store
//   cloud.reset();                      for each input: puts the store back to that
//   for (const Sent& sent : cloud.request(client, topic, payload)) ...
//
// Whatever is the door's alone has kOfDoor in it, so that it is recognised wherever it turns up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/base/temp_dir.h"
#include "sim/cloud/cloud.h"
#include "sim/cloud/mqtt_front_end.h"
#include "sim/cloud/publisher.h"

namespace otasim::cloud {

struct Sent {
  ClientAddress client;  ///< empty: published to all
  std::string topic;
  std::string payload;
};

class FuzzedCloud final : private Publisher {
 public:
  static constexpr std::int64_t kNow = 1'700'000'000;
  static constexpr std::string_view kOfDoor = "of-door";
  /// The jobs, all but the update's; a thing may have an execution of each or not.
  static constexpr const char* kJobs[] = {"over", "begun", "waiting", "lamps", "doors", "AFR_OTA-u1"};
  /// The stream's name and its files' sizes by id.
  static constexpr const char* kStream = "image";
  static const std::vector<std::pair<std::int64_t, std::size_t>>& files();
  static std::uint8_t byte_at(std::size_t offset) {
    return static_cast<std::uint8_t>(offset * 31 + offset / 251);
  }

  FuzzedCloud();
  void reset();

  /// Passes on what a device published. @returns all that went out
  std::vector<Sent> request(const ClientAddress& client, const std::string& topic, std::string_view payload);

  [[nodiscard]] Cloud& cloud() { return *cloud_; }

 private:
  /// In memory, where there is such a folder: SQLite waits for the disk else, ten times as long as all the
  /// rest.
  static TempDir make_folder();
  void open();
  void fill();
  void deliver(const ClientAddress& client, const std::string& topic, std::string_view payload) override;
  void publish(const std::string& topic, std::string_view payload, int qos) override;

  TempDir folder_ = make_folder();
  std::string store_ = folder_.file("cloud.sqlite");
  ManualClock clock_{kNow};
  std::unique_ptr<report::EventLog> log_ = report::EventLog::in_memory();
  std::unique_ptr<Cloud> cloud_;
  std::optional<MqttFrontEnd> front_end_;
  std::string filled_;  ///< the store's file as fill() left it
  std::vector<Sent> sent_;
};

}  // namespace otasim::cloud
