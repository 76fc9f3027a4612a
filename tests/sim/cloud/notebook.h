// A publisher that writes down what would be sent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/cloud/publisher.h"

namespace otasim::cloud {

struct Sent {
  ClientAddress client;  ///< empty: published to all
  std::string topic;
  std::string payload;
};

class Notebook final : public Publisher {
 public:
  void deliver(const ClientAddress& client, const std::string& topic, std::string_view payload) override {
    sent.push_back({client, topic, std::string{payload}});
  }
  void publish(const std::string& topic, std::string_view payload, int) override {
    sent.push_back({{}, topic, std::string{payload}});
  }
  std::vector<Sent> sent;
};

}  // namespace otasim::cloud
