// The control plane's operations: names, verbs and URIs as AWS's API reference has them, what is not as
// there, and AWS's default rates where they are published (else the lowest of them).
#include <array>

#include "sim/rest/iot_api.h"

namespace otasim::rest {

namespace {

constexpr std::string_view kIot = "iot";

constexpr std::string_view kNoTypes = "There are no thing types and billing groups; naming one is 404.";
constexpr std::string_view kNoDynamicGroups = "There are no dynamic groups.";
constexpr std::string_view kLabAuthority = "The lab's authority issues it.";
constexpr std::string_view kOneAuthority = "The lab's authority is the only registered CA.";
constexpr std::string_view kNoForeignMqtt =
    "The broker lets only certificates of the lab's authority in; others serve HTTPS alone.";
constexpr std::string_view kNoTransfers = "There are no transfers between accounts.";
constexpr std::string_view kAscending = "Always in ascending order of names.";
constexpr std::string_view kOneVersion = "A policy has one version.";
constexpr std::string_view kCertificatesOnly = "Policies are attached to certificates only.";
constexpr std::string_view kRoles = "A role is checked in its form and has no other effect.";
constexpr std::string_view kGroupNames = "By thingGroupName, not by thingGroupId.";
constexpr std::string_view kOtaAtOnce = "Done when the call returns; AWS works in the background.";
constexpr std::string_view kPorts = "The address has a port.";

const std::array kOperations{
    IotOperation{{kIot, "CreateThing", "POST", "/things/{thingName}", kNoTypes, 15}, &create_thing},
    IotOperation{{kIot, "DescribeThing", "GET", "/things/{thingName}", kNoTypes, 350}, &describe_thing},
    IotOperation{{kIot, "UpdateThing", "PATCH", "/things/{thingName}", kNoTypes, 20}, &update_thing},
    IotOperation{{kIot, "DeleteThing", "DELETE", "/things/{thingName}", "", 100}, &delete_thing},
    IotOperation{{kIot, "ListThings", "GET", "/things", kNoTypes, 10}, &list_things},
    IotOperation{{kIot, "AttachThingPrincipal", "PUT", "/things/{thingName}/principals", "", 100},
                 &attach_thing_principal},
    IotOperation{{kIot, "DetachThingPrincipal", "DELETE", "/things/{thingName}/principals", "", 100},
                 &detach_thing_principal},
    IotOperation{{kIot, "ListThingPrincipals", "GET", "/things/{thingName}/principals", "", 10},
                 &list_thing_principals},
    IotOperation{{kIot, "ListPrincipalThings", "GET", "/principals/things", "", 10}, &list_principal_things},
    IotOperation{{kIot, "CreateThingGroup", "POST", "/thing-groups/{thingGroupName}", "", 25},
                 &create_thing_group},
    IotOperation{{kIot, "DescribeThingGroup", "GET", "/thing-groups/{thingGroupName}", kNoDynamicGroups, 100},
                 &describe_thing_group},
    IotOperation{{kIot, "UpdateThingGroup", "PATCH", "/thing-groups/{thingGroupName}", "", 15},
                 &update_thing_group},
    IotOperation{{kIot, "DeleteThingGroup", "DELETE", "/thing-groups/{thingGroupName}", "", 15},
                 &delete_thing_group},
    IotOperation{{kIot, "ListThingGroups", "GET", "/thing-groups", "", 10}, &list_thing_groups},
    IotOperation{{kIot, "AddThingToThingGroup", "PUT", "/thing-groups/addThingToThingGroup", "", 60},
                 &add_thing_to_group},
    IotOperation{
        {kIot, "RemoveThingFromThingGroup", "PUT", "/thing-groups/removeThingFromThingGroup", "", 60},
        &remove_thing_from_group},
    IotOperation{
        {kIot, "UpdateThingGroupsForThing", "PUT", "/thing-groups/updateThingGroupsForThing", "", 10},
        &update_groups_for_thing},
    IotOperation{{kIot, "ListThingsInThingGroup", "GET", "/thing-groups/{thingGroupName}/things", "", 25},
                 &list_things_in_group},
    IotOperation{{kIot, "ListThingGroupsForThing", "GET", "/things/{thingName}/thing-groups", "", 10},
                 &list_groups_for_thing},
    IotOperation{{kIot, "TagResource", "POST", "/tags", "", 10}, &tag_resource},
    IotOperation{{kIot, "UntagResource", "POST", "/untag", "", 10}, &untag_resource},
    IotOperation{{kIot, "ListTagsForResource", "GET", "/tags", "", 10}, &list_tags},
    IotOperation{{kIot, "CreateKeysAndCertificate", "POST", "/keys-and-certificate", kLabAuthority, 10},
                 &create_keys_and_certificate},
    IotOperation{{kIot, "CreateCertificateFromCsr", "POST", "/certificates", kLabAuthority, 15},
                 &create_certificate_from_csr},
    IotOperation{{kIot, "RegisterCertificate", "POST", "/certificate/register", kOneAuthority, 10},
                 &register_certificate},
    IotOperation{
        {kIot, "RegisterCertificateWithoutCA", "POST", "/certificate/register-no-ca", kNoForeignMqtt, 10},
        &register_certificate_without_ca},
    IotOperation{{kIot, "DescribeCertificate", "GET", "/certificates/{certificateId}", kNoTransfers, 10},
                 &describe_certificate},
    IotOperation{{kIot, "UpdateCertificate", "PUT", "/certificates/{certificateId}", kNoTransfers, 10},
                 &update_certificate},
    IotOperation{{kIot, "DeleteCertificate", "DELETE", "/certificates/{certificateId}", "", 10},
                 &delete_certificate},
    IotOperation{{kIot, "ListCertificates", "GET", "/certificates", kAscending, 10}, &list_certificates},
    IotOperation{{kIot, "CreatePolicy", "POST", "/policies/{policyName}", kOneVersion, 10}, &create_policy},
    IotOperation{{kIot, "GetPolicy", "GET", "/policies/{policyName}", kOneVersion, 10}, &get_policy},
    IotOperation{{kIot, "ListPolicies", "GET", "/policies", kAscending, 10}, &list_policies},
    IotOperation{{kIot, "DeletePolicy", "DELETE", "/policies/{policyName}", kOneVersion, 10}, &delete_policy},
    IotOperation{{kIot, "AttachPolicy", "PUT", "/target-policies/{policyName}", kCertificatesOnly, 15},
                 &attach_policy},
    IotOperation{{kIot, "DetachPolicy", "POST", "/target-policies/{policyName}", kCertificatesOnly, 15},
                 &detach_policy},
    IotOperation{{kIot, "ListAttachedPolicies", "POST", "/attached-policies/{target}", kCertificatesOnly, 15},
                 &list_attached_policies},
    IotOperation{{kIot, "ListTargetsForPolicy", "POST", "/policy-targets/{policyName}", "", 10},
                 &list_targets_for_policy},
    IotOperation{
        {kIot, "AttachPrincipalPolicy", "PUT", "/principal-policies/{policyName}", kCertificatesOnly, 15},
        &attach_principal_policy},
    IotOperation{
        {kIot, "DetachPrincipalPolicy", "DELETE", "/principal-policies/{policyName}", kCertificatesOnly, 15},
        &detach_principal_policy},
    IotOperation{{kIot, "ListPrincipalPolicies", "GET", "/principal-policies", kCertificatesOnly, 10},
                 &list_principal_policies},
    IotOperation{{kIot, "CreateStream", "POST", "/streams/{streamId}", kRoles, 15}, &create_stream},
    IotOperation{{kIot, "DescribeStream", "GET", "/streams/{streamId}", "", 15}, &describe_stream},
    IotOperation{{kIot, "UpdateStream", "PUT", "/streams/{streamId}", kRoles, 15}, &update_stream},
    IotOperation{{kIot, "DeleteStream", "DELETE", "/streams/{streamId}", "", 15}, &delete_stream},
    IotOperation{{kIot, "ListStreams", "GET", "/streams", kAscending, 15}, &list_streams},
    IotOperation{{kIot, "CreateJob", "PUT", "/jobs/{jobId}", kRoles, 10}, &create_job},
    IotOperation{{kIot, "DescribeJob", "GET", "/jobs/{jobId}", "", 10}, &describe_job},
    IotOperation{{kIot, "UpdateJob", "PATCH", "/jobs/{jobId}", "", 10}, &update_job},
    IotOperation{{kIot, "CancelJob", "PUT", "/jobs/{jobId}/cancel", "", 10}, &cancel_job},
    IotOperation{{kIot, "DeleteJob", "DELETE", "/jobs/{jobId}", "", 10}, &delete_job},
    IotOperation{{kIot, "ListJobs", "GET", "/jobs", kGroupNames, 10}, &list_jobs},
    IotOperation{{kIot, "AssociateTargetsWithJob", "POST", "/jobs/{jobId}/targets", "", 10},
                 &associate_targets_with_job},
    IotOperation{{kIot, "GetJobDocument", "GET", "/jobs/{jobId}/job-document", "", 10}, &get_job_document},
    IotOperation{{kIot, "ListJobExecutionsForJob", "GET", "/jobs/{jobId}/things", "", 10},
                 &list_job_executions_for_job},
    IotOperation{{kIot, "ListJobExecutionsForThing", "GET", "/things/{thingName}/jobs", "", 10},
                 &list_job_executions_for_thing},
    IotOperation{{kIot, "DescribeJobExecution", "GET", "/things/{thingName}/jobs/{jobId}", "", 10},
                 &describe_job_execution},
    IotOperation{{kIot, "CancelJobExecution", "PUT", "/things/{thingName}/jobs/{jobId}/cancel", "", 10},
                 &cancel_job_execution},
    IotOperation{{kIot, "DeleteJobExecution", "DELETE",
                  "/things/{thingName}/jobs/{jobId}/executionNumber/{executionNumber}", "", 10},
                 &delete_job_execution},
    IotOperation{{kIot, "CreateJobTemplate", "PUT", "/job-templates/{jobTemplateId}", "", 10},
                 &create_job_template},
    IotOperation{{kIot, "DescribeJobTemplate", "GET", "/job-templates/{jobTemplateId}", "", 10},
                 &describe_job_template},
    IotOperation{{kIot, "ListJobTemplates", "GET", "/job-templates", "", 10}, &list_job_templates},
    IotOperation{{kIot, "DeleteJobTemplate", "DELETE", "/job-templates/{jobTemplateId}", "", 10},
                 &delete_job_template},
    IotOperation{{kIot, "CreateOTAUpdate", "POST", "/otaUpdates/{otaUpdateId}", kOtaAtOnce, 10},
                 &create_ota_update},
    IotOperation{{kIot, "GetOTAUpdate", "GET", "/otaUpdates/{otaUpdateId}", kOtaAtOnce, 15}, &get_ota_update},
    IotOperation{{kIot, "ListOTAUpdates", "GET", "/otaUpdates", "", 15}, &list_ota_updates},
    IotOperation{{kIot, "DeleteOTAUpdate", "DELETE", "/otaUpdates/{otaUpdateId}", kOtaAtOnce, 15},
                 &delete_ota_update},
    IotOperation{{kIot, "DescribeEndpoint", "GET", "/endpoint", kPorts, 10}, &describe_endpoint},
    IotOperation{{kIot, "DescribeEventConfigurations", "GET", "/event-configurations", "", 10},
                 &describe_event_configurations},
    IotOperation{{kIot, "UpdateEventConfigurations", "PATCH", "/event-configurations", "", 10},
                 &update_event_configurations},
};

}  // namespace

std::span<const IotOperation> iot_operations() {
  return kOperations;
}

std::vector<Route> iot_routes(IotServices& services) {
  std::vector<Route> routes;
  for (const IotOperation& one : kOperations) {
    routes.push_back(
        {one.operation, [&services, run = one.run](ApiCall& call) { return run(services, call); }});
  }
  return routes;
}

}  // namespace otasim::rest
