#include "agent/src/names.h"

namespace ota {

const char* name_of(OtaState_t state) {
  switch (state) {
    case OtaAgentStateNoTransition:
      return "NoTransition";
    case OtaAgentStateInit:
      return "Init";
    case OtaAgentStateReady:
      return "Ready";
    case OtaAgentStateRequestingJob:
      return "RequestingJob";
    case OtaAgentStateWaitingForJob:
      return "WaitingForJob";
    case OtaAgentStateCreatingFile:
      return "CreatingFile";
    case OtaAgentStateRequestingFileBlock:
      return "RequestingFileBlock";
    case OtaAgentStateWaitingForFileBlock:
      return "WaitingForFileBlock";
    case OtaAgentStateClosingFile:
      return "ClosingFile";
    case OtaAgentStateSuspended:
      return "Suspended";
    case OtaAgentStateShuttingDown:
      return "ShuttingDown";
    case OtaAgentStateStopped:
      return "Stopped";
    case OtaAgentStateAll:
      return "All";
  }
  return "Unknown";
}

const char* name_of(OtaEvent_t event) {
  switch (event) {
    case OtaAgentEventStart:
      return "Start";
    case OtaAgentEventStartSelfTest:
      return "StartSelfTest";
    case OtaAgentEventRequestJobDocument:
      return "RequestJobDocument";
    case OtaAgentEventReceivedJobDocument:
      return "ReceivedJobDocument";
    case OtaAgentEventCreateFile:
      return "CreateFile";
    case OtaAgentEventRequestFileBlock:
      return "RequestFileBlock";
    case OtaAgentEventReceivedFileBlock:
      return "ReceivedFileBlock";
    case OtaAgentEventRequestTimer:
      return "RequestTimer";
    case OtaAgentEventCloseFile:
      return "CloseFile";
    case OtaAgentEventSuspend:
      return "Suspend";
    case OtaAgentEventResume:
      return "Resume";
    case OtaAgentEventUserAbort:
      return "UserAbort";
    case OtaAgentEventShutdown:
      return "Shutdown";
    case OtaAgentEventMax:
      return "Max";
  }
  return "Unknown";
}

}  // namespace ota
