// A whole download against a scripted service, over a link that loses, repeats and reorders at will, with
// timers, suspensions and expired URLs in between: it ends in the exact image, or in the failure that the
// agent states. Every message buffer goes back to the application.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>

#include "agent/src/names.h"
#include "tests/agent/src/fake_environment.h"

namespace ota_test {
namespace {

using nlohmann::json;

/// The service's side: turns the requests the agent has made into the messages that answer them.
class Service {
 public:
  Service(AgentHarness& h, const JobSpec& job, std::uint32_t block_size)
      : h_(h), job_(job), block_size_(block_size), content_(AgentHarness::file_content(size())) {}

  /// Answers what was asked for since the last call.
  void answer() {
    const auto& published = h_.environment.published;
    for (; seen_ < published.size(); ++seen_) answer(published[seen_]);
    answer_ranges();
  }

  /// What waits for delivery to the device.
  std::deque<std::pair<OtaEvent_t, Bytes>> wire;

  /// HTTP: a stream of bytes has no holes. It breaks, and nothing more comes until it is opened anew.
  void break_connection() {
    drop_blocks();
    is_broken_ = true;
  }

  [[nodiscard]] const Bytes& content() const { return content_; }

 private:
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(job_.file_size); }

  void drop_blocks() {
    std::erase_if(wire, [](const auto& message) { return message.first == OtaAgentEventReceivedFileBlock; });
  }

  Bytes block(std::uint32_t index) const {
    const auto begin = content_.begin() + index * block_size_;
    return {begin, begin + std::min<std::ptrdiff_t>(block_size_, content_.end() - begin)};
  }

  void send_block(std::uint32_t index, bool is_json) {
    if (index * block_size_ >= content_.size()) return;
    Bytes message = block_message(0, index, block(index));
    if (is_json) {
      json fields = json::from_cbor(message);
      fields["p"] = base64(fields["p"].get_binary());
      const std::string text = fields.dump();
      message.assign(text.begin(), text.end());
    }
    wire.emplace_back(OtaAgentEventReceivedFileBlock, std::move(message));
  }

  void answer(const Published& message) {
    if (message.topic.ends_with("/jobs/$next/get")) {
      JobSpec now = job_;
      now.client_token = json::parse(message.text())["clientToken"];
      const std::string text = job_text(now);
      wire.emplace_back(OtaAgentEventReceivedJobDocument, Bytes(text.begin(), text.end()));
    }
    if (message.topic.ends_with("/get/json")) {
      const json request = json::parse(message.text());
      RC_ASSERT(request["l"] == block_size_);
      for (std::uint32_t i = 0; i < request["n"]; ++i)
        send_block(request["o"].get<std::uint32_t>() + i, true);
    }
    if (message.topic.ends_with("/get/cbor")) answer_bitmap(json::from_cbor(message.payload));
  }

  void answer_bitmap(const json& request) {
    RC_ASSERT(request["l"] == block_size_);
    const auto& bitmap = request["b"].get_binary();
    std::uint32_t left = request["n"];
    for (std::uint32_t bit = 0; bit < bitmap.size() * 8 && left != 0; ++bit) {
      if ((bitmap[bit / 8] >> bit % 8 & 1) == 0) continue;
      send_block(request["o"].get<std::uint32_t>() + bit, false);
      --left;
    }
  }

  /// HTTP: a client that was opened anew answers no request of before.
  void answer_ranges() {
    FakeEnvironment& environment = h_.environment;
    if (http_clients_ != environment.http_inits + environment.http_deinits) {
      http_clients_ = environment.http_inits + environment.http_deinits;
      drop_blocks();
      answered_ranges_ = 0;
      is_broken_ = false;
    }
    for (; answered_ranges_ < environment.http_ranges.size(); ++answered_ranges_) {
      const auto [first, last] = environment.http_ranges[answered_ranges_];
      RC_ASSERT(first % block_size_ == 0U);
      RC_ASSERT(last < size());
      for (std::uint32_t at = first; !is_broken_ && at <= last; at += block_size_) {
        wire.emplace_back(OtaAgentEventReceivedFileBlock, block(at / block_size_));
      }
    }
  }

  AgentHarness& h_;
  JobSpec job_;
  std::uint32_t block_size_;
  Bytes content_;
  std::size_t seen_ = 0;
  int http_clients_ = 0;
  std::size_t answered_ranges_ = 0;
  bool is_broken_ = false;
};

enum class Fault { kNone, kLose, kRepeat, kReorder, kTimer, kTimerBehindAMessage, kSuspend, kExpire };

class Download {
 public:
  Download(const ota::Settings& settings, const JobSpec& job, int faults)
      : is_http_(settings.primary_data_protocol == OTA_DATA_OVER_HTTP),
        h_(settings),
        service_(h_, job, settings.block_size),
        faults_(faults) {
    h_.environment.queue_capacity = 200;
  }

  /// @returns the steps it took
  int run() {
    h_.start();
    int steps = 0;
    for (; steps < kMostSteps && !is_over(); ++steps) step();
    return steps;
  }

  [[nodiscard]] bool is_complete() {
    return std::ranges::count(h_.environment.events, OtaJobEventActivate) == 1 &&
           h_.environment.file == service_.content();
  }
  [[nodiscard]] bool is_given_up() {
    const auto updates = h_.updates();
    return h_.agent.state() == OtaAgentStateStopped && !updates.empty() &&
           updates.back() == R"({"status":"FAILED","statusDetails":{"reason":"aborted: 0x00000000"}})";
  }
  /// Those that wait in the queue when the agent stops come back when it is initialised again.
  [[nodiscard]] bool has_every_buffer_back() {
    h_.run();
    if (h_.agent.state() == OtaAgentStateStopped) RC_ASSERT(h_.agent.init({}, "t") == OtaErrNone);
    return h_.environment.buffers_returned == delivered_;
  }

  /// What happened, for a failure.
  [[nodiscard]] std::string history() const {
    std::string text = std::string("state ") + ota::name_of(h_.agent.state()) + "\n";
    for (const std::string& line : story_) text += line + "\n";
    for (const std::string& update : h_.updates()) text += update + "\n";
    for (const ota::Note note : h_.environment.notes) text += std::string(ota::name_of(note)) + "\n";
    return text;
  }

  static constexpr int kMostSteps = 5000;

 private:
  bool is_over() {
    return h_.agent.state() == OtaAgentStateStopped ||
           std::ranges::count(h_.environment.events, OtaJobEventActivate) != 0 ||
           std::ranges::count(h_.environment.events, OtaJobEventFail) != 0;
  }

  void step() {
    service_.answer();
    Fault fault = Fault::kNone;
    if (faults_ > 0) fault = static_cast<Fault>(*rc::gen::inRange(0, 24));
    if (fault > Fault::kExpire) fault = Fault::kNone;
    if (fault != Fault::kNone) --faults_;
    strike(fault);
    // While there are faults the agent may lag behind what happens.
    if (faults_ <= 0) return h_.run();
    const int events = *rc::gen::inRange(0, 4);
    if (events == 0) --faults_;
    for (int i = 0; i < events; ++i) h_.agent.process_next_event();
  }

  void strike(Fault fault) {
    story_.push_back(std::string(ota::name_of(h_.agent.state())) + ": fault " +
                     std::to_string(static_cast<int>(fault)) + ", on the wire " +
                     std::to_string(service_.wire.size()));
    auto& wire = service_.wire;
    if (wire.empty() && fault != Fault::kSuspend) return fire_timer();
    switch (fault) {
      case Fault::kNone:
        return deliver(0);
      case Fault::kLose:
        if (is_http_ && wire.front().first == OtaAgentEventReceivedFileBlock)
          return service_.break_connection();
        wire.pop_front();
        return;
      case Fault::kRepeat:
        if (!is_http_ || wire.front().first == OtaAgentEventReceivedJobDocument)
          wire.push_front(wire.front());
        return deliver(0);
      case Fault::kReorder:
        return deliver(is_http_ ? 0 : *rc::gen::inRange<std::size_t>(0, wire.size()));
      case Fault::kTimer:
        return fire_timer();
      case Fault::kTimerBehindAMessage:
        fire_timer();
        return deliver(0);
      case Fault::kSuspend:
        h_.run();
        if (h_.agent.state() == OtaAgentStateStopped) return;
        wire.clear();
        RC_ASSERT(h_.agent.suspend() == OtaErrNone);
        h_.run();
        RC_ASSERT(h_.agent.resume() == OtaErrNone);
        return;
      case Fault::kExpire:
        RC_ASSERT(h_.agent.signal({nullptr, OtaAgentEventRequestJobDocument}));
        return;
    }
  }

  void deliver(std::size_t at) {
    auto& wire = service_.wire;
    const auto [event, message] = wire[at];
    wire.erase(wire.begin() + static_cast<std::ptrdiff_t>(at));
    h_.enqueue(event, message);
    ++delivered_;
  }

  void fire_timer() {
    if (h_.environment.timers.erase(OtaRequestTimer) != 0) h_.agent.on_timer(OtaRequestTimer);
  }

  bool is_http_;
  AgentHarness h_;
  Service service_;
  int faults_;
  std::size_t delivered_ = 0;
  std::vector<std::string> story_;
};

ota::Settings any_settings() {
  ota::Settings settings;
  settings.block_size = 256U << *rc::gen::inRange(0, 3);
  settings.blocks_per_request = *rc::gen::inRange(1U, 20U);
  settings.blocks_per_http_request = settings.blocks_per_request;
  settings.blocks_in_flight = *rc::gen::inRange(1U, 40U);
  settings.data_protocols = OTA_DATA_OVER_MQTT | OTA_DATA_OVER_HTTP;
  settings.primary_data_protocol = *rc::gen::element(OTA_DATA_OVER_MQTT, OTA_DATA_OVER_HTTP);
  settings.stream_format = *rc::gen::element(OTA_STREAM_CBOR, OTA_STREAM_JSON);
  return settings;
}

JobSpec any_job() {
  return {.file_size = *rc::gen::inRange<std::uint64_t>(1, 30'000),
          .protocols = R"(["MQTT","HTTP"])",
          .url = "https://host/file"};
}

RC_GTEST_PROP(DownloadProperty, OverAnyLinkItEndsInTheExactImage, ()) {
  Download download(any_settings(), any_job(), *rc::gen::inRange(0, 25));
  RC_ASSERT(download.run() < Download::kMostSteps);
  if (!download.is_complete()) RC_FAIL(download.history());
  RC_ASSERT(download.has_every_buffer_back());
}

RC_GTEST_PROP(DownloadProperty, WithLittlePatienceItMayAlsoEndInTheStatedFailure, ()) {
  ota::Settings settings = any_settings();
  settings.max_request_momentum = *rc::gen::inRange(1U, 4U);
  Download download(settings, any_job(), *rc::gen::inRange(0, 200));
  RC_ASSERT(download.run() < Download::kMostSteps);
  const bool is_stated = download.is_complete() || download.is_given_up();
  RC_ASSERT(is_stated);
  RC_ASSERT(download.has_every_buffer_back());
}

}  // namespace
}  // namespace ota_test
