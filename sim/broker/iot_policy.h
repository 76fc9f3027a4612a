// AWS IoT policies: which principal may do what at the broker, and with its jobs over HTTPS.
//
//   auto policy = IotPolicy::parse(document);    // its error says what is wrong
//   allows({&*policy, 1}, "iot:Connect", client_resource("lamp"), {.client_id = "lamp", .thing = "lamp"});
//   allows({&*policy, 1}, "iotjobsdata:UpdateJobExecution", thing_resource("lamp"), {.thing = "lamp"});
//
// A policy is a list of statements; each allows or denies actions on resources. Nothing is allowed unless a
// statement allows it, and a statement that denies outweighs all that allow. Actions and resources may have
// the wildcards `*` and `?`; in resources `+` and `#` are characters like any other. Policy variables
// (`${...}`) are replaced by what is known of the connection, character for character: what a client calls
// itself is never a wildcard. A statement with a variable that has no value for this connection does not
// apply.
//
// Known variables and condition keys: `iot:ClientId`, `iot:Connection.Thing.ThingName`,
// `iot:Connection.Thing.IsAttached`, and the escapes `${*}`, `${?}`, `${$}`. Condition operators: Bool and
// String(Not)Equals, String(Not)EqualsIgnoreCase, String(Not)Like. A document with anything else is refused
// when it is made, rather than understood in part. Source: AWS IoT Core developer guide, "AWS IoT Core
// policies".
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace otasim::broker {

/// AWS's limit of a document's size, without the white space between its parts.
inline constexpr std::size_t kMaxPolicyCharacters = 2048;

/// What a policy may ask about the connection.
struct PolicyContext {
  std::string client_id = {};  ///< empty over HTTPS: `iot:ClientId` has no value there
  std::string thing =
      {};  ///< whose name the client id is and which the certificate is attached to; else empty
};

enum class PolicyEffect { kNone, kAllow, kDeny };

class IotPolicy {
 public:
  /// @returns what is wrong with the document
  [[nodiscard]] static tl::expected<IotPolicy, std::string> parse(std::string_view document);

  /// What the policy says of an action on a resource.
  [[nodiscard]] PolicyEffect effect(std::string_view action, std::string_view resource,
                                    const PolicyContext& context) const;

 private:
  struct Condition {
    std::string operation;
    std::string key;
    std::vector<std::string> values;
  };
  struct Statement {
    PolicyEffect effect = PolicyEffect::kDeny;
    std::vector<std::string> actions;
    std::vector<std::string> resources;
    std::vector<Condition> conditions;
  };
  struct Parser;

  [[nodiscard]] static bool holds(const Condition& condition, const PolicyContext& context);
  [[nodiscard]] static bool applies(const Statement& statement, std::string_view action,
                                    std::string_view resource, const PolicyContext& context);

  std::vector<Statement> statements_;
};

/// Whether the policies together allow it: one allows and none denies.
[[nodiscard]] bool allows(std::span<const IotPolicy> policies, std::string_view action,
                          std::string_view resource, const PolicyContext& context);

/// A document without the white space between its parts: what counts for its size, and what the broker is
/// sent.
[[nodiscard]] std::string compact(std::string_view document);

/// Resources as policies name them, in the lab's account.
[[nodiscard]] std::string client_resource(std::string_view client_id);
[[nodiscard]] std::string thing_resource(std::string_view thing);
[[nodiscard]] std::string topic_resource(std::string_view topic);
[[nodiscard]] std::string topic_filter_resource(std::string_view filter);

/// What the OTA documentation asks for a device: to connect under its thing's name and to use its own jobs
/// (also over HTTPS) and streams, nothing else.
[[nodiscard]] std::string ota_device_policy();
/// All actions on all resources.
[[nodiscard]] std::string open_policy();

}  // namespace otasim::broker
