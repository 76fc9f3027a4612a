// The devices of a lasting lab: added, found again at the next start, removed.
//
//   auto fleet = Fleet::open(lab, socket_folder);    // finishes what a killed lab had begun
//   (*fleet)->power_up();                            // those that were on, once the broker is ready
//   (*fleet)->add({.name = "thing-1", .board = "mps2-an385", .image = bytes});
//   (*fleet)->start("thing-1");
//
// A device is a thing with one certificate, and a folder `devices/NAME/` in the lab's: device.json, the key
// and certificate, factory.img, recovery.img, flash.bin, uart.log. Whatever is done to a device is written
// down before it is begun: killed at any moment, a device that was being made is made, and one that was being
// removed is gone, after the next open(). A device that is on when the lab ends is on again when it goes on.
//
// Devices are named like things, 1 to 64 characters: that much fits their provisioning.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/lab/device_record.h"
#include "sim/lab/lab_device.h"
#include "sim/lab/running_lab.h"

namespace otasim::lab {

struct NewDevice {
  std::string name;
  std::string board;
  std::vector<std::uint8_t> image;       ///< signed; what it starts with
  bool has_recovery = true;              ///< its recovery slot holds this build's recovery image
  std::vector<std::string> groups = {};  ///< of things; must exist
  std::optional<std::uint64_t> seed = {};
  TransferSettings transfer = {};
};

struct FleetOptions {
  bool log_flash = false;  ///< DeviceSpec::log_flash, of all devices
};

class Fleet {
 public:
  static constexpr std::size_t kMaxNameLength = 64;

  /// @param socket_folder  exists, its path is short
  /// @returns kEnvironment if a device's files are missing or damaged
  [[nodiscard]] static Result<std::unique_ptr<Fleet>> open(RunningLab& lab, std::string socket_folder,
                                                           FleetOptions options = {});
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  /// Starts the devices that were on. One that cannot be started is off, and says why (LabDevice::problem()).
  void power_up();

  /// Makes a device; it is off.
  /// @returns kUsage  the name is bad or taken (by a device or a thing), there is no such board or group, or
  ///                  the image is none
  [[nodiscard]] Result<void> add(const NewDevice& request);
  /// Factory reset: a blank flash, the images of the factory, a new key and certificate. The thing is deleted
  /// and made again, and joins the groups it was in, so that it gets their continuous jobs. The device is off
  /// afterwards. @returns kUsage for an unknown name
  [[nodiscard]] Result<void> reprovision(const std::string& name);
  /// Takes the device, its thing and its files away. @returns kUsage for an unknown name
  [[nodiscard]] Result<void> remove(const std::string& name);

  // Each returns kUsage for an unknown name, and what LabDevice's does.
  [[nodiscard]] Result<void> start(const std::string& name);
  [[nodiscard]] Result<void> cut(const std::string& name);
  /// @param done  called when it is off, if this returns no error
  [[nodiscard]] Result<void> stop(const std::string& name, std::function<void()> done);
  [[nodiscard]] Result<void> reset(const std::string& name);

  /// Takes all devices down in order; they stay what they are for the next start. Calls `done` once.
  void stop_all(std::function<void()> done);

  /// @returns kUsage for an unknown name
  [[nodiscard]] Result<LabDevice*> find(const std::string& name);
  [[nodiscard]] const DeviceRecord& record(const std::string& name) const { return devices_.at(name).record; }
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  struct Entry {
    DeviceRecord record;
    std::unique_ptr<LabDevice> device;
  };

  Fleet(RunningLab& lab, std::string socket_folder, FleetOptions options)
      : lab_(lab), socket_folder_(std::move(socket_folder)), options_(options) {}

  [[nodiscard]] Result<void> load_all();
  [[nodiscard]] Result<void> resume(DeviceRecord record);
  [[nodiscard]] Result<void> check_new(const NewDevice& request);
  [[nodiscard]] Result<void> write_images(const NewDevice& request, DeviceRecord& record);
  [[nodiscard]] Result<void> equip(DeviceRecord record);
  [[nodiscard]] Result<void> finish_removal(const DeviceRecord& record);
  [[nodiscard]] Result<void> open_device(DeviceRecord record, DeviceSpec spec);
  [[nodiscard]] Result<DeviceSpec> make_spec(const DeviceRecord& record);
  [[nodiscard]] Result<void> delete_thing(const std::string& name);
  [[nodiscard]] Result<void> join_groups(const DeviceRecord& record);
  [[nodiscard]] Result<Entry*> entry(const std::string& name);
  [[nodiscard]] Result<void> keep_power(Entry& entry, bool is_on);
  [[nodiscard]] link::MacAddress free_mac() const;
  [[nodiscard]] std::string folder_of(const std::string& name) const;

  RunningLab& lab_;
  std::string socket_folder_;
  FleetOptions options_;
  int sockets_made_ = 0;
  std::map<std::string, Entry> devices_;
};

}  // namespace otasim::lab
