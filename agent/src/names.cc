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

const char* name_of(Note note) {
  switch (note) {
    case Note::kDocumentMalformed:
      return "a job document could not be parsed and is ignored";
    case Note::kAnswerStale:
      return "an answer to an earlier job request is ignored";
    case Note::kJobDropped:
      return "the job in hand is no longer offered and is dropped";
    case Note::kJobRefused:
      return "a job is refused: its document does not conform";
    case Note::kFileTooLarge:
      return "a job is refused: its file has more blocks than the bitmap";
    case Note::kCommitReportedAgain:
      return "the running image was already committed for this job";
    case Note::kBlocksLate:
      return "no block arrived in time; asking again";
    case Note::kTransferGivenUp:
      return "no block arrived in spite of repeated requests; the job is aborted";
    case Note::kUrlsRefused:
      return "every new URL is refused; the job is aborted";
    case Note::kBlockMalformed:
      return "a stream message could not be decoded";
    case Note::kBlockMisfit:
      return "a block has the wrong size, or lies beyond the file";
  }
  return "Unknown";
}

}  // namespace ota
