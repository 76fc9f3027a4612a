// The registry: things, and the principals (certificates) that may act as them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/cloud/certificates.h"
#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/listeners.h"
#include "sim/cloud/page.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

struct Thing {
  ThingName name;
  std::string thing_id;
  std::int64_t created_at = 0;
};

struct Principal {
  std::string certificate_id;
  ThingName thing;
};

class Things {
 public:
  /// Hears which thing a certificate may act as from now on; empty: none.
  using PrincipalListener = std::function<void(const std::string& certificate_id, const std::string& thing)>;

  Things(Database& database, const Clock& clock, UuidSource uuid, Certificates& certificates,
         JobsService& jobs);

  /// Creates a thing; one that exists already is left as it is, as AWS does for an equal request.
  ServiceResult<Thing> create(const ThingName& name);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<Thing> describe(const ThingName& name);
  /// In order of their names. @returns kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<Thing>> list(const PageRequest& page = {});
  /// Deletes a thing: it leaves its groups, and what is open of its jobs becomes REMOVED.
  /// @returns kResourceNotFound, kInvalidRequest while a principal is attached
  ServiceResult<void> remove(const ThingName& name);

  /// Lets a certificate act as a thing; one that acts as another thing is moved.
  /// @returns kResourceNotFound for the thing or the certificate
  ServiceResult<void> attach_principal(const ThingName& thing, const std::string& certificate_id);
  /// @returns kResourceNotFound if it is attached to none
  ServiceResult<void> detach_principal(const std::string& certificate_id);
  /// The ids of a thing's certificates, active or not. @returns kResourceNotFound
  [[nodiscard]] ServiceResult<std::vector<std::string>> principals_of(const ThingName& thing);
  /// Whoever may connect: attached certificates that are active.
  [[nodiscard]] ServiceResult<std::vector<Principal>> active_principals();

  [[nodiscard]] Subscription listen(PrincipalListener listener) {
    return listeners_.add(std::move(listener));
  }

 private:
  void tell(const std::string& certificate_id, const std::string& thing);
  void tell_of_status(const CertificateRecord& certificate);

  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  Certificates& certificates_;
  JobsService& jobs_;
  Listeners<PrincipalListener> listeners_;
  Subscription certificate_changes_;
};

}  // namespace otasim::cloud
