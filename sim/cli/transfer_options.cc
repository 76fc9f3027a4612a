#include "sim/cli/transfer_options.h"

#include "pal_sim/provisioning/provisioning.h"

namespace otasim::cli {

void TransferOptions::add_to(CLI::App* command, const char* protocol_help) {
  command->add_option("--protocol,--data", protocol_, protocol_help)->check(CLI::IsMember({"mqtt", "http"}));
  command->add_option("--block-size", block_size_, "Bytes of a block: 256, 512, 1024, 2048 or 4096")
      ->check(CLI::IsMember({256, 512, 1024, 2048, 4096}));
  command->add_option("--blocks-in-flight", blocks_in_flight_, "Blocks that may be on their way at once")
      ->check(CLI::Range(1U, unsigned{provisioning::kMaxBlocksInFlight}));
  command->add_option("--blocks-per-request", blocks_per_request_, "Blocks asked for in one request")
      ->check(CLI::Range(1U, unsigned{provisioning::kMaxBlocksPerRequest}));
  command->add_option("--stream-format", stream_format_, "How blocks travel over MQTT")
      ->check(CLI::IsMember({"cbor", "json"}));
  command->add_flag("--start-next", start_next_, "Ask for jobs with start-next instead of get");
}

nlohmann::json TransferOptions::values() const {
  nlohmann::json values = nlohmann::json::object();
  if (protocol_) values["protocol"] = *protocol_;
  if (block_size_) values["block_size"] = *block_size_;
  if (blocks_in_flight_) values["blocks_in_flight"] = *blocks_in_flight_;
  if (blocks_per_request_) values["blocks_per_request"] = *blocks_per_request_;
  if (stream_format_) values["stream_format"] = *stream_format_;
  if (start_next_) values["start_next"] = true;
  return values;
}

}  // namespace otasim::cli
