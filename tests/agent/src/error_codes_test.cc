// Every error code of AWS's that the agent can produce, each from a situation that leads to it.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "tests/agent/src/fake_environment.h"

namespace ota_test {
namespace {

/// What the last event that was handled came to.
OtaErr_t last(const AgentHarness& h) {
  return h.environment.results.back();
}

OtaErr_t after_job(AgentHarness& h, const JobSpec& job) {
  h.start();
  h.receive_job(job_text(job));
  return last(h);
}

const std::map<OtaErr_t, std::function<OtaErr_t(AgentHarness&)>>& situations() {
  static const std::map<OtaErr_t, std::function<OtaErr_t(AgentHarness&)>> all = {
      {OtaErrNone,
       [](AgentHarness& h) {
         h.start();
         return last(h);
       }},
      {OtaErrUninitialized,
       [](AgentHarness&) {
         FakeEnvironment environment;
         ota::Agent fresh(environment);
         return fresh.init({}, "");
       }},
      {OtaErrInvalidArg, [](AgentHarness& h) { return h.agent.set_image_state(OtaImageStateUnknown); }},
      {OtaErrAgentStopped,
       [](AgentHarness& h) {
         h.start();
         h.agent.shutdown(0, false);
         h.run();
         return h.agent.suspend();
       }},
      {OtaErrSignalEventFailed,
       [](AgentHarness& h) {
         h.start();
         h.environment.queue_capacity = 0;
         return h.agent.suspend();
       }},
      {OtaErrRequestJobFailed,
       [](AgentHarness& h) {
         h.environment.publish_fails = true;
         h.start();
         return last(h);
       }},
      {OtaErrInitFileTransferFailed,
       [](AgentHarness& h) {
         h.environment.create_result = OTA_PAL_COMBINE_ERR(OtaPalRxFileTooLarge, 0);
         return after_job(h, {});
       }},
      {OtaErrRequestFileBlockFailed,
       [](AgentHarness& h) {
         h.start();
         h.environment.publish_fails = true;
         h.receive_job(job_text({}));
         return last(h);
       }},
      {OtaErrCleanupControlFailed,
       [](AgentHarness& h) {
         h.start();
         h.environment.unsubscribe_fails = true;
         h.agent.shutdown(0, true);
         h.run();
         return last(h);
       }},
      {OtaErrCleanupDataFailed,
       [](AgentHarness& h) {
         after_job(h, {.file_size = 1});
         h.environment.unsubscribe_fails = true;
         h.send_block({.file_size = 1}, 0);
         return last(h);
       }},
      {OtaErrUpdateJobStatusFailed,
       [](AgentHarness& h) {
         after_job(h, {});
         h.environment.publish_fails = true;
         return h.agent.set_image_state(OtaImageStateRejected);
       }},
      {OtaErrJobParserError, [](AgentHarness& h) { return after_job(h, {.file_size = 0}); }},
      {OtaErrInvalidDataProtocol, [](AgentHarness& h) { return after_job(h, {.protocols = R"(["FTP"])"}); }},
      {OtaErrMomentumAbort,
       [](AgentHarness& h) {
         h.agent.configure({.max_request_momentum = 1});
         after_job(h, {});
         h.environment.timers.erase(OtaRequestTimer);
         h.agent.on_timer(OtaRequestTimer);
         h.agent.process_next_event();
         return last(h);
       }},
      {OtaErrDowngradeNotAllowed,
       [](AgentHarness& h) {
         h.environment.pal_state = OtaPalImageStatePendingCommit;
         return after_job(h, {.self_test = "ready", .updated_by = "0x02000000"});
       }},
      {OtaErrSameFirmwareVersion,
       [](AgentHarness& h) {
         h.environment.pal_state = OtaPalImageStatePendingCommit;
         return after_job(h, {.self_test = "ready", .updated_by = "0x01000000"});
       }},
      {OtaErrImageStateMismatch,
       [](AgentHarness& h) {
         h.environment.pal_state = OtaPalImageStatePendingCommit;
         return after_job(h, {});
       }},
      {OtaErrNoActiveJob, [](AgentHarness& h) { return h.agent.set_image_state(OtaImageStateAccepted); }},
      {OtaErrUserAbort,
       [](AgentHarness& h) {
         after_job(h, {});
         h.signal(OtaAgentEventUserAbort);
         const bool is_told = h.updates().back().find("aborted: 0x00000013") != std::string::npos;
         return is_told ? OtaErrUserAbort : last(h);  // a reason for the cloud, never a result
       }},
      {OtaErrFailedToDecodeCbor,
       [](AgentHarness& h) {
         after_job(h, {});
         h.enqueue(OtaAgentEventReceivedFileBlock, {0xFF});
         h.agent.process_next_event();
         return last(h);
       }},
      {OtaErrActivateFailed,
       [](AgentHarness& h) {
         h.environment.activate_result = OTA_PAL_COMBINE_ERR(OtaPalActivateFailed, 0);
         return h.agent.activate_new_image();
       }},
      {OtaErrFileSizeOverflow, [](AgentHarness& h) { return after_job(h, {.file_size = UINT32_MAX}); }},
      {OtaErrEmptyJobDocument,
       [](AgentHarness& h) {
         h.start();
         h.receive_job(R"({"timestamp":1})");
         return last(h);
       }},
  };
  return all;
}

class ErrorCode : public testing::TestWithParam<int> {};

TEST_P(ErrorCode, IsReachedOrCannotHappen) {
  const auto code = static_cast<OtaErr_t>(GetParam());
  const auto situation = situations().find(code);
  if (situation == situations().end()) {
    // A state machine without a handler, and a request larger than its buffer: both impossible by
    // construction.
    EXPECT_TRUE(code == OtaErrPanic || code == OtaErrFailedToEncodeCbor) << OTA_Err_strerror(code);
    return;
  }
  AgentHarness h;
  const OtaErr_t reached = situation->second(h);
  EXPECT_STREQ(OTA_Err_strerror(reached), OTA_Err_strerror(code));
}

INSTANTIATE_TEST_SUITE_P(Agent, ErrorCode, testing::Range(0, OtaErrEmptyJobDocument + 1),
                         [](const auto& test) {
                           return std::string(OTA_Err_strerror(static_cast<OtaErr_t>(test.param)));
                         });

}  // namespace
}  // namespace ota_test
