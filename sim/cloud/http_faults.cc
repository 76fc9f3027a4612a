#include "sim/cloud/http_faults.h"

#include "sim/cloud/object_reply.h"

namespace otasim::cloud {

namespace {

/// What each fault is called, does to an answer, and tells of itself.
struct Mapping {
  const char* name;
  ObjectFaults faults;
  nlohmann::json members;
};

struct Map {
  const ObjectRequest& request;
  std::mt19937_64& random;

  Mapping operator()(const HttpStatus& what) const {
    return {"http.status", {.status = what.status}, {{"status", what.status}}};
  }
  Mapping operator()(const HttpDelay& what) const {
    return {"http.delay", {.delay = std::chrono::milliseconds(what.delay_ms)}, {{"delay_ms", what.delay_ms}}};
  }
  Mapping operator()(const HttpSlow& what) const {
    return {"http.slow",
            {.bytes_per_second = what.bytes_per_second},
            {{"bytes_per_second", what.bytes_per_second}}};
  }
  Mapping operator()(const HttpTruncate& what) const {
    return {"http.truncate", {.truncate_after = what.after_bytes}, {{"after_bytes", what.after_bytes}}};
  }
  Mapping operator()(const HttpReset& what) const {
    nlohmann::json members = nlohmann::json::object();
    if (what.after_bytes) members["after_bytes"] = *what.after_bytes;
    return {"http.reset", {.reset_after = what.after_bytes.value_or(-1)}, std::move(members)};
  }
  Mapping operator()(const HttpWrongRange& what) const {
    return {"http.wrong_range",
            {.shift_range = what.shift_bytes, .content_range_tells_shift = what.content_range_tells_shift},
            {{"shift_bytes", what.shift_bytes}}};
  }
  Mapping operator()(const HttpIgnoreRange&) const {
    return {"http.ignore_range", {.ignore_range = true}, nlohmann::json::object()};
  }
  Mapping operator()(const HttpCorrupt& what) const {
    const std::int64_t at = what.at_bytes.value_or(any_byte());
    return {"http.corrupt", {.corrupt_at = at}, {{"at_bytes", at}}};
  }

  /// One of those asked for.
  [[nodiscard]] std::int64_t any_byte() const {
    const ByteRange asked = request.range.value_or(ByteRange{0, request.object.size - 1});
    if (asked.length() <= 0) return -1;
    return asked.first + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(asked.length()));
  }
};

/// Whether a fault changes the answer, if it is the only one.
bool makes_difference(const ObjectFaults& faults, const ObjectRequest& request) {
  ObjectReply reply;
  reply.object = request.object;
  reply.asked = request.range;
  reply.content_range = request.range;
  reply.first_byte = request.range ? request.range->first : 0;
  reply.length = request.range ? request.range->length() : request.object.size;
  reply.head_only = request.method == "HEAD";
  return !apply_faults(faults, reply).empty();
}

void merge(const ObjectFaults& more, ObjectFaults& faults) {
  if (more.status) faults.status = more.status;
  if (more.delay.count() != 0) faults.delay = more.delay;
  if (more.bytes_per_second != 0) faults.bytes_per_second = more.bytes_per_second;
  if (more.truncate_after) faults.truncate_after = more.truncate_after;
  if (more.reset_after) faults.reset_after = more.reset_after;
  if (more.shift_range != 0) {
    faults.shift_range = more.shift_range;
    faults.content_range_tells_shift = more.content_range_tells_shift;
  }
  if (more.ignore_range) faults.ignore_range = true;
  if (more.corrupt_at) faults.corrupt_at = more.corrupt_at;
}

}  // namespace

void HttpFaults::attach(SetHandler set_handler) {
  set_handler_ = std::move(set_handler);
  update_handler();
}

FaultId HttpFaults::arm(HttpFault fault) {
  const FaultId id = armed_.arm(Armed(std::move(fault)));
  update_handler();
  return id;
}

bool HttpFaults::clear(FaultId id) {
  const bool was_armed = armed_.clear(id).has_value();
  update_handler();
  return was_armed;
}

void HttpFaults::update_handler() {
  if (!set_handler_) return;
  if (empty()) {
    set_handler_({});
  } else {
    set_handler_([this](const ObjectRequest& request) { return strike(request); });
  }
}

ObjectFaults HttpFaults::strike(const ObjectRequest& request) {
  ObjectFaults all;
  for (FaultId id{}; Armed* const armed = armed_.next(id);) {
    if (!armed->fault.key.empty() && armed->fault.key != request.object.location.key) continue;
    Mapping mapping = std::visit(Map{request, armed->random}, armed->fault.what);
    if (!makes_difference(mapping.faults, request) || !armed->strike.next()) continue;
    merge(mapping.faults, all);
    report(mapping.name, request, std::move(mapping.members));
  }
  return all;
}

void HttpFaults::report(const char* name, const ObjectRequest& request, nlohmann::json members) {
  members.update({{"fault", name},
                  {"client", request.client},
                  {"bucket", request.object.location.bucket},
                  {"key", request.object.location.key}});
  if (request.range) {
    members["first_byte"] = request.range->first;
    members["bytes"] = request.range->length();
  }
  log_.emit("cloud", "fault", std::move(members));
}

}  // namespace otasim::cloud
