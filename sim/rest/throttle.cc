#include "sim/rest/throttle.h"

#include <algorithm>

namespace otasim::rest {

bool Throttle::admit(std::string_view operation, double per_second, Time now) {
  const double most = std::max(per_second, 1.0);
  const auto [place, is_new] = buckets_.try_emplace(operation, Bucket{most, now});
  Bucket& bucket = place->second;
  const double seconds = std::chrono::duration<double>(now - bucket.filled_at).count();
  bucket.tokens = std::min(most, bucket.tokens + std::max(seconds, 0.0) * per_second);
  bucket.filled_at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace otasim::rest
