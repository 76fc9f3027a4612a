#include "agent/src/agent.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "agent/src/job_status.h"
#include "agent/src/topics.h"

namespace ota {
namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

constexpr std::uint32_t kMaxLeftoverEvents = 64;
constexpr std::uint32_t kMinBlockSize = 256;  // of an MQTT stream

/// What failed is for the log; the agent moves on all the same.
bool is_only_reported(OtaErr_t result) {
  return result == OtaErrCleanupControlFailed || result == OtaErrCleanupDataFailed ||
         result == OtaErrFailedToDecodeCbor;
}

/// Lends `theirs` if there is any, else `own`.
template <typename Size, std::size_t kSize>
void lend(std::uint8_t*& pointer, Size& size, std::uint8_t* theirs, Size theirs_size,
          std::array<std::uint8_t, kSize>& own) {
  const bool is_lent = theirs != nullptr && theirs_size != 0;
  pointer = is_lent ? theirs : own.data();
  size = is_lent ? theirs_size : static_cast<Size>(kSize);
}

}  // namespace

void Agent::configure(const Settings& settings) {
  settings_ = settings;
  settings_.block_size = std::bit_floor(std::clamp(settings.block_size, kMinBlockSize, OTA_FILE_BLOCK_SIZE));
  settings_.status_frequency = std::max<std::uint32_t>(settings.status_frequency, 1);
}

OtaErr_t Agent::init(const OtaAppBuffer_t& buffers, std::string_view thing_name) {
  statistics_.clear();
  if (state_ != OtaAgentStateStopped) return OtaErrNone;
  if (thing_name.empty() || thing_name.size() >= thing_name_.size()) return OtaErrUninitialized;
  if (!prepare_event_queue()) return OtaErrUninitialized;
  std::memcpy(thing_name_.data(), thing_name.data(), thing_name.size());
  thing_name_[thing_name.size()] = 0;
  lend_buffers(buffers);
  forget_job();
  image_state_ = OtaImageStateUnknown;
  request_number_ = 0;
  first_unanswered_ = 0;
  is_answer_awaited_ = false;
  momentum_ = 0;
  state_ = OtaAgentStateInit;
  return OtaErrNone;
}

/// The queue is made once; after a restart it is emptied, and the buffers in it go back to the application.
bool Agent::prepare_event_queue() {
  if (!is_event_queue_ready_) is_event_queue_ready_ = environment_.event_init() == OtaOsSuccess;
  OtaEventMsg_t event{};
  for (std::uint32_t i = 0; i < kMaxLeftoverEvents; ++i) {
    if (!is_event_queue_ready_ || environment_.event_receive(event, 0) != OtaOsSuccess) break;
    if (event.pEventData != nullptr) environment_.notify_application(OtaJobEventProcessed, event.pEventData);
  }
  return is_event_queue_ready_;
}

void Agent::lend_buffers(const OtaAppBuffer_t& buffers) {
  file_ = {};
  signature_ = {};
  file_.pSignature = &signature_;
  file_.pJobName = job_id_.data();
  file_.jobNameMaxSize = static_cast<std::uint16_t>(job_id_.size());
  file_.pProtocols = protocols_.data();
  file_.protocolMaxSize = static_cast<std::uint16_t>(protocols_.size());
  lend(file_.pFilePath, file_.filePathMaxSize, buffers.pUpdateFilePath, buffers.updateFilePathsize,
       own_file_path_);
  lend(file_.pCertFilepath, file_.certFilePathMaxSize, buffers.pCertFilePath, buffers.certFilePathSize,
       own_certificate_path_);
  lend(file_.pStreamName, file_.streamNameMaxSize, buffers.pStreamName, buffers.streamNameSize,
       own_stream_name_);
  lend(file_.pDecodeMem, file_.decodeMemMaxSize, buffers.pDecodeMemory, buffers.decodeMemorySize, own_block_);
  lend(file_.pRxBlockBitmap, file_.blockBitmapMaxSize, buffers.pFileBitmap, buffers.fileBitmapSize,
       own_bitmap_);
  lend(file_.pUpdateUrlPath, file_.updateUrlMaxSize, buffers.pUrl, buffers.urlSize, own_url_);
  lend(file_.pAuthScheme, file_.authSchemeMaxSize, buffers.pAuthScheme, buffers.authSchemeSize,
       own_auth_scheme_);
}

OtaState_t Agent::process_next_event() {
  if (state_ == OtaAgentStateStopped) return state_;
  if (state_ == OtaAgentStateInit) state_ = OtaAgentStateReady;
  OtaEventMsg_t event{};
  if (environment_.event_receive(event, configOTA_POLLING_EVENTS_TIMEOUT_MS) == OtaOsSuccess) dispatch(event);
  return state_;
}

void Agent::run() {
  while (process_next_event() != OtaAgentStateStopped) {
  }
}

bool Agent::signal(const OtaEventMsg_t& event) {
  const bool is_block = event.eventId == OtaAgentEventReceivedFileBlock;
  if (state_ == OtaAgentStateStopped) return false;
  if (is_block) ++statistics_.received;
  const bool is_queued = environment_.event_send(event) == OtaOsSuccess;
  if (is_block) ++(is_queued ? statistics_.queued : statistics_.dropped);
  return is_queued;
}

bool Agent::signal_event(OtaEvent_t event) {
  return signal({.pEventData = nullptr, .eventId = event});
}

/// When the queue is full the request timer brings the state machine on instead.
void Agent::signal_or_retry(OtaEvent_t event) {
  if (!signal_event(event)) start_request_timer();
}

void Agent::start_request_timer() {
  environment_.timer_start(OtaRequestTimer, settings_.request_wait_ms);
}

void Agent::on_timer(OtaTimerId_t timer) {
  if (timer == OtaSelfTestTimer) {
    environment_.pal_reset(file_);
  } else if (timer == OtaRequestTimer && !signal_event(OtaAgentEventRequestTimer)) {
    if (state_ != OtaAgentStateStopped) start_request_timer();
  }
}

void Agent::dispatch(const OtaEventMsg_t& event) {
  const OtaState_t from = state_;
  const Transition* row = find_transition(from, event.eventId);
  if (row == nullptr) return ignore_event(event);
  next_state_ = row->next;
  const OtaErr_t result = handle(row->handler, event);
  if (result == OtaErrNone || is_only_reported(result)) state_ = next_state_;
  environment_.on_event(from, event.eventId, result, state_);
}

OtaAgentStatistics_t Agent::statistics() const {
  return {statistics_.received, statistics_.queued, statistics_.processed, statistics_.dropped};
}

void Agent::ignore_event(const OtaEventMsg_t& event) {
  environment_.on_event(state_, event.eventId, OtaErrInvalidArg, state_);
  const bool is_block = event.eventId == OtaAgentEventReceivedFileBlock;
  const bool is_job = event.eventId == OtaAgentEventReceivedJobDocument;
  if (is_block) ++statistics_.dropped;
  if (is_block || is_job) environment_.notify_application(OtaJobEventProcessed, event.pEventData);
}

OtaErr_t Agent::handle(Handler handler, const OtaEventMsg_t& event) {
  switch (handler) {
    case Handler::kStart:
      return start();
    case Handler::kRequestJob:
      return request_job();
    case Handler::kProcessJob:
      return process_job(event.pEventData);
    case Handler::kInSelfTest:
      return in_self_test();
    case Handler::kInitFile:
      return init_file();
    case Handler::kRequestData:
      return request_data(event.eventId);
    case Handler::kProcessData:
      return process_data(event.pEventData);
    case Handler::kJobNotification:
      return job_notification(event.pEventData);
    case Handler::kCloseFile:
      return close_transfer();
    case Handler::kResume:
      signal_or_retry(OtaAgentEventRequestJobDocument);
      return OtaErrNone;
    case Handler::kSuspend:
      return close_http() ? OtaErrNone : OtaErrCleanupDataFailed;
    case Handler::kUserAbort:
      return user_abort();
    case Handler::kShutdown:
      return stop();
  }
  return OtaErrPanic;
}

OtaErr_t Agent::start() {
  if (environment_.pal_image_state(file_) == OtaPalImageStatePendingCommit) {
    environment_.timer_start(OtaSelfTestTimer, settings_.self_test_wait_ms);
  }
  signal_or_retry(OtaAgentEventRequestJobDocument);
  return OtaErrNone;
}

/// Counts a failed request and asks again when the timer runs out, or stops the agent after too many.
OtaErr_t Agent::retry_later(OtaErr_t error) {
  start_request_timer();
  if (++momentum_ < settings_.max_request_momentum) return error;
  if (!signal_event(OtaAgentEventShutdown)) return error;
  environment_.timer_stop(OtaRequestTimer);
  return OtaErrMomentumAbort;
}

OtaErr_t Agent::suspend() {
  if (state_ == OtaAgentStateStopped) return OtaErrAgentStopped;
  environment_.timer_stop(OtaSelfTestTimer);
  environment_.timer_stop(OtaRequestTimer);
  return signal_event(OtaAgentEventSuspend) ? OtaErrNone : OtaErrSignalEventFailed;
}

OtaErr_t Agent::resume() {
  if (state_ == OtaAgentStateStopped) return OtaErrAgentStopped;
  if (environment_.pal_image_state(file_) == OtaPalImageStatePendingCommit) {
    environment_.timer_start(OtaSelfTestTimer, settings_.self_test_wait_ms);
  }
  start_request_timer();
  return signal_event(OtaAgentEventResume) ? OtaErrNone : OtaErrSignalEventFailed;
}

OtaState_t Agent::shutdown(std::uint32_t rounds, bool unsubscribe) {
  if (state_ == OtaAgentStateStopped || state_ == OtaAgentStateShuttingDown) return state_;
  unsubscribe_at_stop_ = unsubscribe;
  if (!signal_event(OtaAgentEventShutdown)) return state_;
  while (rounds-- != 0 && state_ != OtaAgentStateStopped) {
  }
  return state_;
}

OtaErr_t Agent::stop() {
  state_ = OtaAgentStateShuttingDown;
  for (const OtaTimerId_t timer : {OtaRequestTimer, OtaSelfTestTimer}) {
    environment_.timer_stop(timer);
    environment_.timer_delete(timer);
  }
  const bool is_left = !unsubscribe_at_stop_ || unsubscribe(kNotifyNextTopic, {thing_name()});
  const OtaErr_t result = close_transfer();
  forget_job();
  image_state_ = OtaImageStateUnknown;
  return is_left ? result : OtaErrCleanupControlFailed;
}

OtaErr_t Agent::user_abort() {
  if (!has_job()) return OtaErrNoActiveJob;
  environment_.timer_stop(OtaRequestTimer);
  const OtaErr_t result = set_image_state(OtaImageStateAborted, OtaErrUserAbort);
  static_cast<void>(close_transfer());
  return result;
}

OtaErr_t Agent::activate_new_image() {
  const OtaPalStatus_t status = environment_.pal_activate(file_);
  if (OTA_PAL_MAIN_ERR(status) == OtaPalSuccess) return OtaErrNone;
  // The job was told "ready"; without this it would stay IN_PROGRESS for good.
  if (has_job()) set_image_state(OtaImageStateRejected, status);
  return OtaErrActivateFailed;
}

OtaErr_t Agent::set_image_state(OtaImageState_t state) {
  switch (state) {
    case OtaImageStateAborted:
      return signal_event(OtaAgentEventUserAbort) ? OtaErrNone : OtaErrSignalEventFailed;
    case OtaImageStateAccepted:
    case OtaImageStateRejected:
      return set_image_state(state, 0);
    default:
      return OtaErrInvalidArg;
  }
}

OtaErr_t Agent::set_image_state(OtaImageState_t state, std::uint32_t reason) {
  const OtaPalStatus_t status = environment_.pal_set_image_state(file_, state);
  if (OTA_PAL_MAIN_ERR(status) != OtaPalSuccess && state != OtaImageStateAborted) {
    state = OtaImageStateRejected;
    if (reason == 0) reason = status;
  }
  image_state_ = state;
  if (!has_job()) return OtaErrNoActiveJob;
  const OtaErr_t result = publish_image_state(state, reason);
  if (state != OtaImageStateTesting) {
    forget_job();
    // The cloud does not know the end of this job: ask for it again, and report again.
    if (result != OtaErrNone) start_request_timer();
  }
  return result;
}

OtaErr_t Agent::publish_image_state(OtaImageState_t state, std::uint32_t reason) {
  const std::uint32_t version = environment_.running_version();
  if (state == OtaImageStateTesting)
    return publish_status(job_id(), 1, kSelfTest, {kSelfTestActive, version});
  if (state == OtaImageStateAccepted) {
    return publish_status(job_id(), 1, kAccepted, {version, file_.updaterVersion});
  }
  const char* word = state == OtaImageStateRejected ? kRejected : kAborted;
  return publish_status(job_id(), 1, kFailed, {word, reason});
}

bool Agent::subscribe(const char* topic_format, TextValues values, std::uint8_t qos) {
  Text<kMaxTopic> topic;
  topic.format(topic_format, values);
  return environment_.subscribe(topic.text(), qos) == OtaMqttSuccess;
}

/// With QoS 0 whatever the subscription had, as AWS's library does; MQTT's UNSUBSCRIBE has none.
bool Agent::unsubscribe(const char* topic_format, TextValues values) {
  Text<kMaxTopic> topic;
  topic.format(topic_format, values);
  return environment_.unsubscribe(topic.text(), 0) == OtaMqttSuccess;
}

bool Agent::publish(const char* topic_format, TextValues values, std::string_view payload, std::uint8_t qos) {
  Text<kMaxTopic> topic;
  topic.format(topic_format, values);
  return environment_.publish(topic.text(), bytes_of(payload), qos) == OtaMqttSuccess;
}

OtaErr_t Agent::publish_status(TextValue job, std::uint8_t qos, const char* format, TextValues values) {
  Text<kMaxStatusMessage> message;
  message.format(format, values);
  const bool is_sent = publish(kUpdateTopic, {thing_name(), job}, message.text(), qos);
  return is_sent ? OtaErrNone : OtaErrUpdateJobStatusFailed;
}

/// Publishes the last word on a job. If it cannot be sent, the cloud still thinks the job open: ask for it
/// again, and answer again.
void Agent::report_end(TextValue job, const char* format, TextValues values) {
  if (publish_status(job, 1, format, values) != OtaErrNone) start_request_timer();
}

const char* Agent::job_id() const {
  return reinterpret_cast<const char*>(job_id_.data());
}

/// Lets go of the stream or the connection, and of the PAL's file. The job, if there is one, stays known.
OtaErr_t Agent::close_transfer() {
  const bool is_stream_closed = close_stream();
  const bool is_http_closed = close_http();
  if (file_.pFile != nullptr) environment_.pal_abort(file_);
  file_.pFile = nullptr;
  file_.blocksRemaining = 0;
  return is_stream_closed && is_http_closed ? OtaErrNone : OtaErrCleanupDataFailed;
}

/// Drops the job in hand because the cloud no longer offers it. There is nobody to report to.
void Agent::abandon_job() {
  if (!has_job()) return;
  environment_.on_note(Note::kJobDropped);
  environment_.timer_stop(OtaRequestTimer);
  static_cast<void>(environment_.pal_set_image_state(file_, OtaImageStateAborted));
  image_state_ = OtaImageStateAborted;
  static_cast<void>(close_transfer());
  forget_job();
}

}  // namespace ota
