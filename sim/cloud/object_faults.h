// What may go wrong on purpose when an object is fetched.
//
// The front end of objects (sim/rest) asks a handler about each request it is about to answer with an object;
// what the handler returns strikes that one answer. Each fault has a name, which the event `object_request`
// carries if the fault made a difference:
//
//   status        another status instead of the object, with S3's error document
//   delay         the answer begins later
//   slow          the body is sent at a limited rate
//   truncate      the connection is closed in order within the body; Content-Length promised more
//   reset         the connection is reset (RST) within the body, or before the answer
//   wrong_range   other bytes than those asked for, at the right length
//   ignore_range  the whole object with status 200, as if no range had been asked for
//   corrupt       one byte of the object is inverted
//
// Faults combine, except that with `status` only `delay` does, and that of `truncate` and `reset` the earlier
// one strikes. Positions count bytes of the body that is sent, `corrupt_at` those of the object.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "sim/cloud/byte_range.h"
#include "sim/cloud/object_store.h"

namespace otasim::cloud {

/// A request that is about to get an object.
struct ObjectRequest {
  std::int64_t number = 0;  ///< counts the requests the handler was asked about, from 1
  std::string client;       ///< address and port of the connection's other end
  std::string method;       ///< GET or HEAD
  ObjectInfo object;
  std::optional<ByteRange> range;         ///< that was asked for, within the object; nothing for all of it
  std::int64_t presigned_expires_at = 0;  ///< epoch seconds
};

struct ObjectFaults {
  std::optional<int> status{};  ///< 400 to 599
  std::chrono::milliseconds delay{0};
  std::int64_t bytes_per_second = 0;             ///< 0: as fast as the client reads
  std::optional<std::int64_t> truncate_after{};  ///< bytes of the body; no effect if it has no more
  std::optional<std::int64_t> reset_after{};     ///< bytes of the body; negative: before the status line
  /// The range begins so many bytes later (negative: earlier), as far as the object reaches. No effect on a
  /// request without a range.
  std::int64_t shift_range = 0;
  bool content_range_tells_shift = false;  ///< false: Content-Range claims what was asked for
  bool ignore_range = false;
  std::optional<std::int64_t> corrupt_at{};  ///< offset in the object; no effect if it is not sent
};

/// Must not end the server; may do anything else.
using ObjectFaultHandler = std::function<ObjectFaults(const ObjectRequest& request)>;

}  // namespace otasim::cloud
