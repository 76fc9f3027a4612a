// Asking for a job, and what a job document leads to.
#include <algorithm>
#include <cstring>

#include "agent/src/agent.h"
#include "agent/src/json_values.h"

namespace ota {
namespace {

std::string_view text_of(const OtaEventData_t& data) {
  const std::size_t size = std::min<std::size_t>(data.dataLength, sizeof data.data);
  return {reinterpret_cast<const char*>(data.data), size};
}

/// A text of the document, and its place in the file context.
struct CopiedText {
  std::string_view JobDocument::*from;
  std::uint8_t* OtaFileContext_t::*to;
  std::uint16_t OtaFileContext_t::*size;
};

constexpr CopiedText kCopiedTexts[] = {
    {&JobDocument::file_path, &OtaFileContext_t::pFilePath, &OtaFileContext_t::filePathMaxSize},
    {&JobDocument::certificate, &OtaFileContext_t::pCertFilepath, &OtaFileContext_t::certFilePathMaxSize},
    {&JobDocument::stream_name, &OtaFileContext_t::pStreamName, &OtaFileContext_t::streamNameMaxSize},
    {&JobDocument::url, &OtaFileContext_t::pUpdateUrlPath, &OtaFileContext_t::updateUrlMaxSize},
    {&JobDocument::auth_scheme, &OtaFileContext_t::pAuthScheme, &OtaFileContext_t::authSchemeMaxSize},
};

/// An absent text becomes an empty one.
bool copy_text(std::string_view raw, std::uint8_t* out, std::size_t size) {
  return copy_string(raw, {out, size});
}

}  // namespace

OtaErr_t Agent::request_job() {
  if (current() == OtaAgentStateWaitingForFileBlock && is_over_http() && has_job()) renew_url();
  Text<kMaxStatusMessage> message;
  const TextValue values[] = {request_number_,
                              std::string_view(thing_name()).substr(0, kMaxThingNameInToken)};
  message.format(kJobRequest, values);
  const bool is_sent =
      exchange(Exchange::kSubscribe, Topic::kNotifyNext, {}, 1) &&
      exchange(Exchange::kPublish, settings_.use_start_next ? Topic::kStartNext : Topic::kGetNext,
               message.text(), 1);
  if (!is_sent) return retry_later(OtaErrRequestJobFailed);
  if (!is_answer_awaited_) first_unanswered_ = request_number_;
  is_answer_awaited_ = true;
  ++request_number_;
  momentum_ = 0;
  start_request_timer();  // the answer may get lost
  return OtaErrNone;
}

/// The presigned URL is refused, so a new document is needed for a new one. A server that refuses every URL
/// ends the job, else it would go round for ever.
void Agent::renew_url() {
  close_http();
  if (++url_renewals_ < settings_.max_request_momentum) return;
  note(Note::kUrlsRefused);
  url_renewals_ = 0;
  set_image_state(OtaImageStateAborted, OtaErrMomentumAbort);
  static_cast<void>(close_transfer());
}

/// Reads a job message. One that is malformed, or stale, counts as no message: kMalformed.
JobDocumentStatus Agent::read_job(std::string_view text, JobDocument& out) {
  const JobDocumentStatus status = parse_job_document(text, environment_.signature_key(), out);
  if (status == JobDocumentStatus::kMalformed) {
    note(Note::kDocumentMalformed);
  } else if (is_stale_answer(out)) {
    note(Note::kAnswerStale);
    start_request_timer();  // if what overtook it was old itself
    return JobDocumentStatus::kMalformed;
  } else {
    is_answer_awaited_ = false;
  }
  return status;
}

/// An answer names the request it answers by its client token, `N:T`; a notification has none. An answer that
/// was overtaken by another, or comes twice, says nothing about now.
bool Agent::is_stale_answer(const JobDocument& job) const {
  if (job.client_token.empty()) return false;
  std::uint32_t number = 0;
  const bool is_number = parse_u32(job.client_token.substr(0, job.client_token.find(':')), number);
  return !is_number || !is_answer_awaited_ || number < first_unanswered_ || number >= request_number_;
}

OtaErr_t Agent::process_job(OtaEventData_t* data) {
  if (data == nullptr) return OtaErrInvalidArg;
  JobDocument job;
  const std::string_view text = text_of(*data);
  const OtaErr_t result = handle_job(read_job(text, job), job, text);
  give_back(data);
  return result;
}

OtaErr_t Agent::handle_job(JobDocumentStatus status, const JobDocument& job, std::string_view text) {
  // Not an answer: the request timer goes on running and asks again.
  if (status == JobDocumentStatus::kMalformed) return OtaErrJobParserError;
  stop_request_timer();
  if (status == JobDocumentStatus::kNoJob) return no_job();
  if (is_about_last_job(job)) return answer_again();
  has_last_words_ = false;
  if (has_job() && job.job_id != job_id()) {
    const bool was_testing = image_state() == OtaImageStateTesting;
    abandon_job();
    if (was_testing) return fall_back();
  }
  if (!has_job()) static_cast<void>(close_transfer());  // of one that the application ended
  name_job(job.job_id);
  if (status == JobDocumentStatus::kNotOta) return offer_custom_job(text);
  if (status == JobDocumentStatus::kNonConforming) return refuse_job(OtaJobParseErrNonConformingJobDoc);
  return take_job(job, text);
}

/// Another job is offered to an image that was not accepted: the bootloader falls back first, and the image
/// that runs then takes the job.
OtaErr_t Agent::fall_back() {
  reset_device();
  return OtaErrImageStateMismatch;
}

/// Whether the cloud still waits for the last word. One that it has, but asks for afresh, was begun again.
bool Agent::is_about_last_job(const JobDocument& job) const {
  if (!has_last_words_ || job.job_id != reinterpret_cast<const char*>(last_job_id_.data())) return false;
  return !are_last_words_said_ || job.self_test != SelfTest::kAbsent;
}

/// The job that was in hand last is still open for the cloud. The application is told once more of a file
/// that is verified and was not activated.
OtaErr_t Agent::answer_again() {
  next_state_ = OtaAgentStateWaitingForJob;
  const OtaErr_t result = say_last_words();
  if (has_last_words_ && are_last_words_said_) tell_finished(OtaJobEventActivate);
  return result;
}

OtaErr_t Agent::no_job() {
  has_last_words_ = false;
  // An image under test may still accept itself; its job was cancelled or its report overtaken.
  if (image_state() != OtaImageStateTesting) abandon_job();
  environment_.notify_application(OtaJobEventNoActiveJob, nullptr);
  return OtaErrEmptyJobDocument;
}

/// Not a document of ours: the application may know it. If it does not, the job is refused.
OtaErr_t Agent::offer_custom_job(std::string_view text) {
  OtaJobDocument_t document = describe_job(job_id_.data(), text);
  document.fileTypeId = 0;
  document.parseErr = OtaJobParseErrNonConformingJobDoc;
  environment_.notify_application(OtaJobEventParseCustomJob, &document);
  if (document.parseErr != OtaJobParseErrNone) return refuse_job(OtaJobParseErrNonConformingJobDoc);
  const OtaErr_t result = report_custom_job(document);
  forget_job();
  return result == OtaErrNone ? OtaErrJobParserError : result;
}

/// In the application's words: a status, a reason and a further one.
OtaErr_t Agent::report_custom_job(const OtaJobDocument_t& answer) {
  const auto reason = static_cast<std::uint32_t>(answer.reason);
  const auto sub_reason = static_cast<std::uint32_t>(answer.subReason);
  switch (answer.status) {
    case JobStatusInProgress:
      return report(answer.reason == JobReasonSelfTestActive ? Report::kActive : Report::kReady,
                    environment_.running_version(), 0);
    case JobStatusSucceeded:
      return report_end(Report::kAccepted, sub_reason, 0);
    case JobStatusFailedWithVal:
      return report_end(Report::kFailed, reason, sub_reason);
    default:
      return report_end(answer.reason == JobReasonAborted ? Report::kAborted : Report::kRejected, sub_reason,
                        0);
  }
}

OtaErr_t Agent::refuse_job(OtaJobParseErr_t error) {
  note(Note::kJobRefused);
  if (file_.pFile != nullptr) drop_file();
  report_end(Report::kFailed, OtaErrJobParserError, static_cast<std::uint32_t>(error));
  return OtaErrJobParserError;
}

OtaErr_t Agent::refuse_too_large() {
  note(Note::kFileTooLarge);
  report_end(Report::kRejected, OtaErrFileSizeOverflow, 0);
  return OtaErrFileSizeOverflow;
}

OtaErr_t Agent::take_job(const JobDocument& job, std::string_view text) {
  if (job.self_test != SelfTest::kAbsent) return begin_self_test(job);
  if (job.file_size == 0) return refuse_job(OtaJobParseErrZeroFileSize);
  if (is_pending_commit()) {
    forget_job();
    return fall_back();
  }
  if (file_.pFile != nullptr) return continue_job(job);
  const OtaErr_t adopted = adopt(job);
  return adopted == OtaErrNone ? begin_download(text) : adopted;
}

/// The same job again, after a suspension or a lost answer: the file goes on where it was. Only its URL may
/// be new.
OtaErr_t Agent::continue_job(const JobDocument& job) {
  if (!copy_text(job.url, file_.pUpdateUrlPath, file_.updateUrlMaxSize)) {
    return refuse_job(OtaJobParseErrNonConformingJobDoc);
  }
  signal_or_retry(OtaAgentEventCreateFile);
  return OtaErrNone;
}

/// Copies the job into the file context.
OtaErr_t Agent::adopt(const JobDocument& job) {
  for (const CopiedText& text : kCopiedTexts) {
    const bool is_copied = copy_text(job.*text.from, file_.*text.to, file_.*text.size);
    if (!is_copied) return refuse_job(OtaJobParseErrNonConformingJobDoc);
  }
  if (!copy_text(job.protocols_text, file_.pProtocols, file_.protocolMaxSize)) file_.pProtocols[0] = 0;
  file_.fileSize = job.file_size;
  file_.serverFileID = job.file_id;
  file_.fileAttributes = job.file_attributes;
  file_.fileType = job.file_type;
  file_.updaterVersion = job.updated_by;
  file_.isInSelfTest = job.self_test != SelfTest::kAbsent;
  signature_ = job.signature;
  if (file_.isInSelfTest) return OtaErrNone;

  protocol_ = choose_protocol(job);
  if (!want_file()) return refuse_too_large();
  url_renewals_ = 0;
  if (protocol_ != 0) return OtaErrNone;
  set_image_state(OtaImageStateAborted, OtaErrInvalidDataProtocol);
  return OtaErrInvalidDataProtocol;
}

/// The primary protocol if the job offers it, else the other one. @returns 0 if the job offers none that is
/// enabled and complete.
std::uint32_t Agent::choose_protocol(const JobDocument& job) const {
  std::uint32_t usable = job.protocols & settings_.data_protocols;
  if (job.stream_name.empty() || file_.decodeMemMaxSize < settings_.block_size) {
    usable &= ~OTA_DATA_OVER_MQTT;
  }
  if (job.url.empty() || !environment_.has_http()) usable &= ~OTA_DATA_OVER_HTTP;
  const std::uint32_t primary = usable & settings_.primary_data_protocol;
  return primary != 0 ? primary : usable;
}

OtaErr_t Agent::begin_download(std::string_view text) {
  const OtaPalStatus_t status = environment_.pal_create_file(file_);
  if (OTA_PAL_MAIN_ERR(status) != OtaPalSuccess) {
    set_image_state(OtaImageStateAborted, status);
    static_cast<void>(close_transfer());
    return OtaErrInitFileTransferFailed;
  }
  OtaJobDocument_t document = describe_job(job_id_.data(), text);
  environment_.notify_application(OtaJobEventReceivedJob, &document);
  signal_or_retry(OtaAgentEventCreateFile);
  return OtaErrNone;
}

OtaErr_t Agent::begin_self_test(const JobDocument& job) {
  // Testing lasts as long as its job: it was told "active" by this very run, and comes back.
  if (image_state() == OtaImageStateTesting) {
    if (!file_.isInSelfTest) {
      // The application is at it; a reconnection only started the timer again.
      environment_.timer_stop(OtaSelfTestTimer);
      next_state_ = OtaAgentStateWaitingForJob;
      return OtaErrNone;
    }
  } else {
    static_cast<void>(close_transfer());
    const OtaErr_t adopted = adopt(job);
    if (adopted != OtaErrNone) return adopted;
    if (is_committed_job(job)) return report_commit_again();
    const OtaErr_t allowed = check_version(job);
    if (allowed != OtaErrNone) return fail_self_test(allowed);
    set_image_state(OtaImageStateTesting, 0);
    if (image_state() != OtaImageStateTesting) return fall_back();
  }
  if (signal_event(OtaAgentEventStartSelfTest)) return OtaErrNone;
  start_request_timer();  // the queue is full: ask for the job once more
  return OtaErrSignalEventFailed;
}

OtaErr_t Agent::check_version(const JobDocument& job) const {
  const bool is_firmware = job.file_type == configOTA_FIRMWARE_UPDATE_FILE_TYPE_ID && job.file_id == 0;
  if (!is_firmware || settings_.allow_downgrade) return OtaErrNone;
  const std::uint32_t running = environment_.running_version();
  if (job.updated_by == running) return OtaErrSameFirmwareVersion;
  return job.updated_by > running ? OtaErrDowngradeNotAllowed : OtaErrNone;
}

/// Power may have failed, or a message been lost, between the commit and its report. The record says which
/// job the running image came from; the job says how far it was told: "active" comes from the new image,
/// "ready" from the old one.
bool Agent::is_committed_job(const JobDocument& job) {
  if (job.status != "IN_PROGRESS" || environment_.pal_image_state(file_) != OtaPalImageStateValid)
    return false;
  const bool is_from_running_image = job.updated_by == environment_.running_version();
  if (job.self_test == SelfTest::kActive && !is_from_running_image) return false;
  if (job.self_test != SelfTest::kActive && is_from_running_image) return false;
  return environment_.is_committed_job(job.job_id);
}

OtaErr_t Agent::report_commit_again() {
  note(Note::kCommitReportedAgain);
  set_own_image_state(OtaImageStateAccepted);
  next_state_ = OtaAgentStateWaitingForJob;
  return report_image_state(OtaImageStateAccepted, 0);
}

OtaErr_t Agent::fail_self_test(OtaErr_t reason) {
  set_image_state(OtaImageStateRejected, reason);
  environment_.notify_application(OtaJobEventSelfTestFailed, nullptr);
  reset_device();
  return reason;
}

OtaErr_t Agent::in_self_test() {
  file_.isInSelfTest = false;
  if (is_pending_commit()) {
    environment_.notify_application(OtaJobEventStartTest, nullptr);
    environment_.timer_stop(OtaSelfTestTimer);
    return OtaErrNone;
  }
  set_image_state(OtaImageStateRejected, OtaErrImageStateMismatch);
  reset_device();
  return OtaErrNone;
}

/// A job message while a file is being received, or a self test is about to begin: either the job in hand
/// once more, or it is no longer the next one.
OtaErr_t Agent::job_notification(OtaEventData_t* data) {
  if (data == nullptr) return OtaErrInvalidArg;
  JobDocument job;
  const JobDocumentStatus status = read_job(text_of(*data), job);
  const bool is_same_job = status != JobDocumentStatus::kNoJob && job.job_id == job_id();
  if (status == JobDocumentStatus::kMalformed || is_same_job || file_.isInSelfTest) {
    next_state_ = current();
  } else {
    abandon_job();
    static_cast<void>(close_transfer());  // also of a file whose job the application ended
    signal_or_retry(OtaAgentEventRequestJobDocument);
  }
  give_back(data);
  return OtaErrNone;
}

}  // namespace ota
