// Takes incoming MQTT messages piece by piece.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace app::mqtt {

class MessageSink {
 public:
  virtual ~MessageSink() = default;

  /// `topic` is valid during the call.
  virtual void on_message_begin(std::string_view topic, std::uint32_t size) = 0;
  virtual void on_message_data(std::span<const std::uint8_t> piece) = 0;
  virtual void on_message_end() = 0;
};

}  // namespace app::mqtt
