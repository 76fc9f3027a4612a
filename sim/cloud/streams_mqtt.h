// File streams over MQTT: describe and get, in CBOR or JSON as the topic says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/cloud/publisher.h"
#include "sim/cloud/request_topic.h"
#include "sim/cloud/stream_faults.h"
#include "sim/cloud/streams_service.h"

namespace otasim::cloud {

/// What became of a request, for the event log.
struct StreamOutcome {
  std::string_view result;       ///< "accepted" or the error's name
  std::int64_t blocks = 0;       ///< served
  std::int64_t first_block = 0;  ///< of those
  std::int64_t bytes = 0;        ///< of their payload
};

class StreamsMqtt {
 public:
  StreamsMqtt(StreamsService& streams, StreamFaults& faults, Publisher& publisher)
      : streams_(streams), faults_(faults), publisher_(publisher) {}

  /// Answers on `data`, `description` or `rejected`, one message a block.
  StreamOutcome handle(const ClientAddress& client, const ThingName& thing, const StreamsTopic& request,
                       std::string_view payload);

 private:
  struct Call;
  [[nodiscard]] ServiceResult<StreamOutcome> describe(Call& call);
  [[nodiscard]] ServiceResult<StreamOutcome> get(Call& call);

  void send_struck(const Call& call, std::int64_t file_id, const StreamBlock& block);

  StreamsService& streams_;
  StreamFaults& faults_;
  Publisher& publisher_;
};

}  // namespace otasim::cloud
