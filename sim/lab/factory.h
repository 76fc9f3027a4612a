// The factory: what a device's flash holds when it leaves the line.
//
// A blank part gets the sealed provisioning (both copies), the first image in slot A, the recovery image
// in its own slot, and a seed of random numbers if it has no source of them; the bootloader finds no boot
// control record and takes slot A as the committed image once it verifies.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/lab/build_products.h"
#include "sim/lab/lab.h"
#include "sim/lab/transfer_settings.h"

namespace otasim::lab {

/// A code signer's certificate, DER, and the name jobs call it by.
struct NamedCertificate {
  std::string name;
  std::vector<std::uint8_t> der;
};

struct DeviceSettings {
  std::string thing_name;
  std::string endpoint_host = kEndpointHost;
  std::uint16_t mqtt_port = 0;
  std::array<std::uint8_t, 6> mac{0x02, 0x00, 0x00, 0x00, 0x00, 0x01};
  std::uint16_t keep_alive_seconds = 60;
  std::uint32_t self_test_ms = 16000;
  std::uint32_t request_wait_ms = 10000;
  std::uint64_t seed = 1;  ///< of the device's entropy seed
  TransferSettings transfer;
  std::vector<NamedCertificate> more_code_signers = {};  ///< beside the lab's
};

/// The provisioning blob of one device, sealed for devices whose ROM has `key`.
[[nodiscard]] Result<std::vector<std::uint8_t>> provisioning_blob(const Lab& lab, const Identity& device,
                                                                  const DeviceSettings& settings,
                                                                  const DeviceKey& key);

/// What the slots hold.
struct FactoryImages {
  std::span<const std::uint8_t> application;
  std::span<const std::uint8_t> recovery = {};  ///< empty: none
};

/// Writes provisioning and images into a blank flash window, and, on a part without an entropy source, the
/// first seed of its random numbers.
/// @param seed  DeviceSettings::seed
/// @returns kUsage if an image is larger than a slot
[[nodiscard]] Result<void> equip(std::span<std::uint8_t> window, std::span<const std::uint8_t> provisioning,
                                 const FactoryImages& images, std::uint64_t seed = 1);

/// Provisions a device anew for another port of MQTT, both copies, with all else as it is: for a lab that
/// goes on elsewhere.
/// @returns kUsage if a copy does not open with `key`
[[nodiscard]] Result<void> provision_port(std::span<std::uint8_t> window, std::uint16_t mqtt_port,
                                          const DeviceKey& key);

/// @returns kUsage, naming both sizes, if an image of `size` bytes does not fit a slot
[[nodiscard]] Result<void> check_fits_slot(std::size_t size);

}  // namespace otasim::lab
