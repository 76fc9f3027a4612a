// One of the two copies of provisioning: what its header says in clear, and what is sealed if the device key
// is at hand. Keys and seeds are never told, only that they are there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pal_sim/provisioning/provisioning.h"
#include "sim/inspect/certificates.h"
#include "sim/inspect/keys.h"

namespace otasim::inspect {

/// What a copy says once it is open.
struct OpenedProvisioning {
  bool is_complete = false;  ///< no required entry is missing
  std::string thing_name = {};
  std::string endpoint = {};  ///< host:port
  std::string mac = {};
  std::uint16_t keep_alive_seconds = 0;
  std::uint32_t self_test_ms = 0;
  std::uint32_t request_wait_ms = 0;
  bool has_device_key = false;
  std::size_t entropy_seed_bytes = 0;
  provisioning::TransferSettings transfer = {};
  std::vector<CertificateText> certificates = {};
};

struct ProvisioningCopy {
  std::uint32_t used_bytes = 0;                ///< 0: erased
  std::string problem = {};                    ///< why it is no blob, or does not open; empty if it is open
  std::optional<std::uint32_t> sequence = {};  ///< of a blob, as its header says; proved only if it is open
  std::uint32_t body_size = 0;
  std::string nonce = {};
  std::optional<OpenedProvisioning> opened = {};
};

/// @param partition  its bytes, anybody's
/// @param key        none: it is not opened
[[nodiscard]] ProvisioningCopy read_provisioning(std::span<const std::uint8_t> partition,
                                                 const std::optional<DeviceKey>& key);

}  // namespace otasim::inspect
