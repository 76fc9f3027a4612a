// What may go wrong on purpose with the Jobs service as devices see it.
//
//   const FaultId id = faults.arm({.what = RejectUpdate{ErrorCode::kVersionMismatch}, .strike = {.times =
//   1}}); const JobStrike strike = faults.strike_request({...});      // each request that the service
//   understands text = faults.render(thing, message);                       // each message that has a job
//   document faults.clear(id);
//
//   job.malformed_document  a document given to a device is broken, in an answer or in `notify-next`. An
//                           operation is a document given that has what is to be broken
//   job.update_rejected     an update is answered with an error, and the execution stays as it is. An
//                           operation is an update, to one status if the fault names one
//   job.silent              there is no answer. An operation is a request, of one call if the fault names one
//
// Each strike is an event of the log: source `cloud`, event `fault` {fault, device, job?}, with what the
// fault did.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "sim/base/armed_faults.h"
#include "sim/base/json.h"
#include "sim/base/strike.h"
#include "sim/cloud/identifiers.h"
#include "sim/cloud/job_execution.h"
#include "sim/cloud/request_topic.h"
#include "sim/cloud/service_error.h"
#include "sim/report/event_log.h"

namespace otasim::cloud {

enum class DocumentDamage {
  kNotJson,        ///< the message ends within the document
  kMissingMember,  ///< `member` is not there
  kEmpty,          ///< an object without members
  kOversized,      ///< a further member makes it `size_bytes` long
  kWrongType,      ///< `member` has a value of another type: a number in quotes, 0 for a text, and so on
};
/// `not_json`, `missing_member`, `empty`, `oversized`, `wrong_type`
[[nodiscard]] std::string_view to_string(DocumentDamage damage);
[[nodiscard]] std::optional<DocumentDamage> document_damage(std::string_view name);

struct MalformedDocument {
  DocumentDamage kind = DocumentDamage::kNotJson;
  std::string member = "/afr_ota/files/0/filesize";  ///< JSON pointer within the document
  std::int64_t size_bytes = 65'536;                  ///< at most what a message holds
};
struct RejectUpdate {
  ErrorCode code = ErrorCode::kVersionMismatch;
  std::optional<ExecutionStatus> status = {};  ///< that the device wants; none: any
};
struct SilentJobs {
  std::optional<JobsCall> call = {};  ///< none: any
  bool carried_out = true;            ///< whether the service does what was asked all the same
};

struct JobFault {
  std::variant<MalformedDocument, RejectUpdate, SilentJobs> what = {};
  std::string device = {};  ///< the thing; empty: any
  StrikePlan strike = {};
};

/// A device's request that the service understands.
struct JobRequest {
  ThingName thing;
  JobsCall call = JobsCall::kGetPending;
  std::string job = {};                        ///< as in the topic
  std::optional<ExecutionStatus> status = {};  ///< of an update
};

/// What strikes a request.
struct JobStrike {
  std::optional<ErrorCode> reject = {};  ///< not carried out, and this is the answer
  bool silent = false;                   ///< no answer
  bool carried_out = true;
};

class JobFaults {
 public:
  explicit JobFaults(report::EventLog& log) : log_(log) {}
  JobFaults(const JobFaults&) = delete;
  JobFaults& operator=(const JobFaults&) = delete;

  FaultId arm(JobFault fault) { return armed_.arm(Armed{fault, Strike(fault.strike)}); }
  /// @returns whether there was one
  bool clear(FaultId id) { return armed_.clear(id).has_value(); }
  [[nodiscard]] bool empty() const { return armed_.empty(); }

  [[nodiscard]] JobStrike strike_request(const JobRequest& request);
  /// A message's text, its job document as the faults leave it. @param message  to the device
  [[nodiscard]] std::string render(const ThingName& thing, nlohmann::ordered_json message);

 private:
  struct Armed {
    JobFault fault;
    Strike strike;
  };

  void report(const char* name, const ThingName& thing, const std::string& job, nlohmann::json more);

  report::EventLog& log_;
  ArmedFaults<Armed> armed_;
};

}  // namespace otasim::cloud
