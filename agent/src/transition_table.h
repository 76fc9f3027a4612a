// What the agent does with an event in a state, as one table. The next state is taken only when the handler
// succeeds. Rows are searched in order; the state All matches any.
#pragma once

#include <array>
#include <cstdint>

#include "agent/include/ota.h"

namespace ota {

enum class Handler : std::uint8_t {
  kStart,
  kRequestJob,
  kProcessJob,
  kInSelfTest,
  kInitFile,
  kRequestData,
  kProcessData,
  kJobNotification,
  kCloseFile,
  kResume,
  kSuspend,
  kUserAbort,
  kShutdown,
};

struct Transition {
  OtaState_t state;
  OtaEvent_t event;
  Handler handler;
  OtaState_t next;
};

// Beyond AWS's nineteen rows there are three: the request timer in WaitingForJob guards the answer to
// $next/get, and a job message counts while a file is being created or first asked for, too.
inline constexpr std::array kTransitions{
    Transition{OtaAgentStateReady, OtaAgentEventStart, Handler::kStart, OtaAgentStateRequestingJob},
    Transition{OtaAgentStateRequestingJob, OtaAgentEventRequestJobDocument, Handler::kRequestJob,
               OtaAgentStateWaitingForJob},
    Transition{OtaAgentStateRequestingJob, OtaAgentEventRequestTimer, Handler::kRequestJob,
               OtaAgentStateWaitingForJob},
    Transition{OtaAgentStateWaitingForJob, OtaAgentEventReceivedJobDocument, Handler::kProcessJob,
               OtaAgentStateCreatingFile},
    Transition{OtaAgentStateWaitingForJob, OtaAgentEventRequestTimer, Handler::kRequestJob,
               OtaAgentStateWaitingForJob},
    Transition{OtaAgentStateCreatingFile, OtaAgentEventStartSelfTest, Handler::kInSelfTest,
               OtaAgentStateWaitingForJob},
    Transition{OtaAgentStateCreatingFile, OtaAgentEventCreateFile, Handler::kInitFile,
               OtaAgentStateRequestingFileBlock},
    Transition{OtaAgentStateCreatingFile, OtaAgentEventRequestTimer, Handler::kInitFile,
               OtaAgentStateRequestingFileBlock},
    Transition{OtaAgentStateCreatingFile, OtaAgentEventReceivedJobDocument, Handler::kJobNotification,
               OtaAgentStateRequestingJob},
    Transition{OtaAgentStateRequestingFileBlock, OtaAgentEventReceivedJobDocument, Handler::kJobNotification,
               OtaAgentStateRequestingJob},
    Transition{OtaAgentStateRequestingFileBlock, OtaAgentEventRequestFileBlock, Handler::kRequestData,
               OtaAgentStateWaitingForFileBlock},
    Transition{OtaAgentStateRequestingFileBlock, OtaAgentEventRequestTimer, Handler::kRequestData,
               OtaAgentStateWaitingForFileBlock},
    Transition{OtaAgentStateWaitingForFileBlock, OtaAgentEventReceivedFileBlock, Handler::kProcessData,
               OtaAgentStateWaitingForFileBlock},
    Transition{OtaAgentStateWaitingForFileBlock, OtaAgentEventRequestTimer, Handler::kRequestData,
               OtaAgentStateWaitingForFileBlock},
    Transition{OtaAgentStateWaitingForFileBlock, OtaAgentEventRequestFileBlock, Handler::kRequestData,
               OtaAgentStateWaitingForFileBlock},
    Transition{OtaAgentStateWaitingForFileBlock, OtaAgentEventRequestJobDocument, Handler::kRequestJob,
               OtaAgentStateWaitingForJob},
    Transition{OtaAgentStateWaitingForFileBlock, OtaAgentEventReceivedJobDocument, Handler::kJobNotification,
               OtaAgentStateRequestingJob},
    Transition{OtaAgentStateWaitingForFileBlock, OtaAgentEventCloseFile, Handler::kCloseFile,
               OtaAgentStateWaitingForJob},
    Transition{OtaAgentStateSuspended, OtaAgentEventResume, Handler::kResume, OtaAgentStateRequestingJob},
    Transition{OtaAgentStateAll, OtaAgentEventSuspend, Handler::kSuspend, OtaAgentStateSuspended},
    Transition{OtaAgentStateAll, OtaAgentEventUserAbort, Handler::kUserAbort, OtaAgentStateWaitingForJob},
    Transition{OtaAgentStateAll, OtaAgentEventShutdown, Handler::kShutdown, OtaAgentStateStopped},
};

/// @returns the row, nullptr if the event means nothing in that state.
constexpr const Transition* find_transition(OtaState_t state, OtaEvent_t event) {
  for (const Transition& row : kTransitions) {
    if ((row.state == state || row.state == OtaAgentStateAll) && row.event == event) return &row;
  }
  return nullptr;
}

}  // namespace ota
