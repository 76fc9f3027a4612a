#include "agent/src/agent.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace ota {
namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

constexpr std::uint32_t kMaxLeftoverEvents = 1000;  // more than any queue holds
constexpr std::uint32_t kMinBlockSize = 256;        // of an MQTT stream

/// What failed is for the log; the agent moves on all the same.
bool is_only_reported(OtaErr_t result) {
  return result == OtaErrCleanupControlFailed || result == OtaErrCleanupDataFailed ||
         result == OtaErrFailedToDecodeCbor;
}

/// A buffer that the application may lend: where it stands in its structure and goes in the file context, and
/// what is used if there is none. All as offsets in bytes.
struct Loan {
  std::uint16_t theirs;
  std::uint16_t theirs_size;
  std::uint16_t pointer;
  std::uint16_t size;
  std::uint16_t own;
  std::uint16_t own_size;
};

#define OTA_LOAN(theirs, theirs_size, pointer, size, own)                                                \
  {                                                                                                      \
    offsetof(OtaAppBuffer_t, theirs), offsetof(OtaAppBuffer_t, theirs_size),                             \
        offsetof(OtaFileContext_t, pointer), offsetof(OtaFileContext_t, size), offsetof(OwnMemory, own), \
        sizeof(OwnMemory::own)                                                                           \
  }

constexpr Loan kLoans[] = {
    OTA_LOAN(pUpdateFilePath, updateFilePathsize, pFilePath, filePathMaxSize, file_path),
    OTA_LOAN(pCertFilePath, certFilePathSize, pCertFilepath, certFilePathMaxSize, certificate_path),
    OTA_LOAN(pStreamName, streamNameSize, pStreamName, streamNameMaxSize, stream_name),
    OTA_LOAN(pFileBitmap, fileBitmapSize, pRxBlockBitmap, blockBitmapMaxSize, bitmap),
    OTA_LOAN(pUrl, urlSize, pUpdateUrlPath, updateUrlMaxSize, url),
    OTA_LOAN(pAuthScheme, authSchemeSize, pAuthScheme, authSchemeMaxSize, auth_scheme),
};

#undef OTA_LOAN

/// The member of type T that stands `offset` bytes into `object`.
template <typename T, typename Object>
T& member(Object& object, std::size_t offset) {
  using Byte = std::conditional_t<std::is_const_v<T>, const unsigned char, unsigned char>;
  return *reinterpret_cast<T*>(reinterpret_cast<Byte*>(&object) + offset);
}

}  // namespace

void Agent::configure(const Settings& settings) {
  settings_ = settings;
  settings_.block_size = std::bit_floor(std::clamp(settings.block_size, kMinBlockSize, OTA_FILE_BLOCK_SIZE));
  settings_.status_frequency = std::max<std::uint32_t>(settings.status_frequency, 1);
  settings_.max_request_momentum = std::max<std::uint32_t>(settings.max_request_momentum, 1);
}

OtaErr_t Agent::init(const OtaAppBuffer_t& buffers, std::string_view thing_name) {
  clear_statistics();
  if (current() != OtaAgentStateStopped) return OtaErrNone;
  if (thing_name.empty() || thing_name.size() >= thing_name_.size()) return OtaErrUninitialized;
  if (!prepare_event_queue()) return OtaErrUninitialized;
  std::memcpy(thing_name_.data(), thing_name.data(), thing_name.size());
  thing_name_[thing_name.size()] = 0;
  lend_buffers(buffers);
  forget_job();
  has_last_words_ = false;
  set_own_image_state(OtaImageStateUnknown);
  request_number_ = 0;
  first_unanswered_ = 0;
  is_answer_awaited_ = false;
  momentum_ = 0;
  set_state(OtaAgentStateInit);
  return OtaErrNone;
}

/// The queue is made once; after a restart it is emptied, and the buffers in it go back to the application.
bool Agent::prepare_event_queue() {
  if (!is_event_queue_ready_) is_event_queue_ready_ = environment_.event_init() == OtaOsSuccess;
  OtaEventMsg_t event{};
  for (std::uint32_t i = 0; i < kMaxLeftoverEvents; ++i) {
    if (!is_event_queue_ready_ || environment_.event_receive(event, 0) != OtaOsSuccess) break;
    if (event.pEventData != nullptr) give_back(event.pEventData);
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
  const bool is_decode_memory_lent = buffers.pDecodeMemory != nullptr && buffers.decodeMemorySize != 0;
  file_.pDecodeMem = is_decode_memory_lent ? buffers.pDecodeMemory : own_.block;
  file_.decodeMemMaxSize = is_decode_memory_lent ? buffers.decodeMemorySize : sizeof own_.block;
  for (const Loan& loan : kLoans) {
    std::uint8_t* theirs = member<std::uint8_t* const>(buffers, loan.theirs);
    const std::uint16_t size = member<const std::uint16_t>(buffers, loan.theirs_size);
    const bool is_lent = theirs != nullptr && size != 0;
    member<std::uint8_t*>(file_, loan.pointer) = is_lent ? theirs : &member<std::uint8_t>(own_, loan.own);
    member<std::uint16_t>(file_, loan.size) = is_lent ? size : loan.own_size;
  }
}

OtaState_t Agent::process_next_event() {
  if (current() == OtaAgentStateStopped) return current();
  if (current() == OtaAgentStateInit) set_state(OtaAgentStateReady);
  OtaEventMsg_t event{};
  if (environment_.event_receive(event, configOTA_POLLING_EVENTS_TIMEOUT_MS) == OtaOsSuccess) dispatch(event);
  return current();
}

void Agent::run() {
  while (process_next_event() != OtaAgentStateStopped) {
  }
}

bool Agent::signal(const OtaEventMsg_t& event) {
  const bool is_block = event.eventId == OtaAgentEventReceivedFileBlock;
  if (current() == OtaAgentStateStopped) return false;
  if (is_block) count(Packet::kReceived);
  const bool is_queued = environment_.event_send(event) == OtaOsSuccess;
  if (is_block) count(is_queued ? Packet::kQueued : Packet::kDropped);
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
    if (is_pending_commit()) reset_device();  // else it was accepted meanwhile
  } else if (timer == OtaRequestTimer && !signal_event(OtaAgentEventRequestTimer)) {
    if (current() != OtaAgentStateStopped) start_request_timer();
  }
}

void Agent::dispatch(const OtaEventMsg_t& event) {
  const OtaState_t from = current();
  const Transition* row = find_transition(from, event.eventId);
  if (row == nullptr) return ignore_event(event);
  next_state_ = row->next;
  const OtaErr_t result = handle(row->handler, event);
  if (result == OtaErrNone || is_only_reported(result)) set_state(next_state_);
  environment_.on_event(from, event.eventId, result, current());
}

/// Counted by the tasks that signal as well as by the one that runs the agent.
void Agent::count(Packet packet) {
  packets_[static_cast<std::size_t>(packet)].fetch_add(1, std::memory_order_relaxed);
}

void Agent::clear_statistics() {
  for (auto& packets : packets_) packets.store(0, std::memory_order_relaxed);
}

OtaAgentStatistics_t Agent::statistics() const {
  const auto packets = [this](Packet packet) {
    return packets_[static_cast<std::size_t>(packet)].load(std::memory_order_relaxed);
  };
  return {packets(Packet::kReceived), packets(Packet::kQueued), packets(Packet::kProcessed),
          packets(Packet::kDropped)};
}

void Agent::ignore_event(const OtaEventMsg_t& event) {
  environment_.on_event(current(), event.eventId, OtaErrInvalidArg, current());
  const bool is_block = event.eventId == OtaAgentEventReceivedFileBlock;
  const bool is_job = event.eventId == OtaAgentEventReceivedJobDocument;
  if (is_block) count(Packet::kDropped);
  if (is_block || is_job) give_back(event.pEventData);
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
      return on_suspend();
    case Handler::kUserAbort:
      return user_abort();
    case Handler::kShutdown:
      return stop();
  }
  return OtaErrPanic;
}

// Small, and called from many places: here once instead of a virtual call each.
void Agent::note(Note what) {
  environment_.on_note(what);
}
void Agent::reset_device() {
  environment_.pal_reset(file_);
}
void Agent::give_back(OtaEventData_t* data) {
  if (data != nullptr) environment_.notify_application(OtaJobEventProcessed, data);
}
void Agent::stop_request_timer() {
  environment_.timer_stop(OtaRequestTimer);
}
bool Agent::is_pending_commit() {
  return environment_.pal_image_state(file_) == OtaPalImageStatePendingCommit;
}

/// An image on trial that does not reach its self test is to be reset.
void Agent::guard_self_test() {
  if (is_pending_commit()) {
    environment_.timer_start(OtaSelfTestTimer, settings_.self_test_wait_ms);
  }
}

OtaErr_t Agent::start() {
  guard_self_test();
  signal_or_retry(OtaAgentEventRequestJobDocument);
  return OtaErrNone;
}

/// Counts a failed request and asks again when the timer runs out, or stops the agent after too many.
OtaErr_t Agent::retry_later(OtaErr_t error) {
  start_request_timer();
  if (++momentum_ < settings_.max_request_momentum) return error;
  if (!signal_event(OtaAgentEventShutdown)) return error;
  stop_request_timer();
  return OtaErrMomentumAbort;
}

OtaErr_t Agent::suspend() {
  if (current() == OtaAgentStateStopped) return OtaErrAgentStopped;
  return signal_event(OtaAgentEventSuspend) ? OtaErrNone : OtaErrSignalEventFailed;
}

OtaErr_t Agent::on_suspend() {
  environment_.timer_stop(OtaSelfTestTimer);
  stop_request_timer();
  return close_http() ? OtaErrNone : OtaErrCleanupDataFailed;
}

OtaErr_t Agent::resume() {
  if (current() == OtaAgentStateStopped) return OtaErrAgentStopped;
  guard_self_test();
  start_request_timer();
  return signal_event(OtaAgentEventResume) ? OtaErrNone : OtaErrSignalEventFailed;
}

OtaState_t Agent::shutdown(std::uint32_t rounds, bool unsubscribe) {
  if (current() == OtaAgentStateStopped || current() == OtaAgentStateShuttingDown) return current();
  unsubscribe_at_stop_.store(unsubscribe, std::memory_order_relaxed);
  if (!signal_event(OtaAgentEventShutdown)) return current();
  while (rounds-- != 0 && current() != OtaAgentStateStopped) {
  }
  return current();
}

OtaErr_t Agent::stop() {
  set_state(OtaAgentStateShuttingDown);
  for (const OtaTimerId_t timer : {OtaRequestTimer, OtaSelfTestTimer}) {
    environment_.timer_stop(timer);
    environment_.timer_delete(timer);
  }
  const bool is_left = !unsubscribe_at_stop_.load(std::memory_order_relaxed) ||
                       exchange(Exchange::kUnsubscribe, Topic::kNotifyNext, {}, 0);
  const OtaErr_t result = close_transfer();
  forget_job();
  has_last_words_ = false;
  set_own_image_state(OtaImageStateUnknown);
  return is_left ? result : OtaErrCleanupControlFailed;
}

OtaErr_t Agent::user_abort() {
  if (!has_job()) return OtaErrNoActiveJob;
  stop_request_timer();
  set_image_state(OtaImageStateAborted, OtaErrUserAbort);  // what cannot be sent now is sent later
  return close_transfer();
}

OtaErr_t Agent::activate_new_image() {
  const OtaPalStatus_t status = environment_.pal_activate(file_);
  if (OTA_PAL_MAIN_ERR(status) == OtaPalSuccess) return OtaErrNone;
  // The job was told "ready"; without this it would stay IN_PROGRESS for good.
  if (has_last_words_) {
    job_id_ = last_job_id_;
    set_image_state(OtaImageStateRejected, status);
  }
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
  set_own_image_state(state);
  if (!has_job()) return OtaErrNoActiveJob;
  return report_image_state(state, reason);
}

OtaErr_t Agent::report_image_state(OtaImageState_t state, std::uint32_t reason) {
  const std::uint32_t version = environment_.running_version();
  if (state == OtaImageStateTesting) return report(Report::kActive, version, 0);
  if (state == OtaImageStateAccepted) return report_end(Report::kAccepted, version, file_.updaterVersion);
  return report_end(state == OtaImageStateRejected ? Report::kRejected : Report::kAborted, reason, 0);
}

/// Unsubscribes with QoS 0 whatever the subscription had, as AWS's library does; MQTT's UNSUBSCRIBE has none.
bool Agent::exchange(Exchange what, Topic topic, std::string_view payload, std::uint8_t qos) {
  Text<kMaxTopic> text;
  const auto* stream = reinterpret_cast<const char*>(file_.pStreamName);
  write_topic(text, topic, thing_name(), topic == Topic::kUpdate ? job_id() : stream,
              settings_.stream_format);
  const std::string_view name = text.text();
  OtaMqttStatus_t status = OtaMqttSuccess;
  switch (what) {
    case Exchange::kSubscribe:
      status = environment_.subscribe(name, qos);
      break;
    case Exchange::kUnsubscribe:
      status = environment_.unsubscribe(name, qos);
      break;
    case Exchange::kPublish:
      status = environment_.publish(name, bytes_of(payload), qos);
      break;
  }
  return status == OtaMqttSuccess;
}

/// Says something of the job in hand. Progress may get lost.
OtaErr_t Agent::report(Report what, std::uint32_t first, std::uint32_t second) {
  Text<kMaxStatusMessage> message;
  write_report(message, what, first, second);
  const bool is_sent =
      exchange(Exchange::kPublish, Topic::kUpdate, message.text(), what == Report::kProgress ? 0 : 1);
  return is_sent ? OtaErrNone : OtaErrUpdateJobStatusFailed;
}

/// Says the last word on the job in hand, and lets go of it.
OtaErr_t Agent::report_end(Report what, std::uint32_t first, std::uint32_t second) {
  last_words_ = what;
  last_numbers_[0] = first;
  last_numbers_[1] = second;
  has_last_words_ = true;
  are_last_words_said_ = false;
  last_job_id_ = job_id_;
  return say_last_words();
}

/// If they cannot be sent, the cloud still thinks the job open: it is asked for again, and answered again.
OtaErr_t Agent::say_last_words() {
  job_id_ = last_job_id_;
  const OtaErr_t result =
      are_last_words_said_ ? OtaErrNone : report(last_words_, last_numbers_[0], last_numbers_[1]);
  forget_job();
  are_last_words_said_ = result == OtaErrNone;
  if (!are_last_words_said_) {
    start_request_timer();
  } else {
    has_last_words_ = last_words_ == Report::kReady;
  }
  return result;
}

void Agent::name_job(std::string_view id) {
  std::memcpy(job_id_.data(), id.data(), id.size());
  job_id_[id.size()] = 0;
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

/// Tells the platform that the file is of no use any more.
void Agent::drop_file() {
  static_cast<void>(environment_.pal_set_image_state(file_, OtaImageStateAborted));
  set_own_image_state(OtaImageStateAborted);
  static_cast<void>(close_transfer());
}

/// Drops the job in hand because the cloud no longer offers it. There is nobody to report to.
void Agent::abandon_job() {
  if (!has_job()) return;
  note(Note::kJobDropped);
  stop_request_timer();
  drop_file();
  forget_job();
}

/// What the application hears of a job. @param text  its document, if it is at hand
OtaJobDocument_t Agent::describe_job(const std::uint8_t* id, std::string_view text) const {
  OtaJobDocument_t document{};
  document.pJobDocJson = bytes_of(text).data();
  document.jobDocLength = text.size();
  document.pJobId = id;
  document.jobIdLength = std::strlen(reinterpret_cast<const char*>(id));
  document.fileTypeId = file_.fileType;
  return document;
}

}  // namespace ota
