// The table, row by row, against AWS's nineteen rows and the three added here.
#include "agent/src/transition_table.h"

#include <gtest/gtest.h>

#include "agent/src/names.h"

namespace ota {
namespace {

struct Expected {
  const char* state;
  const char* event;
  Handler handler;
  const char* next;
};

constexpr Expected kExpected[] = {
    {"Ready", "Start", Handler::kStart, "RequestingJob"},
    {"RequestingJob", "RequestJobDocument", Handler::kRequestJob, "WaitingForJob"},
    {"RequestingJob", "RequestTimer", Handler::kRequestJob, "WaitingForJob"},
    {"WaitingForJob", "ReceivedJobDocument", Handler::kProcessJob, "CreatingFile"},
    {"WaitingForJob", "RequestTimer", Handler::kRequestJob, "WaitingForJob"},
    {"CreatingFile", "StartSelfTest", Handler::kInSelfTest, "WaitingForJob"},
    {"CreatingFile", "CreateFile", Handler::kInitFile, "RequestingFileBlock"},
    {"CreatingFile", "RequestTimer", Handler::kInitFile, "RequestingFileBlock"},
    {"CreatingFile", "ReceivedJobDocument", Handler::kJobNotification, "RequestingJob"},
    {"RequestingFileBlock", "ReceivedJobDocument", Handler::kJobNotification, "RequestingJob"},
    {"RequestingFileBlock", "RequestFileBlock", Handler::kRequestData, "WaitingForFileBlock"},
    {"RequestingFileBlock", "RequestTimer", Handler::kRequestData, "WaitingForFileBlock"},
    {"WaitingForFileBlock", "ReceivedFileBlock", Handler::kProcessData, "WaitingForFileBlock"},
    {"WaitingForFileBlock", "RequestTimer", Handler::kRequestData, "WaitingForFileBlock"},
    {"WaitingForFileBlock", "RequestFileBlock", Handler::kRequestData, "WaitingForFileBlock"},
    {"WaitingForFileBlock", "RequestJobDocument", Handler::kRequestJob, "WaitingForJob"},
    {"WaitingForFileBlock", "ReceivedJobDocument", Handler::kJobNotification, "RequestingJob"},
    {"WaitingForFileBlock", "CloseFile", Handler::kCloseFile, "WaitingForJob"},
    {"Suspended", "Resume", Handler::kResume, "RequestingJob"},
};

TEST(TransitionTable, EveryStateAndEventIsARowOrNothing) {
  for (int s = OtaAgentStateInit; s <= OtaAgentStateStopped; ++s) {
    for (int e = OtaAgentEventStart; e < OtaAgentEventMax; ++e) {
      const auto state = static_cast<OtaState_t>(s);
      const auto event = static_cast<OtaEvent_t>(e);
      const std::string_view event_name = name_of(event);
      const Transition* row = find_transition(state, event);
      const Expected* expected = nullptr;
      for (const Expected& candidate : kExpected) {
        if (candidate.state == std::string_view(name_of(state)) && candidate.event == event_name)
          expected = &candidate;
      }
      SCOPED_TRACE(std::string(name_of(state)) + " x " + std::string(event_name));
      if (event_name == "Suspend" || event_name == "UserAbort" || event_name == "Shutdown") {
        ASSERT_NE(row, nullptr);
        EXPECT_EQ(row->state, OtaAgentStateAll);
      } else if (expected == nullptr) {
        EXPECT_EQ(row, nullptr);
      } else {
        ASSERT_NE(row, nullptr);
        EXPECT_EQ(row->handler, expected->handler);
        EXPECT_STREQ(name_of(row->next), expected->next);
      }
    }
  }
}

TEST(TransitionTable, RowsForAllStatesLeadWhereTheySay) {
  EXPECT_EQ(find_transition(OtaAgentStateInit, OtaAgentEventSuspend)->next, OtaAgentStateSuspended);
  EXPECT_EQ(find_transition(OtaAgentStateInit, OtaAgentEventUserAbort)->next, OtaAgentStateWaitingForJob);
  EXPECT_EQ(find_transition(OtaAgentStateInit, OtaAgentEventShutdown)->next, OtaAgentStateStopped);
}

}  // namespace
}  // namespace ota
