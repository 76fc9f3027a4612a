// Who may come to the broker, and with what rights: certificates that are ACTIVE, the things they are
// attached to and the policies attached to them. Whoever changes one of these says so with changed(); whoever
// has to know (broker_link.h) listens, and asks for what holds now.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/cloud/certificates.h"
#include "sim/cloud/database.h"
#include "sim/cloud/listeners.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

struct PrincipalGrants {
  std::string certificate_id;
  std::vector<std::string> things = {};    ///< names
  std::vector<std::string> policies = {};  ///< documents
};

class Principals {
 public:
  /// Hears of each certificate whose rights may have changed, when the change is kept.
  using Listener = std::function<void(const std::string& certificate_id)>;

  Principals(Database& database, Certificates& certificates);

  /// Nothing for a certificate that is not known or not active.
  [[nodiscard]] ServiceResult<std::optional<PrincipalGrants>> grants_of(const std::string& certificate_id);
  /// Those of all active certificates, in order of their ids.
  [[nodiscard]] ServiceResult<std::vector<PrincipalGrants>> active();

  /// Tells the listeners once the running transaction is committed.
  void changed(const std::string& certificate_id);
  [[nodiscard]] Subscription listen(Listener listener) { return listeners_.add(std::move(listener)); }

 private:
  void tell(const std::string& certificate_id);

  Database& database_;
  Listeners<Listener> listeners_;
  Subscription certificate_changes_;
};

}  // namespace otasim::cloud
