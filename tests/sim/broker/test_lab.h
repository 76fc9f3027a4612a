// A folder with a certificate authority, an endpoint and as many device identities as a test wants.
#pragma once

#include <string>

#include "sim/base/temp_dir.h"
#include "sim/broker/broker.h"
#include "sim/crypto/certificate.h"

namespace otasim::testing {

struct TestIdentity {
  std::string certificate_path;
  std::string key_path;
  std::string fingerprint;
};

/// Files and keys that cannot be made end the test program.
class TestLab {
 public:
  TestLab();

  [[nodiscard]] TestIdentity issue(const std::string& name, crypto::Purpose purpose);
  [[nodiscard]] broker::BrokerSpec broker_spec();
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }
  [[nodiscard]] const std::string& ca_path() const { return ca_path_; }

 private:
  TempDir folder_;
  crypto::P256Key ca_key_;
  crypto::Certificate ca_;
  std::string ca_path_;
};

}  // namespace otasim::testing
