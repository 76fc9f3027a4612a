// The front end's way out to devices; the broker in a lab, a notebook in tests.
#pragma once

#include <string>
#include <string_view>

#include "sim/broker/private_topics.h"

namespace otasim::cloud {

using broker::ClientAddress;

/// The largest payload that a message can have.
inline constexpr std::size_t kMaxMessage = 128 * 1024;

class Publisher {
 public:
  virtual ~Publisher() = default;
  /// Gives a message to one connection, whether it subscribed or not.
  virtual void deliver(const ClientAddress& client, const std::string& topic, std::string_view payload) = 0;
  /// Gives a message to whoever subscribed to the topic.
  virtual void publish(const std::string& topic, std::string_view payload, int qos) = 0;
};

}  // namespace otasim::cloud
