// Where a lab listens, all over TLS.
#pragma once

#include <cstdint>

namespace otasim::lab {

struct LabPorts {
  std::uint16_t mqtt = 0;   ///< MQTT, with a client certificate (AWS: 8883)
  std::uint16_t https = 0;  ///< the AWS interface and presigned URLs (AWS: 443)
  std::uint16_t jobs = 0;   ///< the jobs data plane, with a client certificate (AWS: 8443)
  std::uint16_t alpn = 0;   ///< all of them, told apart by ALPN (AWS: 443)

  bool operator==(const LabPorts&) const = default;
};

}  // namespace otasim::lab
