// What a scenario is played on: a lab of its own with the scenario's devices, and what an operator does to
// it.
//
//   auto stage = Stage::build(io, scenario, plan, log);
//   (*stage)->when_ready([&] { (*stage)->power_on_devices(); });
//   (*stage)->create_update(arguments);
//
// The run's folder gets a folder for each device (`devices/NAME/`: factory.bin, flash.bin, flash.ops,
// uart.log, link.pcap) and broker.log; the lab's own files stand in a temporary folder and go with the stage.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/json.h"
#include "sim/base/result.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/lab_device.h"
#include "sim/lab/running_lab.h"
#include "sim/scenario/checkpoint.h"
#include "sim/scenario/images.h"
#include "sim/scenario/run_debugger.h"
#include "sim/scenario/scenario.h"

namespace otasim::scenario {

/// A device's flash as it left the factory, in its folder.
inline constexpr const char* kFactoryFlashFile = "factory.bin";

class Stage {
 public:
  /// @param folder  of the run; exists
  /// @param keeps_recordings  of each device, to be replayed: `devices/NAME/recording/`
  /// @param checkpoint  of the process before, which was killed: its lab goes on
  /// @param key_log_path  the file that gets the lab's TLS secrets; empty: they are not logged
  /// @param debugger  has one of the devices; may be null
  /// @returns kUsage if the scenario asks for what cannot be made; kEnvironment if a part cannot be started
  [[nodiscard]] static Result<std::unique_ptr<Stage>> build(
      boost::asio::io_context& io, const Scenario& scenario, const Cell& cell, const std::string& folder,
      const std::optional<Checkpoint>& checkpoint, report::EventLog& log, RunDebugger* debugger = nullptr,
      const std::string& key_log_path = {}, bool keeps_recordings = false);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// The broker has gone, or a device went off by itself.
  void on_lab_exit(std::function<void(const Error&)> handler) { on_lab_exit_ = std::move(handler); }
  void on_device_exit(std::function<void(const std::string& device, const Error&)> handler) {
    on_device_exit_ = std::move(handler);
  }
  void when_ready(std::function<void()> ready) { lab_->when_ready(std::move(ready)); }
  /// Starts those that the scenario wants on.
  [[nodiscard]] Result<void> power_on_devices();

  // What steps do; each takes its step's arguments and returns why it could not be done.
  [[nodiscard]] Result<void> create_update(const nlohmann::json& arguments);
  [[nodiscard]] Result<void> create_job(const nlohmann::json& arguments);
  [[nodiscard]] Result<void> cancel(const nlohmann::json& arguments);
  [[nodiscard]] Result<void> remove_job(const nlohmann::json& arguments);
  /// @param done  called when the device is off, if it is switched off in order; else before this returns
  [[nodiscard]] Result<void> power(const nlohmann::json& arguments, std::function<void()> done);

  [[nodiscard]] Result<void> change_certificate(const nlohmann::json& arguments);
  void jump_clock(const nlohmann::json& arguments);
  /// @param done  called when the client has gone; an error if it was not let in
  void second_client(const nlohmann::json& arguments, std::function<void(const Result<void>&)> done);
  /// What goes wrong with these ends the run, as a broker that is gone does.
  void bring_broker_up();
  void restart_broker(std::int64_t down_ms);

  /// Writes each image to `FOLDER/NAME.img`, where a process that goes on looks for them.
  [[nodiscard]] Result<void> save_images(const std::string& folder) const;
  /// The lab's files: identities, store, objects.
  [[nodiscard]] std::string lab_folder() const { return temp_.path().string(); }
  /// Writes down what a process that goes on with this lab has to know.
  [[nodiscard]] Result<void> save(Checkpoint checkpoint);

  [[nodiscard]] lab::RunningLab& lab() { return *lab_; }
  [[nodiscard]] const lab::BuildProducts& products() const { return products_; }
  [[nodiscard]] lab::LabDevice& device(const std::string& name) { return *devices_.at(name).device; }
  [[nodiscard]] const std::map<std::string, Bytes>& images() const { return images_; }
  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] const std::vector<std::string>& device_names() const { return names_; }
  /// A device's flash as it left the factory.
  [[nodiscard]] const Bytes& factory_flash(const std::string& name) const {
    return devices_.at(name).factory_flash;
  }
  [[nodiscard]] std::string device_folder(const std::string& name) const {
    return folder_ + "/devices/" + name;
  }
  /// Image names of the updates that were created, by job id.
  [[nodiscard]] const std::map<std::string, std::string>& updates() const { return updates_; }

 private:
  struct Entry {
    std::unique_ptr<lab::LabDevice> device;
    Bytes factory_flash;
    bool starts_on = true;
  };

  Stage(boost::asio::io_context& io, const Cell& cell, std::string folder, report::EventLog& log,
        TempDir temp)
      : io_(io), cell_(cell), folder_(std::move(folder)), log_(log), temp_(std::move(temp)) {}

  [[nodiscard]] Result<void> find_products();
  [[nodiscard]] Result<void> set_up(const Scenario& scenario);
  [[nodiscard]] Result<void> go_on(const Scenario& scenario, const Checkpoint& checkpoint);
  [[nodiscard]] Result<void> tell_port(const lab::DeviceSpec& device) const;
  [[nodiscard]] Result<void> start_lab(Result<lab::Lab> identities, std::uint16_t mqtt_port);
  [[nodiscard]] Result<lab::DeviceSpec> spec_of(const nlohmann::json& spec, int number) const;
  [[nodiscard]] Result<void> open_device(const lab::DeviceSpec& spec, bool starts_on);
  [[nodiscard]] std::string image_file(const std::string& name) const;
  [[nodiscard]] Result<void> make_groups(const nlohmann::json& groups);
  [[nodiscard]] Result<void> make_device(const nlohmann::json& spec, int number);
  [[nodiscard]] Result<std::vector<cloud::JobTarget>> targets_of(const nlohmann::json& arguments) const;
  /// The signature that a step asks for, and the object's bytes, which it may damage.
  [[nodiscard]] Result<cloud::CodeSigning> signing_of(const nlohmann::json& arguments, Bytes& object);

  boost::asio::io_context& io_;
  const Cell& cell_;
  std::string folder_;
  report::EventLog& log_;
  RunDebugger* debugger_ = nullptr;
  std::string key_log_path_;
  TempDir temp_;         ///< the lab's folder
  std::string sockets_;  ///< this process's own; in it
  bool keeps_recordings_ = false;
  lab::BuildProducts products_;
  const lab::Board* board_ = nullptr;
  Bytes recovery_image_;
  std::map<std::string, Bytes> images_;
  std::vector<std::string> names_;
  std::map<std::string, std::string> updates_;
  std::function<void(const Error&)> on_lab_exit_;
  std::function<void(const std::string&, const Error&)> on_device_exit_;
  std::unique_ptr<lab::RunningLab> lab_;
  std::map<std::string, Entry> devices_;  // their power goes before the lab
};

}  // namespace otasim::scenario
