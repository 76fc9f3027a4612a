// What is kept of a device between two starts of its lab: `device.json` in its folder.
//
// The record is written before the work it announces is begun, and again when it is done: whoever finds an
// unfinished one does the work again (fleet.h). A folder without a record is no device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/lab/transfer_settings.h"
#include "sim/link/ethernet.h"

namespace otasim::lab {

struct DeviceRecord {
  enum class State {
    kEquipping,  ///< it is being registered and its flash made
    kReady,
    kRemoving,
  };

  std::string name;
  std::string board;
  link::MacAddress mac{};
  std::uint64_t seed = 1;
  TransferSettings transfer = {};
  bool is_on = false;
  State state = State::kReady;
  std::string factory_version;           ///< of the image in kFactoryImage
  std::string recovery_version = {};     ///< of the image in kRecoveryImage; empty: it has none
  std::vector<std::string> groups = {};  ///< to join; kEquipping only

  static constexpr const char* kFile = "device.json";
  /// In the device's folder: the images that its flash is equipped with.
  static constexpr const char* kFactoryImage = "factory.img";
  static constexpr const char* kRecoveryImage = "recovery.img";

  /// @returns kEnvironment, naming the file, if it cannot be read or is damaged
  [[nodiscard]] static Result<DeviceRecord> load(const std::string& folder);
  [[nodiscard]] Result<void> save(const std::string& folder) const;
  [[nodiscard]] static bool exists(const std::string& folder);
};

}  // namespace otasim::lab
