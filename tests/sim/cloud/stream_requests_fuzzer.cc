// File streams over MQTT: whatever a device asks for, it hears of the stream it asked about, in the encoding
// it asked in, and every block is what stands in the object.
//
// Input: what follows `streams/` in the topic, on a line; then the payload.
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/base/json.h"
#include "sim/broker/topic_rules.h"
#include "sim/cloud/request_topic.h"
#include "sim/cloud/stream_codec.h"
#include "sim/cloud/streams_service.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"
#include "tests/sim/broker/device_rights.h"
#include "tests/sim/cloud/fuzzed_cloud.h"

namespace {

using namespace otasim;
using namespace otasim::cloud;
using otasim::testing::claim;
using Json = nlohmann::json;
using Bytes = std::vector<std::uint8_t>;

constexpr std::string_view kBase = "$aws/things/lamp/streams/";
constexpr std::array kErrors{"InvalidTopic",
                             "InvalidJson",
                             "InvalidCbor",
                             "InvalidRequest",
                             "ResourceNotFound",
                             "VersionMismatch",
                             "OffsetOutOfBounds",
                             "BlockSizeOutOfBounds",
                             "BlockCountLimitExceeded",
                             "BlockBitmapLimitExceeded"};

struct Request {
  StreamsTopic topic;
  std::string_view payload;

  [[nodiscard]] std::string reply_topic(const char* kind) const {
    return std::string{kBase} + topic.stream + "/" + kind + "/" + std::string{to_string(topic.encoding)};
  }
};

Json decode(Encoding encoding, const std::string& payload) {
  return encoding == Encoding::kCbor ? Json::from_cbor(payload, true, false)
                                     : Json::parse(payload, nullptr, false);
}

Bytes block_data(const Json& block) {
  if (block["p"].is_binary()) return block["p"].get_binary();
  const auto& text = block["p"].get_ref<const std::string&>();
  Bytes bytes(text.size() / 4 * 3);
  const int length = EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  claim(length == static_cast<int>(bytes.size()), "a block in JSON is Base64");
  bytes.resize(bytes.size() - static_cast<std::size_t>(std::ranges::count(text, '=')));
  return bytes;
}

std::size_t file_size(std::int64_t id) {
  for (const auto& [known, size] : FuzzedCloud::files()) {
    if (known == id) return size;
  }
  claim(false, "only files of the stream are served");
  return 0;
}

/// Every block that the request names and the file has.
std::vector<std::int64_t> named_blocks(const GetStreamRequest& get, std::size_t size) {
  std::vector<std::int64_t> named;
  const auto blocks = static_cast<std::int64_t>((size + static_cast<std::size_t>(get.block_size) - 1) /
                                                static_cast<std::size_t>(get.block_size));
  for (std::int64_t index = get.offset; index < blocks; ++index) {
    const auto bit = static_cast<std::size_t>(index - get.offset);
    const bool wanted =
        !get.bitmap || (bit / 8 < get.bitmap->size() && ((*get.bitmap)[bit / 8] >> bit % 8 & 1) != 0);
    if (wanted) named.push_back(index);
  }
  return named;
}

void check_block(const GetStreamRequest& get, const Json& block, std::int64_t index, std::size_t size) {
  claim(block["f"] == get.file_id && block["i"] == index, "blocks come in order, none left out");
  const Bytes data = block_data(block);
  const auto start = static_cast<std::size_t>(index * get.block_size);
  claim(block["l"] == data.size(), "a block says how long it is");
  claim(data.size() == std::min(static_cast<std::size_t>(get.block_size), size - start),
        "only the last is shorter");
  for (std::size_t i = 0; i < data.size(); ++i) {
    claim(data[i] == FuzzedCloud::byte_at(start + i), "a block is what stands in the object");
  }
}

/// @param messages  what came on the data topic
void check_blocks(const Request& request, const std::vector<Json>& messages) {
  std::optional<std::string> token;
  const auto get = decode_get(request.topic.encoding, request.payload, token);
  claim(get.has_value(), "only a request that is understood is served");
  const std::size_t size = file_size(get->file_id);
  const auto named = named_blocks(*get, size);
  claim(messages.size() <= named.size(), "nothing comes that was not asked for");
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    check_block(*get, messages[i], named[i], size);
    bytes += messages[i]["l"].get<std::int64_t>();
  }
  claim(bytes <= kMaxBytesPerRequest, "a request brings at most 128 KB");
  const auto count = static_cast<std::int64_t>(messages.size());
  const bool complete = messages.size() == named.size() || (get->block_count && count == *get->block_count) ||
                        (count + 1) * get->block_size > kMaxBytesPerRequest;
  claim(complete, "and no less than it may");
}

void check_description(const Json& reply) {
  claim(reply["s"] == 1 && reply["d"].is_string(), "a description has version and text");
  const auto& files = FuzzedCloud::files();
  if (reply["r"].size() == 1) return;  // the update's stream
  claim(reply["r"].size() == files.size(), "and names every file");
  for (std::size_t i = 0; i < files.size(); ++i) {
    claim(reply["r"][i]["f"] == files[i].first && reply["r"][i]["z"] == files[i].second, "with its size");
  }
}

void check_rejection(const Json& reply) {
  claim(std::ranges::any_of(kErrors, [&](const char* name) { return reply["o"] == name; }),
        "an error has a name of AWS's");
  claim(reply["m"].is_string() && !reply["m"].empty(), "and says why");
}

void check_sent(const Request& request, const ClientAddress& client, const std::vector<Sent>& all) {
  std::vector<Json> blocks;
  for (const Sent& sent : all) {
    claim(sent.client == client, "a stream speaks to who asked, and to nobody else");
    claim(sent.payload.size() <= kMaxMessage, "a message has at most 128 KB");
    const Json json = decode(request.topic.encoding, sent.payload);
    claim(json.is_object(), "a message is in the encoding that was asked for");
    if (sent.topic == request.reply_topic("data")) {
      blocks.push_back(json);
    } else {
      claim(all.size() == 1, "a description or a rejection comes alone");
      const bool described = sent.topic == request.reply_topic("description");
      claim(described || sent.topic == request.reply_topic("rejected"),
            "an answer is on the stream's own topics");
      described ? check_description(json) : check_rejection(json);
    }
  }
  if (request.topic.call == StreamsCall::kGet && (all.empty() || !blocks.empty()))
    check_blocks(request, blocks);
  claim(request.topic.call == StreamsCall::kGet || all.size() == 1,
        "what brings no blocks brings one answer");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static FuzzedCloud* const cloud = [] {
    static FuzzedCloud made;
    made.reset();
    return &made;  // streams are only read: the store stays as it is
  }();
  std::string_view payload(reinterpret_cast<const char*>(data), size);
  const std::string topic = std::string{kBase} + std::string{otasim::testing::take_line(payload)};
  if (!testing::may_request("lamp", topic)) return 0;  // the broker does not pass it on
  const auto parsed = parse_device_topic(topic);
  const auto* const stream = parsed ? std::get_if<StreamsTopic>(&parsed->service) : nullptr;
  claim(stream != nullptr, "what is below streams/ is a stream's");
  const ClientAddress client{"lamp", 7};
  check_sent({*stream, payload}, client, cloud->request(client, topic, payload));
  return 0;
}
