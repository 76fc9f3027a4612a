// Turns incoming MQTT messages into the agent's events.
//
//   $aws/things/<thing>/jobs/notify-next             -> OtaAgentEventReceivedJobDocument
//   $aws/things/<thing>/jobs/$next/get/accepted      -> OtaAgentEventReceivedJobDocument
//   $aws/things/<thing>/jobs/start-next/accepted     -> OtaAgentEventReceivedJobDocument
//   $aws/things/<thing>/streams/<stream>/data/cbor   -> OtaAgentEventReceivedFileBlock
//   $aws/things/<thing>/streams/<stream>/data/json   -> OtaAgentEventReceivedFileBlock
//
// The answers to job requests come without a subscription, as AWS IoT sends them. Blocks are passed on of one
// stream only, the one that the agent is subscribed to at present:
//
//   router.on_subscribe(filter)      // before SUBSCRIBE goes out: no block comes earlier than it is asked
//   for router.on_unsubscribe(filter)    // before UNSUBSCRIBE does: what still comes is late router.reset()
//   // the connection ended, and with it the subscription
//
// So a late block of one job cannot be taken for one of the next, or for an answer over HTTP. Any other topic
// is passed over. A message that is too large, or for which no buffer is free, is dropped and counted; the
// agent asks again for what it misses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/app/event_buffers.h"
#include "agent/app/message_sink.h"
#include "agent/app/mqtt_packet.h"

namespace app {

class MessageRouter final : public mqtt::MessageSink {
 public:
  /// `thing_name` must outlive the router.
  MessageRouter(EventBuffers& buffers, std::string_view thing_name)
      : buffers_(buffers), thing_name_(thing_name) {}

  /// The agent subscribes to `filter`. If that is the data topic of a stream, its blocks are passed on from
  /// here on, and no other stream's. A wildcard is the topic of no message.
  void on_subscribe(std::string_view filter);

  /// The agent unsubscribes. If `filter` is the data topic of a stream, whichever, no blocks are passed on
  /// any more, one that is half received included.
  void on_unsubscribe(std::string_view filter);

  void on_message_begin(std::string_view topic, std::uint32_t size) override;
  void on_message_data(std::span<const std::uint8_t> piece) override;
  void on_message_end() override;

  /// A connection ended: what was half received is given up, and nothing is subscribed to.
  void reset();

  /// Messages for the agent that found no buffer or did not fit.
  [[nodiscard]] std::uint32_t dropped() const { return dropped_; }

 private:
  [[nodiscard]] std::optional<OtaEvent_t> event_for(std::string_view topic) const;
  [[nodiscard]] bool is_data_topic(std::string_view topic) const;
  [[nodiscard]] std::string_view stream() const { return {stream_topic_.data(), stream_topic_size_}; }
  void leave_stream();
  void give_up_message();

  EventBuffers& buffers_;
  std::string_view thing_name_;
  std::array<char, mqtt::kMaxTopicLength> stream_topic_{};
  std::size_t stream_topic_size_ = 0;  ///< 0: no stream
  OtaEventData_t* filling_ = nullptr;
  OtaEvent_t event_ = OtaAgentEventMax;
  std::uint32_t dropped_ = 0;
};

}  // namespace app
