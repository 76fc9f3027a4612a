// AWS's C API: one update through OtaInterfaces_t.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "agent/src/ota_c_api.h"
#include "ota_appversion32.h"
#include "tests/agent/src/fake_environment.h"

AppVersion32_t appFirmwareVersion;
extern "C" const char OTA_JsonFileSignatureKey[OTA_FILE_SIG_KEY_STR_MAX_LENGTH] = "sig-sha256-ecdsa";

namespace ota_test {
namespace {

// C interfaces carry no context; these tests run one at a time.
struct World {
  std::deque<OtaEventMsg_t> queue;
  std::vector<std::string> published;
  std::vector<OtaJobEvent_t> events;
  Bytes file;
  OtaTimerCallback_t request_timer = nullptr;
  std::uint32_t request_timer_ms = 0;
  int resets = 0;
  std::string url;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;
  std::vector<ota::Note> notes;
  OtaPalImageState_t pal_state = OtaPalImageStateValid;
  std::vector<OtaImageState_t> image_states;
  int transitions = 0;
};
World* world = nullptr;

OtaInterfaces_t interfaces() {
  OtaInterfaces_t made{};
  made.os.event.init = [](OtaEventContext_t*) { return OtaOsSuccess; };
  made.os.event.send = [](OtaEventContext_t*, const void* message, unsigned int) {
    world->queue.push_back(*static_cast<const OtaEventMsg_t*>(message));
    return OtaOsSuccess;
  };
  made.os.event.recv = [](OtaEventContext_t*, void* message, std::uint32_t) {
    if (world->queue.empty()) return OtaOsEventQueueReceiveFailed;
    *static_cast<OtaEventMsg_t*>(message) = world->queue.front();
    world->queue.pop_front();
    return OtaOsSuccess;
  };
  made.os.timer.start = [](OtaTimerId_t timer, const char*, std::uint32_t timeout_ms,
                           OtaTimerCallback_t callback) {
    if (timer == OtaRequestTimer) world->request_timer = callback;
    if (timer == OtaRequestTimer) world->request_timer_ms = timeout_ms;
    return OtaOsSuccess;
  };
  made.os.timer.stop = [](OtaTimerId_t) { return OtaOsSuccess; };
  made.os.timer.deleteTimer = [](OtaTimerId_t) { return OtaOsSuccess; };
  made.mqtt.subscribe = [](const char*, std::uint16_t, std::uint8_t) { return OtaMqttSuccess; };
  made.mqtt.unsubscribe = [](const char*, std::uint16_t, std::uint8_t) { return OtaMqttSuccess; };
  made.mqtt.publish = [](const char* topic, std::uint16_t topic_size, const char* message, std::uint32_t size,
                         std::uint8_t) {
    world->published.push_back(std::string(topic, topic_size) + " " + std::string(message, size));
    return OtaMqttSuccess;
  };
  made.pal.abort = [](OtaFileContext_t*) -> OtaPalStatus_t { return 0; };
  made.pal.createFile = [](OtaFileContext_t* file) -> OtaPalStatus_t {
    world->file.assign(file->fileSize, 0);
    file->pFile = world->file.data();
    return 0;
  };
  made.pal.closeFile = [](OtaFileContext_t*) -> OtaPalStatus_t { return 0; };
  made.pal.writeBlock = [](OtaFileContext_t*, std::uint32_t offset, std::uint8_t* data, std::uint32_t size) {
    std::memcpy(world->file.data() + offset, data, size);
    return static_cast<std::int16_t>(size);
  };
  made.pal.activate = [](OtaFileContext_t*) -> OtaPalStatus_t { return 0; };
  made.pal.reset = [](OtaFileContext_t*) -> OtaPalStatus_t {
    ++world->resets;
    return 0;
  };
  made.pal.setPlatformImageState = [](OtaFileContext_t*, OtaImageState_t state) -> OtaPalStatus_t {
    world->image_states.push_back(state);
    return 0;
  };
  made.pal.getPlatformImageState = [](OtaFileContext_t*) { return world->pal_state; };
  return made;
}

OtaHttpInterface_t http() {
  OtaHttpInterface_t made{};
  made.init = [](char* url) {
    world->url = url;
    return OtaHttpSuccess;
  };
  made.request = [](std::uint32_t first, std::uint32_t last) {
    world->ranges.emplace_back(first, last);
    return OtaHttpSuccess;
  };
  made.deinit = [] {
    world->url.clear();
    return OtaHttpSuccess;
  };
  return made;
}

void on_job_event(OtaJobEvent_t event, void*) {
  world->events.push_back(event);
}

class CApi : public testing::Test {
 protected:
  CApi() { world = &world_; }
  ~CApi() override {
    OTA_Shutdown(0, 0);
    run();
    ota::set_extras({});
    ota::configure({});
    world = nullptr;
  }
  OtaErr_t init() {
    return OTA_Init(&buffers_, &interfaces_, reinterpret_cast<const std::uint8_t*>("t"), on_job_event);
  }
  static void run() {
    do {
      OTA_EventProcess();
    } while (!world->queue.empty() && OTA_GetState() != OtaAgentStateStopped);
  }
  static void receive(OtaEvent_t event, const Bytes& bytes, OtaEventData_t& data) {
    std::memcpy(data.data, bytes.data(), bytes.size());
    data.dataLength = static_cast<std::uint32_t>(bytes.size());
    const OtaEventMsg_t message{&data, event};
    ASSERT_TRUE(OTA_SignalEvent(&message));
    run();
  }

  static void start() {
    const OtaEventMsg_t start{nullptr, OtaAgentEventStart};
    ASSERT_TRUE(OTA_SignalEvent(&start));
    run();
  }
  static void receive_job(const std::string& text) {
    OtaEventData_t data{};
    receive(OtaAgentEventReceivedJobDocument, {text.begin(), text.end()}, data);
  }

  World world_;
  OtaAppBuffer_t buffers_{};
  OtaInterfaces_t interfaces_ = interfaces();
};

TEST_F(CApi, RefusesMissingArguments) {
  const auto* name = reinterpret_cast<const std::uint8_t*>("t");
  EXPECT_EQ(OTA_Init(nullptr, &interfaces_, name, on_job_event), OtaErrUninitialized);
  EXPECT_EQ(OTA_Init(&buffers_, nullptr, name, on_job_event), OtaErrUninitialized);
  EXPECT_EQ(OTA_Init(&buffers_, &interfaces_, nullptr, on_job_event), OtaErrUninitialized);
  EXPECT_FALSE(OTA_SignalEvent(nullptr));
  EXPECT_EQ(OTA_GetStatistics(nullptr), OtaErrInvalidArg);
  EXPECT_EQ(OTA_SetImageState(OtaImageStateTesting), OtaErrInvalidArg);
  EXPECT_EQ(OTA_SetImageState(static_cast<OtaImageState_t>(OtaLastImageState + 1)), OtaErrInvalidArg);
}

TEST_F(CApi, CarriesAnUpdateFromStartToActivate) {
  appFirmwareVersion.u.unsignedVersion32 = 0x0001'0002;
  ota::configure({.request_wait_ms = 1234, .blocks_per_request = 4});
  ota::set_extras({.is_committed_job = nullptr,
                   .on_event = [](OtaState_t, OtaEvent_t, OtaErr_t, OtaState_t) { ++world->transitions; },
                   .on_note = nullptr});
  ASSERT_EQ(init(), OtaErrNone);
  EXPECT_EQ(OTA_GetState(), OtaAgentStateInit);
  OTA_EventProcess();
  EXPECT_EQ(OTA_GetState(), OtaAgentStateReady);
  const OtaEventMsg_t start{nullptr, OtaAgentEventStart};
  ASSERT_TRUE(OTA_SignalEvent(&start));
  run();
  EXPECT_EQ(world_.request_timer_ms, 1234U);

  OtaEventData_t data{};
  const std::string job = job_text({.file_size = 5});
  receive(OtaAgentEventReceivedJobDocument, {job.begin(), job.end()}, data);
  receive(OtaAgentEventReceivedFileBlock, block_message(0, 0, {1, 2, 3, 4, 5}), data);
  EXPECT_EQ(world_.file, (Bytes{1, 2, 3, 4, 5}));
  EXPECT_EQ(world_.events, (std::vector{OtaJobEventReceivedJob, OtaJobEventProcessed, OtaJobEventActivate,
                                        OtaJobEventProcessed}));
  EXPECT_EQ(world_.published.back(),
            "$aws/things/t/jobs/AFR_OTA-u1/update "
            R"({"status":"IN_PROGRESS","statusDetails":{"self_test":"ready","updatedBy":"0x00010002"}})");
  OtaAgentStatistics_t statistics{};
  EXPECT_EQ(OTA_GetStatistics(&statistics), OtaErrNone);
  EXPECT_EQ(statistics.otaPacketsProcessed, 1U);
  EXPECT_EQ(OTA_ActivateNewImage(), OtaErrNone);
  EXPECT_GT(world_.transitions, 5);
}

TEST_F(CApi, TimerCallbackReachesTheAgent) {
  ASSERT_EQ(init(), OtaErrNone);
  OTA_EventProcess();
  const OtaEventMsg_t start{nullptr, OtaAgentEventStart};
  ASSERT_TRUE(OTA_SignalEvent(&start));
  run();
  const auto before = world_.published.size();
  ASSERT_NE(world_.request_timer, nullptr);
  world_.request_timer(OtaRequestTimer);
  run();
  EXPECT_EQ(world_.published.size(), before + 1);
  world_.request_timer(OtaSelfTestTimer);
  EXPECT_EQ(world_.resets, 0) << "the image is committed";
  world_.pal_state = OtaPalImageStatePendingCommit;
  world_.request_timer(OtaSelfTestTimer);
  EXPECT_EQ(world_.resets, 1);
}

TEST_F(CApi, CarriesAnUpdateOverHttp) {
  interfaces_.http = http();
  ota::configure({.data_protocols = OTA_DATA_OVER_HTTP, .primary_data_protocol = OTA_DATA_OVER_HTTP});
  ASSERT_EQ(init(), OtaErrNone);
  start();
  receive_job(job_text({.file_size = 5, .protocols = R"(["HTTP"])", .url = "https://host/a?b=c"}));
  EXPECT_EQ(world_.url, "https://host/a?b=c");
  ASSERT_EQ(world_.ranges, (std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 4}}));
  OtaEventData_t data{};
  receive(OtaAgentEventReceivedFileBlock, {1, 2, 3, 4, 5}, data);
  EXPECT_EQ(world_.file, (Bytes{1, 2, 3, 4, 5}));
  EXPECT_EQ(world_.url, "");
}

TEST_F(CApi, HalfAnHttpInterfaceIsNone) {
  for (int missing = 0; missing < 3; ++missing) {
    interfaces_.http = http();
    if (missing == 0) interfaces_.http.init = nullptr;
    if (missing == 1) interfaces_.http.request = nullptr;
    if (missing == 2) interfaces_.http.deinit = nullptr;
    ota::configure({.data_protocols = OTA_DATA_OVER_HTTP, .primary_data_protocol = OTA_DATA_OVER_HTTP});
    ASSERT_EQ(init(), OtaErrNone);
    start();
    receive_job(job_text({.file_size = 5, .protocols = R"(["HTTP"])", .url = "https://host/a?b=c"}));
    EXPECT_NE(world_.published.back().find("aborted: 0x0000000d"), std::string::npos) << missing;
    OTA_Shutdown(0, 0);
    run();
  }
}

TEST_F(CApi, ExtrasGiveTheCommittedJobAndTheNotes) {
  ota::set_extras({.is_committed_job = [](std::string_view job) { return job == "AFR_OTA-u1"; },
                   .on_event = nullptr,
                   .on_note = [](ota::Note note) { world->notes.push_back(note); }});
  appFirmwareVersion.u.unsignedVersion32 = 0x0001'0002;
  ASSERT_EQ(init(), OtaErrNone);
  start();
  receive_job(job_text({.status = "IN_PROGRESS", .self_test = "active", .updated_by = "0x00010002"}));
  EXPECT_NE(world_.published.back().find("accepted  v0.1.2"), std::string::npos);
  EXPECT_EQ(world_.notes, std::vector{ota::Note::kCommitReportedAgain});
  EXPECT_TRUE(world_.image_states.empty()) << "the platform's state is what it was";
}

TEST_F(CApi, ImageStateIsSetAndRead) {
  ASSERT_EQ(init(), OtaErrNone);
  EXPECT_EQ(OTA_GetImageState(), OtaImageStateUnknown);
  EXPECT_EQ(OTA_SetImageState(OtaImageStateAccepted), OtaErrNoActiveJob) << "nobody to tell";
  EXPECT_EQ(OTA_GetImageState(), OtaImageStateAccepted);
  EXPECT_EQ(OTA_SetImageState(OtaImageStateRejected), OtaErrNoActiveJob);
  EXPECT_EQ(OTA_SetImageState(OtaImageStateAborted), OtaErrNone) << "queued";
  EXPECT_EQ(world_.image_states, (std::vector{OtaImageStateAccepted, OtaImageStateRejected}));
}

TEST_F(CApi, SuspendsResumesAndChecksForAnUpdate) {
  world_.pal_state = OtaPalImageStatePendingCommit;
  ASSERT_EQ(init(), OtaErrNone);
  start();
  EXPECT_EQ(OTA_Suspend(), OtaErrNone);
  run();
  EXPECT_EQ(OTA_GetState(), OtaAgentStateSuspended);
  EXPECT_EQ(OTA_Resume(), OtaErrNone);
  run();
  EXPECT_EQ(OTA_GetState(), OtaAgentStateWaitingForJob);
  EXPECT_EQ(OTA_CheckForUpdate(), OtaErrNone);
}

TEST_F(CApi, TaskRunsUntilShutdown) {
  ASSERT_EQ(init(), OtaErrNone);
  const OtaEventMsg_t start{nullptr, OtaAgentEventStart};
  ASSERT_TRUE(OTA_SignalEvent(&start));
  EXPECT_EQ(OTA_Shutdown(0, 1), OtaAgentStateInit);
  OTA_EventProcessingTask(nullptr);
  EXPECT_EQ(OTA_GetState(), OtaAgentStateStopped);
  EXPECT_EQ(OTA_Suspend(), OtaErrAgentStopped);
  EXPECT_EQ(OTA_CheckForUpdate(), OtaErrSignalEventFailed);
}

TEST_F(CApi, SecondInitOnlyClearsStatistics) {
  ASSERT_EQ(init(), OtaErrNone);
  OTA_EventProcess();
  ASSERT_EQ(init(), OtaErrNone);
  EXPECT_EQ(OTA_GetState(), OtaAgentStateReady);
}

}  // namespace
}  // namespace ota_test
