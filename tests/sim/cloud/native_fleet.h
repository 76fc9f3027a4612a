// Real devices without boards: as many OTA agents as a fleet has, in one process, with the cloud's front end.
//
//   NativeFleet fleet(cloud, clock, log);
//   fleet.add(1000);                         things d0000, d0001, ... in the group `fleet`, each agent
//   started fleet.device(3).behavior = Behavior::kFails;
//   ... an update is created ...
//   fleet.settle();                          until no message is under way
//   fleet.minute();                          the clock goes on, what is due happens, and settle()
//
// Each device is the agent as firmware has it (agent/src), over an environment in memory: what it publishes
// goes to the MQTT front end, what the front end gives out comes to those that subscribed. A device that
// activates an image starts again with it. Nothing sleeps and nothing runs beside: messages are taken in
// order.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/cloud/cloud.h"
#include "sim/cloud/mqtt_front_end.h"
#include "tests/agent/src/fake_environment.h"

namespace otasim::cloud::testing {

enum class Behavior {
  kUpdates,     ///< takes the image, tests it, accepts it
  kFails,       ///< finds the image's signature wrong
  kIsOff,       ///< does not hear of anything
  kFallsSilent  ///< says that it begins, and is not heard of again until it is woken
};

class NativeFleet;

class NativeDevice final : public ota_test::FakeEnvironment {
 public:
  NativeDevice(NativeFleet& fleet, std::string name);

  Behavior behavior = Behavior::kUpdates;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// When the device was first told of a job to do; epoch seconds.
  [[nodiscard]] std::optional<std::int64_t> notified_at() const { return notified_at_; }
  /// Power on, with whatever is in flash.
  void start();
  /// What a device does that had fallen silent: it starts again.
  void wake();
  void receive(const std::string& topic, const std::string& payload);
  [[nodiscard]] bool listens_to(const std::string& topic) const { return topics_.contains(topic); }
  [[nodiscard]] const std::optional<ota_test::Bytes>& image() const { return file; }
  [[nodiscard]] bool runs_new_image() const { return version > kVersion; }

  OtaMqttStatus_t subscribe(std::string_view filter, std::uint8_t qos) override;
  OtaMqttStatus_t publish(std::string_view topic, std::span<const std::uint8_t> payload,
                          std::uint8_t qos) override;

 private:
  void run();

  NativeFleet& fleet_;
  std::string name_;
  std::unique_ptr<ota::Agent> agent_;
  std::set<std::string> topics_;
  std::optional<std::int64_t> notified_at_;
  bool restarts_ = false;
  bool is_silent_ = false;
};

class NativeFleet final : public Publisher {
 public:
  NativeFleet(Cloud& cloud, ManualClock& clock, report::EventLog& log);

  static GroupName group() { return GroupName::trusted("fleet"); }

  void add(int devices);
  [[nodiscard]] NativeDevice& device(std::size_t index) { return *devices_.at(index); }
  [[nodiscard]] std::size_t size() const { return devices_.size(); }
  void settle();
  void minute();
  /// How many devices heard of a job for the first time in each minute from `start` on.
  [[nodiscard]] std::vector<std::int64_t> notified_each_minute(std::int64_t start, int minutes) const;
  [[nodiscard]] std::int64_t now() const { return clock_.now(); }

  void request(const std::string& device, std::string topic, std::string payload);
  void deliver(const ClientAddress& client, const std::string& topic, std::string_view payload) override;
  void publish(const std::string& topic, std::string_view payload, int qos) override;

 private:
  struct Message {
    NativeDevice* to;  ///< null: to the cloud
    std::string from;
    std::string topic;
    std::string payload;
  };
  [[nodiscard]] NativeDevice* find(const std::string& name) const;

  Cloud& cloud_;
  ManualClock& clock_;
  MqttFrontEnd front_end_;
  std::vector<std::unique_ptr<NativeDevice>> devices_;
  std::map<std::string, NativeDevice*> by_name_;
  std::deque<Message> messages_;
};

}  // namespace otasim::cloud::testing
