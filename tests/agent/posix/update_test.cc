// The agent in a task of its own, over the POSIX port: updates, with others calling in from their threads.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>

#include "agent/include/ota_appversion32.h"
#include "agent/posix/os_port.h"
#include "agent/src/ota_c_api.h"
#include "tests/agent/posix/fake_service.h"

AppVersion32_t appFirmwareVersion;
extern "C" const char OTA_JsonFileSignatureKey[OTA_FILE_SIG_KEY_STR_MAX_LENGTH] = "sig-sha256-ecdsa";

namespace ota_test {
namespace {

constexpr std::uint32_t kFileSize = 12 * 4096 + 100;
constexpr std::uint32_t kManyRounds = UINT32_MAX;  ///< of OTA_Shutdown(): as long as it takes

/// What the C functions, which carry no context, act on.
struct World {
  explicit World(const JobSpec& job) : service(job) {}

  std::mutex mutex;
  std::condition_variable changed;
  OtaState_t state = OtaAgentStateInit;  ///< as last reported
  std::vector<std::string> unsubscribed;
  Bytes file;
  std::uint32_t blocks_stored = 0;
  bool is_activated = false;
  bool is_queue_empty = false;
  std::atomic<std::uint32_t> foreign_blocks_returned = 0;
  FakeService service;  // last: it signals to the agent

  template <typename Change>
  void change(Change change_it) {
    const std::lock_guard lock(mutex);
    change_it();
    changed.notify_all();
  }
  template <typename Condition>
  void wait_until(Condition condition) {
    std::unique_lock lock(mutex);
    changed.wait(lock, condition);
  }
};
World* world = nullptr;
OtaEventData_t foreign_block;  ///< not the service's

void on_job_event(OtaJobEvent_t event, void* data) {
  switch (event) {
    case OtaJobEventProcessed:
      if (data == &foreign_block) {
        ++world->foreign_blocks_returned;
      } else {
        world->service.buffer_processed(static_cast<OtaEventData_t*>(data));
      }
      break;
    case OtaJobEventActivate:
      EXPECT_EQ(OTA_ActivateNewImage(), OtaErrNone);
      break;
    case OtaJobEventNoActiveJob:
      world->change([] { world->is_queue_empty = true; });
      break;
    default:
      break;
  }
}

OtaMqttInterface_t mqtt() {
  return {.subscribe = [](const char*, std::uint16_t, std::uint8_t) { return OtaMqttSuccess; },
          .unsubscribe =
              [](const char* filter, std::uint16_t size, std::uint8_t) {
                world->change([&] { world->unsubscribed.emplace_back(filter, size); });
                return OtaMqttSuccess;
              },
          .publish =
              [](const char* topic, std::uint16_t topic_size, const char* message, std::uint32_t size,
                 std::uint8_t) {
                world->service.publish({topic, topic_size}, {message, message + size});
                return OtaMqttSuccess;
              }};
}

OtaPalInterface_t pal() {
  OtaPalInterface_t made{};
  made.abort = [](OtaFileContext_t* file) -> OtaPalStatus_t {
    file->pFile = nullptr;
    return 0;
  };
  made.createFile = [](OtaFileContext_t* file) -> OtaPalStatus_t {
    world->file.assign(file->fileSize, 0);
    file->pFile = world->file.data();
    return 0;
  };
  made.writeBlock = [](OtaFileContext_t*, std::uint32_t offset, std::uint8_t* data, std::uint32_t size) {
    std::memcpy(world->file.data() + offset, data, size);
    world->change([] { ++world->blocks_stored; });
    return static_cast<std::int16_t>(size);
  };
  made.closeFile = [](OtaFileContext_t*) -> OtaPalStatus_t { return 0; };
  made.activate = [](OtaFileContext_t*) -> OtaPalStatus_t {
    world->change([] { world->is_activated = true; });
    return 0;
  };
  made.reset = [](OtaFileContext_t*) -> OtaPalStatus_t { return 0; };
  made.setPlatformImageState = [](OtaFileContext_t*, OtaImageState_t) -> OtaPalStatus_t { return 0; };
  made.getPlatformImageState = [](OtaFileContext_t*) { return OtaPalImageStateValid; };
  return made;
}

// One port for all tests: the agent makes its queue once, and keeps it when it starts again.
ota::posix::OsPort& os_port() {
  static ota::posix::OsPort port;
  return port;
}

class PosixAgent : public testing::Test {
 protected:
  PosixAgent() {
    world = &world_;
    interfaces_.os = os_port().bind();
    interfaces_.mqtt = mqtt();
    interfaces_.pal = pal();
    ota::set_extras({.is_committed_job = nullptr,
                     .on_event = [](OtaState_t, OtaEvent_t, OtaErr_t,
                                    OtaState_t to) { world->change([to] { world->state = to; }); },
                     .on_note = nullptr});
  }
  ~PosixAgent() override {
    stop();
    world_.service.wait_until_idle();
    forget_leftovers();
    ota::set_extras({});
    ota::configure({});
  }

  void start() {
    ASSERT_EQ(OTA_Init(&buffers_, &interfaces_, reinterpret_cast<const std::uint8_t*>("t"), on_job_event),
              OtaErrNone);
    agent_ = std::thread(OTA_EventProcessingTask, nullptr);
    const OtaEventMsg_t event{nullptr, OtaAgentEventStart};
    ASSERT_TRUE(OTA_SignalEvent(&event));
  }
  void stop() {
    if (!agent_.joinable()) return;
    OTA_Shutdown(kManyRounds, 1);
    agent_.join();
  }
  /// What came in after the agent stopped would be given back at its next start, to a test that is over.
  static void forget_leftovers() {
    OtaEventMsg_t event{};
    while (os_port().queue().receive(event, std::chrono::milliseconds(0))) {
    }
  }
  static void wait_for_state(OtaState_t state) {
    world->wait_until([state] { return world->state == state; });
  }

  World world_{{.file_size = kFileSize}};
  OtaAppBuffer_t buffers_{};
  OtaInterfaces_t interfaces_{};
  std::thread agent_;
};

TEST_F(PosixAgent, UpdatesWhileOtherThreadsSuspendResumeAndShutDown) {
  world_.service.hold_after(5);
  start();
  world_.wait_until([] { return world->blocks_stored == 5; });
  std::thread([] { EXPECT_EQ(OTA_Suspend(), OtaErrNone); }).join();
  wait_for_state(OtaAgentStateSuspended);
  std::thread([] { EXPECT_EQ(OTA_Resume(), OtaErrNone); }).join();
  world_.service.release();
  world_.wait_until([] { return world->is_activated; });
  wait_for_state(OtaAgentStateWaitingForJob);
  world_.service.wait_until_idle();
  EXPECT_EQ(world_.file, AgentHarness::file_content(kFileSize));
  EXPECT_EQ(world_.blocks_stored, 13U) << "what was received before the suspension is not stored again";

  OtaState_t at_end = OtaAgentStateAll;
  std::thread([&at_end] { at_end = OTA_Shutdown(kManyRounds, 1); }).join();
  EXPECT_EQ(at_end, OtaAgentStateStopped) << "with ticks, shutdown waits for the end";
  agent_.join();
  EXPECT_EQ(OTA_GetState(), OtaAgentStateStopped);
  EXPECT_EQ(world_.unsubscribed.back(), "$aws/things/t/jobs/notify-next");
  EXPECT_EQ(world_.service.buffers_in_use(), 0U) << "every buffer came back";
}

TEST_F(PosixAgent, AsksAgainWhenTheTimerThreadSaysSo) {
  // Short, but longer than an answer takes on a busy machine: each wait that is over counts as a lost answer.
  ota::configure({.request_wait_ms = 100});
  world_.service.lose_job_requests(2);
  start();
  world_.wait_until([] { return world->is_activated; });
  EXPECT_EQ(world_.file, AgentHarness::file_content(kFileSize));
}

TEST_F(PosixAgent, RunsAgainAfterAShutdown) {
  for (int round = 0; round < 3; ++round) {
    world_.change([] {
      world->is_activated = false;
      world->is_queue_empty = false;
    });
    start();
    world_.wait_until([] { return world->is_activated || world->is_queue_empty; });
    EXPECT_EQ(world_.is_activated, round == 0) << "the job is done once";
    stop();
    EXPECT_EQ(OTA_GetState(), OtaAgentStateStopped);
  }
}

TEST_F(PosixAgent, StopsFromAThreadThatDoesNotWait) {
  start();
  EXPECT_NE(OTA_Shutdown(0, 0), OtaAgentStateAll);
  agent_.join();  // the task ends by itself
  EXPECT_EQ(OTA_GetState(), OtaAgentStateStopped);
  EXPECT_EQ(OTA_Shutdown(kManyRounds, 0), OtaAgentStateStopped) << "stopping twice is no error, and no wait";
  EXPECT_EQ(OTA_Suspend(), OtaErrAgentStopped);
}

TEST_F(PosixAgent, CountsEveryBlockThatManyThreadsSignal) {
  constexpr std::uint32_t kEach = 3000;
  constexpr std::size_t kThreads = 3;
  start();
  world_.wait_until([] { return world->is_activated; });
  wait_for_state(OtaAgentStateWaitingForJob);
  world_.service.wait_until_idle();
  OtaAgentStatistics_t before{};
  ASSERT_EQ(OTA_GetStatistics(&before), OtaErrNone);

  // The transfer is over: the agent gives each of these back at once, and counts it as dropped.
  std::array<std::thread, kThreads> senders;
  std::atomic<std::uint32_t> queued = 0;
  for (std::thread& sender : senders) {
    sender = std::thread([&queued] {
      const OtaEventMsg_t event{&foreign_block, OtaAgentEventReceivedFileBlock};
      for (std::uint32_t i = 0; i < kEach; ++i) {
        queued += OTA_SignalEvent(&event);
        OtaAgentStatistics_t now{};
        EXPECT_EQ(OTA_GetStatistics(&now), OtaErrNone);
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  stop();
  OtaAgentStatistics_t after{};
  ASSERT_EQ(OTA_GetStatistics(&after), OtaErrNone);
  EXPECT_EQ(world_.foreign_blocks_returned, queued);
  EXPECT_EQ(after.otaPacketsReceived - before.otaPacketsReceived, kEach * kThreads);
  EXPECT_EQ(after.otaPacketsQueued - before.otaPacketsQueued, queued);
  EXPECT_EQ(after.otaPacketsDropped - before.otaPacketsDropped, kEach * kThreads)
      << "refused by the queue or ignored by the agent";
}

}  // namespace
}  // namespace ota_test
