// How far updates are, read from the event log: of each device what it is about, and the blocks it has.
//
//   stages.observe(event);
//   if (const auto bar = stages.bar()) progress.show(*bar);
//
// How many blocks there are the device says itself, in its job's details ("receive": "34/128") and, the demo
// application, on its console. Until then, and where there is no update, there is a stage only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sim/base/json.h"
#include "sim/report/progress.h"

namespace otasim::report {

class UpdateStages {
 public:
  void observe(const nlohmann::json& event);

  /// Of the devices whose update is going on, or else of the only device. @returns nothing if there is
  /// neither
  [[nodiscard]] std::optional<Progress::Bar> bar() const;

 private:
  struct Device {
    std::string stage;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    bool is_updating = false;
  };

  void observe_device(const std::string& name, const std::string& kind);
  void observe_boot(const nlohmann::json& event, const std::string& kind);
  void observe_console(const nlohmann::json& event);
  void observe_execution(const nlohmann::json& event);
  void observe_served(const nlohmann::json& event);
  static void receive(Device& device, std::uint64_t done, std::uint64_t total);

  std::map<std::string, Device> devices_;
  bool has_failed_ = false;
};

}  // namespace otasim::report
