// The registry: things, and the principals (certificates) that may act as them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/listeners.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

struct Thing {
  ThingName name;
  std::string thing_id;
  std::int64_t created_at = 0;
};

struct Principal {
  std::string fingerprint;  ///< SHA-256 of the certificate's DER form, lower-case hex
  ThingName thing;
};

class Things {
 public:
  /// Hears of each principal that is attached to a thing, or detached (thing empty).
  using PrincipalListener = std::function<void(const std::string& fingerprint, const std::string& thing)>;

  Things(Database& database, const Clock& clock, UuidSource uuid)
      : database_(database), clock_(clock), uuid_(std::move(uuid)) {}

  /// Creates a thing; one that exists already is left as it is, as AWS does for an equal request.
  ServiceResult<Thing> create(const ThingName& name);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<Thing> describe(const ThingName& name);

  /// Lets a certificate act as a thing; one that acts as another thing is moved.
  /// @returns kResourceNotFound for the thing, kInvalidRequest for a fingerprint that is not 64 hex digits
  ServiceResult<void> attach_principal(const ThingName& thing, const std::string& fingerprint);
  /// @returns kResourceNotFound if it is attached to none
  ServiceResult<void> detach_principal(const std::string& fingerprint);
  [[nodiscard]] ServiceResult<std::vector<Principal>> principals();

  [[nodiscard]] Subscription listen(PrincipalListener listener) {
    return listeners_.add(std::move(listener));
  }

 private:
  void tell(const std::string& fingerprint, const std::string& thing);

  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  Listeners<PrincipalListener> listeners_;
};

}  // namespace otasim::cloud
