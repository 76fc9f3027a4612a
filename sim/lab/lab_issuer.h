// Certificates that the lab's authority issues to those who ask AWS IoT's control plane for one.
#pragma once

#include <string>

#include "sim/lab/lab.h"
#include "sim/rest/iot_api.h"

namespace otasim::lab {

class LabIssuer final : public rest::CertificateIssuer {
 public:
  /// @param lab  must outlive the issuer
  explicit LabIssuer(const Lab& lab) : lab_(lab) {}

  /// The key is RSA with 2048 bits, as AWS makes them.
  [[nodiscard]] Result<Issued> issue_with_key() override;
  [[nodiscard]] Result<Issued> issue_for_request(const std::string& csr_pem) override;
  [[nodiscard]] std::string authority_pem() const override { return lab_.authority().certificate.pem(); }

 private:
  const Lab& lab_;
};

}  // namespace otasim::lab
