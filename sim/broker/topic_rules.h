// What holds of topics for every client, whatever its policies allow: AWS's reserved topics and limits, and
// the private topics between the mirror and the plugin, which are nobody else's.
//
// A client's message below `$aws/things/<thing>/jobs/` or `.../streams/` is a request to the service; the
// topics on which the service answers are not a client's to publish to, nor are its events. What is not below
// `$aws/` is an application's own and routed as usual.
#pragma once

#include <cstddef>
#include <string_view>

namespace otasim::broker {

/// AWS's limits: a topic's length in bytes, its slashes.
inline constexpr std::size_t kMaxTopic = 256;
inline constexpr std::ptrdiff_t kMaxTopicSlashes = 7;
/// AWS's limit of subscriptions that one connection has at a time.
inline constexpr std::size_t kMaxSubscriptions = 50;

enum class TopicKind {
  kApplication,  ///< routed from client to client
  kRequest,      ///< to the jobs or streams service of a thing
  kReserved,     ///< AWS's own: answers, notifications, events, and services that are not here
  kPrivate,      ///< between mirror and plugin, or the broker's own
  kTooLong,      ///< beyond a limit
};

/// What publishing to a topic would be.
[[nodiscard]] TopicKind kind_of(std::string_view topic);

/// Whether a client may subscribe to a filter as far as its form goes.
[[nodiscard]] bool is_fit_for_subscription(std::string_view filter);
/// Whether a message on a topic may reach clients at all.
[[nodiscard]] bool is_fit_for_delivery(std::string_view topic);

/// The filter of a shared subscription (`$share/<group>/<filter>`), any other as it is.
[[nodiscard]] std::string_view without_share(std::string_view filter);

/// Whether a name can be a thing's: 1 to 128 letters, digits, `:`, `_` and `-`.
[[nodiscard]] bool is_thing_name(std::string_view name);

}  // namespace otasim::broker
