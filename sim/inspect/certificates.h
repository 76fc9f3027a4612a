// A certificate as somebody who looks at flash wants it told.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace otasim::inspect {

struct CertificateText {
  std::string role = {};     ///< what it is provisioned as
  std::string subject = {};  ///< RFC 2253, ASCII
  std::string issuer = {};
  std::optional<std::int64_t> not_before = {};  ///< seconds since 1970
  std::optional<std::int64_t> not_after = {};
  std::string fingerprint = {};  ///< SHA-256 of the DER form
  std::string problem = {};      ///< why it is none
};

/// @param der  anybody's bytes
[[nodiscard]] CertificateText read_certificate(std::string role, std::span<const std::uint8_t> der);

}  // namespace otasim::inspect
