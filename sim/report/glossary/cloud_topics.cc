#include <array>

#include "sim/report/glossary/parts.h"

namespace otasim::report {
namespace {

constexpr std::string_view kExecutions = "cloud.job_execution in the run's events\notasim explain --run RUN";

constexpr std::array kJobStatuses{
    Term{"SCHEDULED", "before its start, or between two of its maintenance windows"},
    Term{"IN_PROGRESS", "it is being rolled out, or executions are not over"},
    Term{"COMPLETED",
         "every execution is over, and nothing is left to be rolled out",
         {},
         "the executions: completed does not mean succeeded"},
    Term{"CANCELED", "somebody cancelled it, or its abort criteria were met", "too many executions failed",
         "reasonCode of the job"},
    Term{"DELETION_IN_PROGRESS", "it is being deleted"},
};

constexpr std::array kExecutionStatuses{
    Term{"QUEUED", "the device has not begun it",
         "the device is off, not connected, or busy with another job",
         "broker.client_connected in the run's events"},
    Term{"IN_PROGRESS", "the device works on it", "if it stays: see statusDetails, which tell how far it is",
         "otasim explain --topic status-details"},
    Term{"SUCCEEDED",
         "the device says it runs the new image",
         {},
         "whether flash agrees: otasim flash show RUN"},
    Term{"FAILED", "the device says it failed, and why", "statusDetails.reason", "otasim explain REASON"},
    Term{"TIMED_OUT", "it was not over within its time",
         "inProgressTimeoutInMinutes or stepTimeoutInMinutes has passed", kExecutions},
    Term{"REJECTED", "the device did not take it", "statusDetails.reason", "otasim explain REASON"},
    Term{"REMOVED", "the thing is no longer in the job's group, or was deleted", {}, "the job's targets"},
    Term{"CANCELED", "the job was cancelled", "by an operator, or by its abort criteria",
         "reasonCode of the job"},
};

constexpr std::array kDetails{
    Term{"receive", "blocks received, of how many: \"receive\": \"32/39\"",
         "if it stands still: blocks are lost",
         "cloud.stream_request or cloud.object_request in the run's events"},
    Term{"self_test ready", "the file is verified; the device restarts into it",
         "if it stays: the device did not come back, or fell back", "boot: lines on the console after it"},
    Term{"self_test active", "the new image runs and tests itself", "if it stays: the new image hangs",
         "boot: reject on the console"},
    Term{"updatedBy",
         "the version of the image that fetched the update: 0x01020003 is 1.2.3; no error code",
         {},
         {}},
    Term{"reason accepted", "\"accepted  v1.1.0\": the self test passed and the image is accepted", {}, {}},
    Term{"reason rejected",
         "\"rejected: CODE\": the image was not kept; CODE is the agent's or the platform's",
         {},
         "otasim explain 'rejected: 0x00000010'"},
    Term{"reason aborted",
         "\"aborted: CODE\": the update was given up",
         {},
         "otasim explain 'aborted: 0x0000000e'"},
    Term{"reason code",
         "\"CODE: FURTHER CODE\": the transfer failed, for the platform's or the document's sake",
         {},
         "otasim explain '0x000000e3: 0x00000000'"},
};

constexpr std::array kServiceErrors{
    Term{"InvalidTopic", "the topic is no API of the service", "a misspelt topic", "docs/aws-conformance.md"},
    Term{"InvalidJson", "the body is not JSON", "a damaged message, or a fault broker.corrupt",
         "cloud.mqtt_request in the run's events"},
    Term{"InvalidCbor", "the body is not CBOR", "a JSON body on a cbor topic",
         "cloud.stream_request in the run's events"},
    Term{"InvalidRequest", "a field is missing, malformed or out of range", "the request",
         "cloud.mqtt_request in the run's events"},
    Term{"InvalidStateTransition", "the execution's status forbids it", "the job is over already",
         kExecutions},
    Term{"ResourceNotFound", "no such thing, job, execution, stream, file or object",
         "a misspelt name, or it was deleted", "cloud.mqtt_request in the run's events"},
    Term{"ResourceAlreadyExists", "the name is taken", "it was made before", "otasim job list"},
    Term{"VersionMismatch", "not the version the caller expects", "somebody else changed it in between",
         kExecutions},
    Term{"TerminalStateReached", "the execution is over", "it was cancelled or timed out", kExecutions},
    Term{"BlockSizeOutOfBounds", "a stream's block size is not allowed", "256 to 131072 bytes",
         "cloud.stream_request in the run's events"},
    Term{"OffsetOutOfBounds", "a stream's first block is beyond the file", "a wrong offset",
         "cloud.stream_request in the run's events"},
    Term{"BlockCountLimitExceeded", "too many blocks in one request", "more than 128 KiB",
         "cloud.stream_request in the run's events"},
    Term{"BlockBitmapLimitExceeded", "the bitmap is too long", "a wrong bitmap",
         "cloud.stream_request in the run's events"},
    Term{"ETagMismatch", "the stream's object is not the one it was made with", "the object was replaced",
         "aws s3 ls, and the stream's version"},
    Term{"DeleteConflict", "something else still needs it", "certificates or targets are attached",
         "what is attached"},
    Term{"MalformedPolicy", "a policy document that is none, or not understood", "a JSON mistake",
         "docs/aws-conformance.md"},
    Term{"Conflict", "a template's name is taken", "it was made before", {}},
    Term{"LimitExceeded", "as many as there may be", "a documented limit of AWS's",
         "docs/aws-conformance.md"},
    Term{"RequestThrottled", "too many requests", "a rate limit, or a fault", "--throttle, docs/rest.md"},
    Term{"InternalError", "the service's own fault", "the disk is full or the store is damaged",
         "otasim doctor"},
};

constexpr std::array kEndReasons{
    Term{"CLIENT_INITIATED_DISCONNECT", "the client said goodbye with DISCONNECT"},
    Term{"CONNECTION_LOST", "the connection broke without a goodbye",
         "power cut, reset, or a fault of the link",
         "device.power_off, device.reset and link.fault in the run's events"},
    Term{"MQTT_KEEP_ALIVE_TIMEOUT", "nothing was heard for one and a half keep-alives",
         "a power cut or a half-open link: nobody could say goodbye", "link.fault in the run's events"},
    Term{"CLIENT_ERROR", "the client broke the protocol", "a malformed packet", "otasim report open RUN"},
    Term{
        "DUPLICATE_CLIENTID", "another connection with the same client id took over",
        "the device came back before its old connection was noticed as dead, or a second device has its name",
        "broker.client_connected in the run's events"},
    Term{"FORBIDDEN_ACCESS", "its certificate may no longer do what it does",
         "the certificate or its policy was changed", "broker.client_denied in the run's events"},
    Term{"SERVER_INITIATED_DISCONNECT", "the broker ended it", "a fault broker.kick, or an operator",
         "broker.fault in the run's events"},
    Term{"AUTH_ERROR", "the connection was refused", "the message beside it",
         "otasim explain --topic refusal"},
    Term{"UNKNOWN", "Mosquitto did not say", "the broker was killed or restarted",
         "broker.fault in the run's events"},
};

constexpr std::array kReasonCodes{
    Term{"ABORT_CRITERIA_MET", "the job's abort criteria were met: it was cancelled by the cloud",
         "too many executions failed, were rejected or timed out",
         "abortConfig of the job\notasim job show ID"},
    Term{"END_TIME_REACHED", "the job's schedule has ended it", "endTime and endBehavior of its schedule",
         "schedulingConfig of the job\notasim job show ID"},
};

constexpr std::array kRefusals{
    Term{"the certificate is not registered, or not active",
         "the cloud does not know the client's certificate",
         "another lab's device, or a certificate that was deactivated", "otasim device list"},
    Term{"a client id has 1 to 128 bytes, and is not the cloud's own", "the client id is not allowed",
         "an empty or long id", "the client's settings"},
    Term{"the certificate's policies do not allow iot:Connect as this client",
         "the policy names another client", "a client id that is not the thing's name",
         "the policy: aws iot list-attached-policies"},
    Term{"the client id connects more than once a second", "AWS's limit, with --throttle",
         "a client in a loop", "--throttle"},
    Term{"the private listener is the mirror's alone", "somebody connected to otasim's own socket", {}, {}},
};

constexpr std::array kTopics{
    Topic{"job-status", "statuses of a job", "otasim job show, DescribeJob", "", kJobStatuses},
    Topic{"execution-status", "statuses of one device's work on a job",
          "cloud.job_execution, otasim job show", "", kExecutionStatuses},
    Topic{"status-details", "what the agent tells while it works (statusDetails)",
          "cloud.job_execution details", "", kDetails},
    Topic{"service-error", "why a service refuses a request",
          "code of a rejected reply, cloud.mqtt_request result", "", kServiceErrors},
    Topic{"disconnect-reason", "why a client's connection ended",
          "broker.client_disconnected disconnectReason", "", kEndReasons},
    Topic{"reason-code", "why the cloud cancelled a job", "reasonCode of the job", "", kReasonCodes},
    Topic{"refusal", "why the broker refuses a client", "broker.client_refused message", "", kRefusals},
};

}  // namespace

std::span<const Topic> cloud_topics() {
  return kTopics;
}

}  // namespace otasim::report
