// When a fault strikes: which of the operations that it could strike, by position, by chance, or both.
//
//   Strike strike({.after = 3, .times = 1});          // the fourth frame, and no other
//   Strike loss({.probability = 0.03, .seed = 7});    // three in a hundred, the same ones at each run
//   if (strike.next()) ...                            // asked once for each operation, in order
//
// The same plan and the same operations give the same answers.
#pragma once

#include <cstdint>
#include <limits>
#include <random>

namespace otasim {

struct StrikePlan {
  static constexpr std::uint64_t kAlways = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t after = 0;        ///< operations that pass before the first that may be struck
  std::uint64_t times = kAlways;  ///< how many are struck at most
  double probability = 1.0;       ///< of each, 0 to 1
  std::uint64_t seed = 1;         ///< decides which
};

class Strike {
 public:
  explicit Strike(const StrikePlan& plan = {}) : plan_(plan), random_(plan.seed) {}

  /// Whether the next operation is struck.
  [[nodiscard]] bool next() {
    if (seen_++ < plan_.after || struck_ >= plan_.times || !chance()) return false;
    ++struck_;
    return true;
  }

  /// Whether no further operation can be struck.
  [[nodiscard]] bool is_spent() const { return struck_ >= plan_.times; }
  [[nodiscard]] std::uint64_t struck() const { return struck_; }

 private:
  [[nodiscard]] bool chance() {
    if (plan_.probability >= 1.0) return true;
    constexpr double kRange = 18446744073709551616.0;  // of random_'s numbers: 2^64
    return static_cast<double>(random_()) < plan_.probability * kRange;
  }

  StrikePlan plan_;
  std::mt19937_64 random_;
  std::uint64_t seen_ = 0;
  std::uint64_t struck_ = 0;
};

}  // namespace otasim
