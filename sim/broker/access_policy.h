// What a device may do on the broker: the policy that AWS's OTA documentation asks for, and no more.
//
// A device reads and writes below `$aws/things/<its own thing>/jobs/` and `.../streams/`. What it publishes
// there is a request to the service; the topics on which the service answers are not its to publish to.
#pragma once

#include <cstddef>
#include <string_view>

namespace otasim::broker {

/// AWS's limit of a topic's length in bytes; a longer one is nobody's.
inline constexpr std::size_t kMaxTopic = 256;

/// Whether a name can be a thing's: 1 to 128 letters, digits, `:`, `_` and `-`.
[[nodiscard]] bool is_thing_name(std::string_view name);

/// Whether a device may subscribe to `filter`, wildcards included.
[[nodiscard]] bool may_subscribe(std::string_view thing, std::string_view filter);

/// Whether a message on `topic` may be delivered to a device.
[[nodiscard]] bool may_receive(std::string_view thing, std::string_view topic);

/// Whether a device may publish to `topic`: it is then a request, to be passed to the mirror.
[[nodiscard]] bool may_request(std::string_view thing, std::string_view topic);

}  // namespace otasim::broker
