// The cloud as devices see it over MQTT: takes each request to its service and lets the service answer.
//
// What comes in is anybody's bytes. A request that is not understood gets an error of AWS's shape; a topic
// that is no service's gets nothing, as no device may publish there.
#pragma once

#include <string>
#include <string_view>

#include "sim/cloud/clock.h"
#include "sim/cloud/cloud_faults.h"
#include "sim/cloud/jobs_mqtt.h"
#include "sim/cloud/publisher.h"
#include "sim/cloud/streams_mqtt.h"
#include "sim/report/event_log.h"

namespace otasim::cloud {

class MqttFrontEnd {
 public:
  MqttFrontEnd(JobsService& jobs, StreamsService& streams, const Clock& clock, report::EventLog& log,
               CloudFaults& faults, Publisher& publisher)
      : log_(log), jobs_(jobs, clock, faults.jobs, publisher), streams_(streams, faults.streams, publisher) {}

  /// @param client  who asked, and where the answer goes
  /// @param topic   as the device published it
  void handle_request(const ClientAddress& client, const std::string& topic, std::string_view payload);

 private:
  void log_stream(const ClientAddress& client, const StreamsTopic& request, const StreamOutcome& outcome,
                  std::string_view payload);

  report::EventLog& log_;
  JobsMqtt jobs_;
  StreamsMqtt streams_;
};

}  // namespace otasim::cloud
