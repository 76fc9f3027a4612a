// The registry: things, and the principals (certificates) that may act as them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/cloud/attributes.h"
#include "sim/cloud/certificates.h"
#include "sim/cloud/clock.h"
#include "sim/cloud/database.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/jobs_service.h"
#include "sim/cloud/page.h"
#include "sim/cloud/principals.h"
#include "sim/cloud/random_id.h"
#include "sim/cloud/service_error.h"

namespace otasim::cloud {

struct Thing {
  ThingName name;
  std::string thing_id;
  std::int64_t created_at = 0;
  std::int64_t version = 1;  ///< one more with each update
  Attributes attributes = {};
};

/// What is not given stays as it is.
struct UpdateThingRequest {
  ThingName name;
  std::optional<Attributes> attributes = {};
  bool merge = false;  ///< into those that are there, instead of in their place
  std::optional<std::int64_t> expected_version = {};
};

struct ListThingsRequest {
  PageRequest page = {};
  std::string attribute_name = {};   ///< only things that have this attribute; empty: all
  std::string attribute_value = {};  ///< with this value
  bool value_is_prefix = false;
};

/// AWS's limit of things that one certificate is attached to.
inline constexpr std::size_t kMaxThingsPerCertificate = 10;

class Things {
 public:
  Things(Database& database, const Clock& clock, UuidSource uuid, Certificates& certificates,
         Principals& principals, JobsService& jobs)
      : database_(database),
        clock_(clock),
        uuid_(std::move(uuid)),
        certificates_(certificates),
        principals_(principals),
        jobs_(jobs) {}

  /// Creates a thing; one that exists already is left as it is, as AWS does for an equal request.
  /// @returns kResourceAlreadyExists if it has other attributes, kInvalidRequest as check_attributes()
  ServiceResult<Thing> create(const ThingName& name, const Attributes& attributes = {});
  /// @returns kResourceNotFound, kVersionMismatch, kInvalidRequest as check_attributes()
  ServiceResult<void> update(const UpdateThingRequest& request);
  /// @returns kResourceNotFound
  [[nodiscard]] ServiceResult<Thing> describe(const ThingName& name);
  /// In order of their names. @returns kInvalidRequest for a bad page
  [[nodiscard]] ServiceResult<Page<Thing>> list(const PageRequest& page = {}) { return list({.page = page}); }
  [[nodiscard]] ServiceResult<Page<Thing>> list(const ListThingsRequest& request);
  /// Deletes a thing: it leaves its groups, and what is open of its jobs becomes REMOVED.
  /// @returns kResourceNotFound, kVersionMismatch, kInvalidRequest while a principal is attached
  ServiceResult<void> remove(const ThingName& name, std::optional<std::int64_t> expected_version = {});

  /// Lets a certificate act as a thing; it may act as others, too.
  /// @returns kResourceNotFound for the thing or the certificate, kLimitExceeded for too many things
  ServiceResult<void> attach_principal(const ThingName& thing, const std::string& certificate_id);
  /// @returns kResourceNotFound if it is not attached to the thing
  ServiceResult<void> detach_principal(const ThingName& thing, const std::string& certificate_id);
  /// The ids of a thing's certificates, active or not. @returns kResourceNotFound
  [[nodiscard]] ServiceResult<std::vector<std::string>> principals_of(const ThingName& thing);
  /// The things that a certificate is attached to, in order of their names.
  [[nodiscard]] ServiceResult<std::vector<ThingName>> things_of(const std::string& certificate_id);

 private:
  Database& database_;
  const Clock& clock_;
  UuidSource uuid_;
  Certificates& certificates_;
  Principals& principals_;
  JobsService& jobs_;
};

}  // namespace otasim::cloud
