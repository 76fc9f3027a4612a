#include "sim/cloud/streams_mqtt.h"

#include <fmt/format.h>

#include "sim/cloud/stream_codec.h"

namespace otasim::cloud {

struct StreamsMqtt::Call {
  const ClientAddress& client;
  const ThingName& thing;
  const StreamsTopic& request;
  std::string_view payload;
  std::optional<std::string> client_token = {};

  [[nodiscard]] std::string reply_topic(const char* kind) const {
    return fmt::format("$aws/things/{}/streams/{}/{}/{}", thing.str(), request.stream, kind,
                       to_string(request.encoding));
  }
};

namespace {

ServiceResult<StreamId> parse_stream_id(const std::string& text) {
  auto id = StreamId::parse(text);
  if (!id) return refuse(ErrorCode::kResourceNotFound, "There is no stream of that name.");
  return *id;
}

}  // namespace

StreamOutcome StreamsMqtt::handle(const ClientAddress& client, const ThingName& thing,
                                  const StreamsTopic& request, std::string_view payload) {
  Call call{client, thing, request, payload};
  const auto outcome = [&]() -> ServiceResult<StreamOutcome> {
    if (!request.call) return refuse(ErrorCode::kInvalidTopic, "The topic is no operation of a stream.");
    return *request.call == StreamsCall::kGet ? get(call) : describe(call);
  }();
  if (outcome) return *outcome;
  publisher_.deliver(client, call.reply_topic("rejected"),
                     encode_rejection(request.encoding, call.client_token, outcome.error()));
  return {to_string(outcome.error().code)};
}

ServiceResult<StreamOutcome> StreamsMqtt::describe(Call& call) {
  const auto token = decode_describe(call.request.encoding, call.payload);
  if (!token) return tl::unexpected(token.error());
  call.client_token = *token;
  const auto id = parse_stream_id(call.request.stream);
  if (!id) return tl::unexpected(id.error());
  const auto description = streams_.describe(*id);
  if (!description) return tl::unexpected(description.error());
  publisher_.deliver(call.client, call.reply_topic("description"),
                     encode_description(call.request.encoding, call.client_token, *description));
  return StreamOutcome{"accepted"};
}

ServiceResult<StreamOutcome> StreamsMqtt::get(Call& call) {
  const auto request = decode_get(call.request.encoding, call.payload, call.client_token);
  if (!request) return tl::unexpected(request.error());
  const auto id = parse_stream_id(call.request.stream);
  if (!id) return tl::unexpected(id.error());
  const std::string topic = call.reply_topic("data");
  StreamOutcome outcome{"accepted"};
  bool too_large = false;
  const auto served = streams_.get_blocks(*id, *request, [&](const StreamBlock& block) {
    const std::string message =
        encode_block(call.request.encoding, call.client_token, request->file_id, block);
    too_large = too_large || message.size() > kMaxMessage;
    if (too_large) return;
    if (faults_.empty()) {
      publisher_.deliver(call.client, topic, message);
    } else {
      send_struck(call, request->file_id, block);
    }
    if (outcome.blocks++ == 0) outcome.first_block = block.index;
    outcome.bytes += static_cast<std::int64_t>(block.data.size());
  });
  if (!served) return tl::unexpected(served.error());
  if (too_large) {
    return refuse(ErrorCode::kBlockSizeOutOfBounds, "A block of that size does not fit a message of 128 KB.");
  }
  return outcome;
}

void StreamsMqtt::send_struck(const Call& call, std::int64_t file_id, const StreamBlock& block) {
  for (const StreamReply& reply : faults_.strike({.client = call.client,
                                  .topic = call.reply_topic("data"),
                                  .stream = call.request.stream,
                                  .encoding = call.request.encoding,
                                  .client_token = call.client_token,
                                  .file_id = file_id,
                                  .index = block.index,
                                  .length = static_cast<std::int64_t>(block.data.size()),
                                  .data = {block.data.begin(), block.data.end()}})) {
    publisher_.deliver(reply.client, reply.topic, encode_reply(reply));
  }
}

}  // namespace otasim::cloud
