// What the device makes of topics.
//
// Input: the thing's name, a line; a filter that the agent subscribes to, a line; a topic, a line; a payload.
// A message becomes an event if and only if its topic, taken apart level by level, is one of the five that
// the agent knows and names this thing, and a stream's besides is the one subscribed to at that moment; it
// then arrives whole. No buffer is ever left behind.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "agent/app/message_router.h"
#include "tests/agent/app/fake_app.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"

namespace {

using otasim::testing::claim;
using otasim::testing::take_line;

std::vector<std::string> levels_of(std::string_view topic) {
  std::vector<std::string> levels(1);
  for (const char c : topic) {
    if (c == '/') {
      levels.emplace_back();
    } else {
      levels.back() += c;
    }
  }
  return levels;
}

/// The event that the topic's levels stand for; OtaAgentEventMax for none.
/// @param filter  what the agent is subscribed to
OtaEvent_t expected_event(const std::string& thing, std::string_view filter, std::string_view topic) {
  std::vector<std::string> levels = levels_of(topic);
  const std::vector<std::string> job_topics[] = {
      {"$aws", "things", thing, "jobs", "notify-next"},
      {"$aws", "things", thing, "jobs", "$next", "get", "accepted"},
      {"$aws", "things", thing, "jobs", "start-next", "accepted"},
  };
  if (std::ranges::find(job_topics, levels) != std::end(job_topics)) return OtaAgentEventReceivedJobDocument;
  constexpr std::size_t kStreamAt = 4;
  constexpr std::size_t kStreamLevels = 7;
  if (levels.size() != kStreamLevels || levels[kStreamAt].empty()) return OtaAgentEventMax;
  if (levels != levels_of(filter) || topic.size() > app::mqtt::kMaxTopicLength) return OtaAgentEventMax;
  levels.erase(levels.begin() + kStreamAt);
  for (const char* format : {"cbor", "json"}) {
    if (levels == std::vector<std::string>{"$aws", "things", thing, "streams", "data", format}) {
      return OtaAgentEventReceivedFileBlock;
    }
  }
  return OtaAgentEventMax;
}

void receive(app::MessageRouter& router, std::string_view topic, std::string_view payload) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
  router.on_message_begin(topic, static_cast<std::uint32_t>(payload.size()));
  router.on_message_data(bytes.first(payload.size() / 3));
  router.on_message_data(bytes.subspan(payload.size() / 3));
  router.on_message_end();
}

/// A message comes in; what becomes of it is as expected, and leaves no buffer behind.
void check(app::MessageRouter& router, app::EventBuffers& buffers, OtaEvent_t expected,
           std::string_view topic, std::string_view payload) {
  app::test::reset_world();
  receive(router, topic, payload);
  const std::vector<OtaEventMsg_t>& events = app::test::world().events;
  claim(events.size() == (expected != OtaAgentEventMax && payload.size() <= OTA_DATA_BLOCK_SIZE ? 1U : 0U),
        "a message for the agent is one event, and no other is");
  if (!events.empty()) {
    const OtaEventData_t& got = *events[0].pEventData;
    claim(events[0].eventId == expected, "the event is the topic's");
    claim(std::equal(payload.begin(), payload.end(), got.data, got.data + got.dataLength,
                     [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }),
          "the payload arrives whole");
    buffers.release(&got);
  }
  const OtaEventData_t* const last = buffers.acquire(app::EventBuffers::kCount - 1);
  claim(last != nullptr, "all buffers are free again");
  buffers.release(last);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static app::EventBuffers buffers;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string thing(take_line(rest));
  const std::string_view filter = take_line(rest);
  const std::string_view topic = take_line(rest);
  if (thing.empty() || thing.find('/') != std::string::npos) return 0;  // no thing is named so

  app::MessageRouter router(buffers, thing);
  check(router, buffers, expected_event(thing, {}, topic), topic, rest);
  router.on_subscribe(filter);
  check(router, buffers, expected_event(thing, filter, topic), topic, rest);
  router.on_unsubscribe(filter);
  check(router, buffers, expected_event(thing, {}, topic), topic, rest);
  return 0;
}
