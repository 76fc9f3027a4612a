// AWS IoT's control plane over the cloud's services: `docs/rest.md`.
//
//   auto routes = iot_routes(services);
//   JsonApi iot(ApiStyle::kIot, std::move(routes), ...);
//
// Operations translate: members in, a service's call, members out. Rules and state are the services'. They
// are grouped by what they are about (iot_things.cc, iot_jobs.cc and so on); iot_operations.cc has the table.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "sim/base/result.h"
#include "sim/cloud/cloud.h"
#include "sim/rest/api_call.h"
#include "sim/rest/json_api.h"

namespace otasim::rest {

/// Makes certificates for those who ask the control plane for one.
class CertificateIssuer {
 public:
  struct Issued {
    std::string certificate_pem;
    std::string public_key_pem = {};   ///< of a key made for it
    std::string private_key_pem = {};  ///< nobody keeps it
  };

  virtual ~CertificateIssuer() = default;
  /// A certificate with a new key. @returns kInternal
  [[nodiscard]] virtual Result<Issued> issue_with_key() = 0;
  /// A certificate for the key of a certificate signing request, PEM. @returns kUsage for a bad request
  [[nodiscard]] virtual Result<Issued> issue_for_request(const std::string& csr_pem) = 0;
  /// The authority's own certificate, PEM.
  [[nodiscard]] virtual std::string authority_pem() const = 0;
};

struct IotServices {
  cloud::Cloud& cloud;
  CertificateIssuer& issuer;
  /// Host and port of an endpoint type (`iot:Data-ATS`); nothing for one that is not known.
  std::function<std::optional<std::string>(std::string_view type)> endpoint;
};

struct IotOperation {
  Operation operation;
  ApiResult<Json> (*run)(IotServices& iot, ApiCall& call);
};

/// Every operation of the control plane that is here.
[[nodiscard]] std::span<const IotOperation> iot_operations();
/// @param services  must outlive the routes
[[nodiscard]] std::vector<Route> iot_routes(IotServices& services);

// What the groups share.

inline constexpr const char* kThingPattern = "[a-zA-Z0-9:_-]+";
inline constexpr const char* kWordPattern = "[a-zA-Z0-9_-]+";
inline constexpr const char* kPolicyPattern = "[\\w+=,.@-]+";
inline constexpr std::size_t kMaxDescription = 2028;

[[nodiscard]] inline cloud::ThingName thing_name(const MemberReader& from) {
  return from.required_identifier<cloud::ThingName>("thingName", kThingPattern);
}
[[nodiscard]] inline cloud::GroupName group_name(const MemberReader& from) {
  return from.required_identifier<cloud::GroupName>("thingGroupName", kThingPattern);
}
[[nodiscard]] inline cloud::JobId job_id(const MemberReader& from) {
  return from.required_identifier<cloud::JobId>("jobId", kWordPattern);
}

/// `tags` of a call that creates something.
[[nodiscard]] cloud::TagMap tags_of(const MemberReader& body);
/// Creates it and keeps its tags, both or neither. @param create  calls the service
template <typename Create>
[[nodiscard]] std::invoke_result_t<Create> create_tagged(IotServices& iot, const cloud::IotResource& resource,
                                                         const cloud::TagMap& tags, const Create& create) {
  if (tags.empty()) return create();
  return iot.cloud.in_one_transaction([&]() -> std::invoke_result_t<Create> {
    auto made = create();
    if (!made) return made;
    if (auto kept = iot.cloud.tags().tag(resource, tags); !kept) return tl::unexpected(kept.error());
    return made;
  });
}

struct AttributePayload {
  std::optional<cloud::Attributes> attributes = {};
  bool merge = false;
};
[[nodiscard]] AttributePayload attribute_payload(const MemberReader& from);

/// Things and groups named by their ARNs.
[[nodiscard]] std::vector<cloud::JobTarget> targets_of(const MemberReader& body);
[[nodiscard]] std::string arn_of(const cloud::JobTarget& target);

/// A certificate named by its ARN. @param name  of the member, for the message
[[nodiscard]] std::string certificate_in(const ApiCall& call, const char* name,
                                         const std::optional<std::string>& arn);

/// A member that must be a configuration of the services' (job_config.h).
template <typename Config>
[[nodiscard]] std::optional<Config> config_of(const MemberReader& from, const char* name,
                                              cloud::ServiceResult<Config> (*read)(const Json&)) {
  const Json* const json = from.raw(name);
  if (json == nullptr) return std::nullopt;
  auto config = read(*json);
  if (config) return *std::move(config);
  from.fail(api_error(config.error(), ApiStyle::kIot));
  return std::nullopt;
}

// The operations, by what they are about.

#define OTASIM_IOT_OPERATION(name) ApiResult<Json> name(IotServices& iot, ApiCall& call)
OTASIM_IOT_OPERATION(create_thing);
OTASIM_IOT_OPERATION(describe_thing);
OTASIM_IOT_OPERATION(update_thing);
OTASIM_IOT_OPERATION(list_things);
OTASIM_IOT_OPERATION(delete_thing);
OTASIM_IOT_OPERATION(attach_thing_principal);
OTASIM_IOT_OPERATION(detach_thing_principal);
OTASIM_IOT_OPERATION(list_thing_principals);
OTASIM_IOT_OPERATION(list_principal_things);
OTASIM_IOT_OPERATION(describe_endpoint);

OTASIM_IOT_OPERATION(create_thing_group);
OTASIM_IOT_OPERATION(describe_thing_group);
OTASIM_IOT_OPERATION(update_thing_group);
OTASIM_IOT_OPERATION(list_thing_groups);
OTASIM_IOT_OPERATION(delete_thing_group);
OTASIM_IOT_OPERATION(add_thing_to_group);
OTASIM_IOT_OPERATION(remove_thing_from_group);
OTASIM_IOT_OPERATION(update_groups_for_thing);
OTASIM_IOT_OPERATION(list_things_in_group);
OTASIM_IOT_OPERATION(list_groups_for_thing);
OTASIM_IOT_OPERATION(tag_resource);
OTASIM_IOT_OPERATION(untag_resource);
OTASIM_IOT_OPERATION(list_tags);

OTASIM_IOT_OPERATION(create_keys_and_certificate);
OTASIM_IOT_OPERATION(create_certificate_from_csr);
OTASIM_IOT_OPERATION(register_certificate);
OTASIM_IOT_OPERATION(register_certificate_without_ca);
OTASIM_IOT_OPERATION(describe_certificate);
OTASIM_IOT_OPERATION(update_certificate);
OTASIM_IOT_OPERATION(list_certificates);
OTASIM_IOT_OPERATION(delete_certificate);

OTASIM_IOT_OPERATION(create_policy);
OTASIM_IOT_OPERATION(get_policy);
OTASIM_IOT_OPERATION(list_policies);
OTASIM_IOT_OPERATION(delete_policy);
OTASIM_IOT_OPERATION(attach_policy);
OTASIM_IOT_OPERATION(detach_policy);
OTASIM_IOT_OPERATION(list_attached_policies);
OTASIM_IOT_OPERATION(list_targets_for_policy);
OTASIM_IOT_OPERATION(attach_principal_policy);
OTASIM_IOT_OPERATION(detach_principal_policy);
OTASIM_IOT_OPERATION(list_principal_policies);

OTASIM_IOT_OPERATION(create_stream);
OTASIM_IOT_OPERATION(describe_stream);
OTASIM_IOT_OPERATION(update_stream);
OTASIM_IOT_OPERATION(list_streams);
OTASIM_IOT_OPERATION(delete_stream);

OTASIM_IOT_OPERATION(create_job);
OTASIM_IOT_OPERATION(describe_job);
OTASIM_IOT_OPERATION(update_job);
OTASIM_IOT_OPERATION(list_jobs);
OTASIM_IOT_OPERATION(cancel_job);
OTASIM_IOT_OPERATION(delete_job);
OTASIM_IOT_OPERATION(associate_targets_with_job);
OTASIM_IOT_OPERATION(get_job_document);
OTASIM_IOT_OPERATION(list_job_executions_for_job);
OTASIM_IOT_OPERATION(list_job_executions_for_thing);
OTASIM_IOT_OPERATION(describe_job_execution);
OTASIM_IOT_OPERATION(cancel_job_execution);
OTASIM_IOT_OPERATION(delete_job_execution);

OTASIM_IOT_OPERATION(create_job_template);
OTASIM_IOT_OPERATION(describe_job_template);
OTASIM_IOT_OPERATION(list_job_templates);
OTASIM_IOT_OPERATION(delete_job_template);
OTASIM_IOT_OPERATION(describe_event_configurations);
OTASIM_IOT_OPERATION(update_event_configurations);

OTASIM_IOT_OPERATION(create_ota_update);
OTASIM_IOT_OPERATION(get_ota_update);
OTASIM_IOT_OPERATION(list_ota_updates);
OTASIM_IOT_OPERATION(delete_ota_update);
#undef OTASIM_IOT_OPERATION

}  // namespace otasim::rest
