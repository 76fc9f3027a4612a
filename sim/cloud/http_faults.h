// What goes wrong with objects fetched over HTTPS, armed and counted; object_faults.h has what each does.
//
//   faults.attach([&](ObjectFaultHandler handler) { front_end.set_fault_handler(std::move(handler)); });
//   const FaultId id = faults.arm({.what = HttpTruncate{.after_bytes = 1000}, .strike = {.times = 1}});
//   faults.clear(id);
//
// An operation is a request that is about to get an object, of one key if the fault names one, in which the
// fault alone would make a difference: `http.wrong_range` and `http.ignore_range` count requests of a range,
// `http.truncate` bodies longer than it, and so on. Faults that strike the same request combine; of two of
// one name the one armed later holds.
//
// Each strike is an event of the log: source `cloud`, event `fault` {fault, client, bucket, key, first_byte?,
// bytes?}, and the fault's members. The handler is not asked anything while none is armed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <variant>

#include "sim/base/armed_faults.h"
#include "sim/base/strike.h"
#include "sim/cloud/object_faults.h"
#include "sim/report/event_log.h"

namespace otasim::cloud {

/// `http.status`
struct HttpStatus {
  int status = 503;  ///< 400 to 599
};
/// `http.delay`
struct HttpDelay {
  std::int64_t delay_ms = 0;
};
/// `http.slow`
struct HttpSlow {
  std::int64_t bytes_per_second = 0;
};
/// `http.truncate`
struct HttpTruncate {
  std::int64_t after_bytes = 0;
};
/// `http.reset`
struct HttpReset {
  std::optional<std::int64_t> after_bytes = {};  ///< none: before the status line
};
/// `http.wrong_range`
struct HttpWrongRange {
  std::int64_t shift_bytes = 0;
  bool content_range_tells_shift = false;
};
/// `http.ignore_range`
struct HttpIgnoreRange {};
/// `http.corrupt`
struct HttpCorrupt {
  std::optional<std::int64_t> at_bytes = {};  ///< offset in the object; none: by the strike's seed
};

struct HttpFault {
  std::variant<HttpStatus, HttpDelay, HttpSlow, HttpTruncate, HttpReset, HttpWrongRange, HttpIgnoreRange,
               HttpCorrupt>
      what = {};
  std::string key = {};  ///< the object's; empty: any
  StrikePlan strike = {};
};

class HttpFaults {
 public:
  explicit HttpFaults(report::EventLog& log) : log_(log) {}
  HttpFaults(const HttpFaults&) = delete;
  HttpFaults& operator=(const HttpFaults&) = delete;

  /// Takes a fault handler to whoever answers; an empty one while nothing is armed.
  using SetHandler = std::function<void(ObjectFaultHandler handler)>;

  /// Faults strike there from now on. It must be there while faults are armed and cleared.
  void attach(SetHandler set_handler);

  FaultId arm(HttpFault fault);
  /// @returns whether there was one
  bool clear(FaultId id);
  [[nodiscard]] bool empty() const { return armed_.empty(); }

  /// What strikes this request.
  [[nodiscard]] ObjectFaults strike(const ObjectRequest& request);

 private:
  struct Armed {
    explicit Armed(HttpFault to_arm)
        : fault(std::move(to_arm)), strike(fault.strike), random(fault.strike.seed) {}
    HttpFault fault;
    Strike strike;
    std::mt19937_64 random;  ///< where to corrupt
  };

  void update_handler();
  void report(const char* name, const ObjectRequest& request, nlohmann::json members);

  report::EventLog& log_;
  ArmedFaults<Armed> armed_;
  SetHandler set_handler_ = {};
};

}  // namespace otasim::cloud
