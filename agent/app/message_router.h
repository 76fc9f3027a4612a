// Turns incoming MQTT messages into the agent's events.
//
//   $aws/things/<thing>/jobs/notify-next             -> OtaAgentEventReceivedJobDocument
//   $aws/things/<thing>/jobs/$next/get/accepted      -> OtaAgentEventReceivedJobDocument
//   $aws/things/<thing>/jobs/start-next/accepted     -> OtaAgentEventReceivedJobDocument
//   $aws/things/<thing>/streams/<stream>/data/cbor   -> OtaAgentEventReceivedFileBlock
//   $aws/things/<thing>/streams/<stream>/data/json   -> OtaAgentEventReceivedFileBlock
//
// The answers to job requests come without a subscription, as AWS IoT sends them. Any other topic is passed
// over. A message that is too large, or for which no buffer is free, is dropped and counted; the agent asks
// again for what it misses.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/app/event_buffers.h"
#include "agent/app/message_sink.h"

namespace app {

class MessageRouter final : public mqtt::MessageSink {
 public:
  /// `thing_name` must outlive the router.
  MessageRouter(EventBuffers& buffers, std::string_view thing_name)
      : buffers_(buffers), thing_name_(thing_name) {}

  void on_message_begin(std::string_view topic, std::uint32_t size) override;
  void on_message_data(std::span<const std::uint8_t> piece) override;
  void on_message_end() override;

  /// A connection ended: what was half received is given up.
  void reset();

  /// Messages for the agent that found no buffer or did not fit.
  [[nodiscard]] std::uint32_t dropped() const { return dropped_; }

 private:
  [[nodiscard]] std::optional<OtaEvent_t> event_for(std::string_view topic) const;

  EventBuffers& buffers_;
  std::string_view thing_name_;
  OtaEventData_t* filling_ = nullptr;
  OtaEvent_t event_ = OtaAgentEventMax;
  std::uint32_t dropped_ = 0;
};

}  // namespace app
