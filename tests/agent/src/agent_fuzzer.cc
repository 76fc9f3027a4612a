// The agent as a whole, fed with whatever the network, the timers and the application may bring.
//
// Input, by lines. The first line chooses the settings (its bytes, one by one). Then, one event per line:
//
//   j<text>    a job message                 J<n>  a good job of n bytes (and of another id for odd n)
//   b<bytes>   a message of the stream       B<n>  the good block n
//   t s r a c d  request timer, suspend, resume, user abort, check for update, self-test timer
//   0 1        the network fails, works      p v i  the platform says pending, valid, invalid
//   +          handle one event
//
// Claimed: every message buffer is given back once the queue is empty; nothing is written outside the file;
// every report is a JSON object; the agent is in a state of the table; it can be stopped, and started again.
#include <charconv>
#include <nlohmann/json.hpp>

#include "tests/agent/src/fake_environment.h"
#include "tests/fuzzing/claim.h"
#include "tests/fuzzing/lines.h"

namespace {

using otasim::testing::claim;
using otasim::testing::take_line;
using namespace ota_test;

ota::Settings settings_of(std::string_view line) {
  const auto at = [&](std::size_t i) { return i < line.size() ? static_cast<std::uint8_t>(line[i]) : 0U; };
  ota::Settings settings;
  settings.max_request_momentum = at(0) % 8 + 1;
  settings.blocks_per_request = at(1) % 20;
  settings.blocks_per_http_request = settings.blocks_per_request;
  settings.blocks_in_flight = at(2) % 64;
  settings.block_size = 256U << at(3) % 5;
  settings.data_protocols = at(4) % 4;
  settings.primary_data_protocol = at(5) % 2 + 1;
  settings.stream_format = at(6) % 2;
  settings.use_start_next = at(7) % 2 != 0;
  return settings;
}

class Run {
 public:
  explicit Run(const ota::Settings& settings) : h_(settings), block_size_(settings.block_size) {
    h_.environment.queue_capacity = 64;
  }

  void event(std::string_view line) {
    const char kind = line.empty() ? '+' : line.front();
    if (!line.empty()) line.remove_prefix(1);
    std::uint32_t number = 0;
    std::from_chars(line.data(), line.data() + line.size(), number);
    number %= 20'000;
    switch (kind) {
      case 'j':
        return message(OtaAgentEventReceivedJobDocument, {line.begin(), line.end()});
      case 'J':
        return good_job(number);
      case 'b':
        return message(OtaAgentEventReceivedFileBlock, {line.begin(), line.end()});
      case 'B':
        return message(OtaAgentEventReceivedFileBlock,
                       block_message(0, number % 64, Bytes(block_size_, 0x5A)));
      case 't':
        return timer(OtaRequestTimer);
      case 'd':
        return timer(OtaSelfTestTimer);
      case 's':
        return static_cast<void>(h_.agent.suspend());
      case 'r':
        return static_cast<void>(h_.agent.resume());
      case 'a':
        return static_cast<void>(h_.agent.set_image_state(OtaImageStateAborted));
      case 'c':
        return static_cast<void>(h_.agent.signal({nullptr, OtaAgentEventRequestJobDocument}));
      case '0':
      case '1':
        h_.environment.subscribe_fails = h_.environment.publish_fails = kind == '0';
        h_.environment.http_init_fails = h_.environment.http_request_fails = kind == '0';
        return;
      case 'p':
        h_.environment.pal_state = OtaPalImageStatePendingCommit;
        return;
      case 'v':
        h_.environment.pal_state = OtaPalImageStateValid;
        return;
      case 'i':
        h_.environment.pal_state = OtaPalImageStateInvalid;
        return;
      default:
        h_.agent.process_next_event();
    }
  }

  void start() { static_cast<void>(h_.agent.signal({nullptr, OtaAgentEventStart})); }

  void check_and_stop() {
    h_.run();
    check();
    static_cast<void>(h_.agent.shutdown(0, true));
    h_.run();
    claim(h_.agent.state() == OtaAgentStateStopped, "it can be stopped");
    claim(h_.environment.timers.empty(), "and leaves no timer running");
    claim(h_.agent.init({}, "t") == OtaErrNone, "and started again");
    claim(h_.environment.buffers_returned == given_, "with every buffer given back");
  }

 private:
  void message(OtaEvent_t event, Bytes bytes) {
    if (h_.environment.queued() >= h_.environment.queue_capacity) return;
    if (h_.agent.state() == OtaAgentStateStopped) return;
    bytes.resize(std::min<std::size_t>(bytes.size(), OTA_DATA_BLOCK_SIZE));
    h_.enqueue(event, bytes);
    ++given_;
  }

  void good_job(std::uint32_t size) {
    const std::string text = job_text({.id = size % 2 == 0 ? "even" : "odd",
                                       .self_test = size % 7 == 0 ? "ready" : "",
                                       .updated_by = "0x00090001",
                                       .file_size = size,
                                       .protocols = R"(["MQTT","HTTP"])",
                                       .url = "https://host/file"});
    message(OtaAgentEventReceivedJobDocument, {text.begin(), text.end()});
  }

  void timer(OtaTimerId_t id) {
    if (h_.environment.timers.erase(id) != 0) h_.agent.on_timer(id);
  }

  void check() {
    const OtaState_t state = h_.agent.state();
    claim(state >= OtaAgentStateInit && state <= OtaAgentStateStopped && state != OtaAgentStateClosingFile,
          "it is in a state of the table");
    if (state != OtaAgentStateStopped) {
      claim(h_.environment.buffers_returned == given_, "every buffer is given back");
    }
    // Whatever is waited for, a timer guards it. Only who waits for the next job waits for ever.
    const bool is_idle = state == OtaAgentStateInit || state == OtaAgentStateReady ||
                         state == OtaAgentStateSuspended || state == OtaAgentStateStopped ||
                         state == OtaAgentStateWaitingForJob;
    claim(is_idle || h_.environment.timers.contains(OtaRequestTimer), "a timer guards what it waits for");
    for (const std::string& update : h_.updates()) {
      claim(nlohmann::json::accept(update), "every report is JSON");
    }
  }

  AgentHarness h_;
  std::uint32_t block_size_;
  std::size_t given_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int kMostEvents = 200;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Run run(settings_of(take_line(rest)));
  run.start();
  for (int i = 0; i < kMostEvents && !rest.empty(); ++i) run.event(take_line(rest));
  run.check_and_stop();
  return 0;
}
