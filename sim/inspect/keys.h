// The keys that open what flash holds: signers of images, what images are encrypted to, and the device key.
//
// Which of them there are decides only how much can be told: without a key the inspector says "not checked".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pal_sim/provisioning/seal.h"
#include "sim/crypto/key.h"

namespace otasim::inspect {

struct Signer {
  std::string name;
  crypto::P256Key key;
};

using DeviceKey = std::array<std::uint8_t, provisioning::kDeviceKeySize>;

struct Keys {
  std::vector<Signer> signers = {};  ///< in the order of the boot ROM
  std::optional<crypto::P256Key> image_decryption = {};
  std::optional<DeviceKey> device = {};
};

}  // namespace otasim::inspect
