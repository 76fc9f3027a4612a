// What clients that we did not write have done, for docs/aws-conformance.md.
//
//   evidence().watch(log);                             // a lab in this process
//   evidence().read(lab_folder + "/events.jsonl");     // a lab of its own process
//   evidence().topic("$aws/things/lamp/jobs/notify");  // a client has received on it
//
// A program that links this writes `conformance/<program>.json` into the build's folder when all of its tests
// have been run and have passed; otherwise it takes the file away. Only what the service answered with
// success counts.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "sim/report/event_log.h"

namespace otasim::testing {

class Evidence {
 public:
  void watch(report::EventLog& log);
  void read(const std::string& events_path);
  void topic(const std::string& topic);

  /// @param program  names the file
  void write(const std::string& program) const;
  static void remove(const std::string& program);

 private:
  void take(const nlohmann::json& event);

  std::set<std::string> operations_;  ///< `iot CreateThing`
  std::set<std::string> topics_;      ///< names replaced by what they stand for: topic_template()
};

/// This program's.
[[nodiscard]] Evidence& evidence();

/// `$aws/things/lamp/jobs/j1/get` as `$aws/things/{thing}/jobs/{job}/get`.
[[nodiscard]] std::string topic_template(const std::string& topic);

}  // namespace otasim::testing
