// The faults that are armed at one place, in the order they were armed.
//
//   ArmedFaults<Armed> faults;
//   const FaultId id = faults.arm({...});
//   for (FaultId at{}; Armed* armed = faults.next(at);) ...   // `at` is now its id
//   faults.clear(id);
//
// A walk holds no iterator: faults may be armed and cleared while it is under way. An id is of one place, and
// is not used twice there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace otasim {

/// None has the id 0.
enum class FaultId : std::uint64_t {};

template <typename Armed>
class ArmedFaults {
 public:
  FaultId arm(Armed armed) {
    last_ = FaultId{static_cast<std::uint64_t>(last_) + 1};
    all_.emplace(last_, std::move(armed));
    return last_;
  }

  /// @returns what was armed; nothing if there is none of this id
  std::optional<Armed> clear(FaultId id) {
    auto found = all_.extract(id);
    if (!found) return std::nullopt;
    return std::move(found.mapped());
  }

  [[nodiscard]] bool empty() const { return all_.empty(); }

  /// The first that was armed after the one of the id `at`, which becomes its id; null if there is none.
  [[nodiscard]] Armed* next(FaultId& at) {
    const auto found = all_.upper_bound(at);
    if (found == all_.end()) return nullptr;
    at = found->first;
    return &found->second;
  }

  [[nodiscard]] Armed* find(FaultId id) {
    const auto found = all_.find(id);
    return found == all_.end() ? nullptr : &found->second;
  }

 private:
  std::map<FaultId, Armed> all_;
  FaultId last_{};
};

}  // namespace otasim
