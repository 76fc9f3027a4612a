// Who wants to hear of a service's changes, for as long as they hold their subscription.
#pragma once

#include <memory>
#include <vector>

namespace otasim::cloud {

/// Holding it keeps the listener on; letting go of it takes the listener off.
using Subscription = std::shared_ptr<const void>;

template <typename Listener>
class Listeners {
 public:
  [[nodiscard]] Subscription add(Listener listener) {
    std::erase_if(all_, [](const auto& one) { return one.expired(); });
    auto kept = std::make_shared<const Listener>(std::move(listener));
    all_.push_back(kept);
    return kept;
  }

  /// Calls `tell` with each listener. Listeners may come and go meanwhile.
  template <typename Tell>
  void for_each(const Tell& tell) const {
    const auto now = all_;
    for (const auto& one : now) {
      if (const auto listener = one.lock()) tell(*listener);
    }
  }

 private:
  std::vector<std::weak_ptr<const Listener>> all_;
};

}  // namespace otasim::cloud
