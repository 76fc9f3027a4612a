// The file: opening its transfer, storing its blocks, and what follows the last one. How blocks travel is in
// agent_stream.cc and agent_http.cc.
#include <algorithm>

#include "agent/src/agent.h"

namespace ota {
namespace {

/// The service sends no more than this for one request, and drops the rest without a word.
constexpr std::uint32_t kMaxBytesPerRequest = 128 * 1024;

}  // namespace

std::uint32_t Agent::total_blocks() const {
  return file_.fileSize / settings_.block_size + (file_.fileSize % settings_.block_size != 0 ? 1U : 0U);
}

std::uint32_t Agent::size_of_block(std::uint32_t index) const {
  return std::min(settings_.block_size, file_.fileSize - index * settings_.block_size);
}

/// Wants every block of the file. @returns false if the file has more of them than the bitmap.
bool Agent::want_file() {
  const std::uint32_t most = kMaxBytesPerRequest / settings_.block_size;
  const std::uint32_t per_request =
      is_over_http() ? settings_.blocks_per_http_request : settings_.blocks_per_request;
  window_.set_limits(std::min(per_request, most), settings_.blocks_in_flight);
  const bool fits = window_.begin({file_.pRxBlockBitmap, file_.blockBitmapMaxSize}, total_blocks());
  file_.blocksRemaining = window_.wanted_count();
  return fits;
}

OtaErr_t Agent::init_file() {
  if (!has_job()) return ask_anew();
  if (file_.isInSelfTest) return OtaErrImageStateMismatch;  // a late timer; StartSelfTest is in the queue
  const bool is_open = is_over_http() ? open_http() : open_stream();
  if (!is_open) return retry_later(OtaErrInitFileTransferFailed);
  momentum_ = 0;
  clear_statistics();
  window_.restart();
  is_request_signalled_ = false;  // what is in the queue came to nothing in the states before
  requests_to_skip_ = 0;
  signal_or_retry(OtaAgentEventRequestFileBlock);
  return OtaErrNone;
}

OtaErr_t Agent::request_data(OtaEvent_t event) {
  const bool is_timeout = event == OtaAgentEventRequestTimer;
  if (!is_timeout && requests_to_skip_ != 0) {
    --requests_to_skip_;
    return OtaErrNone;
  }
  if (!is_timeout) is_request_signalled_ = false;
  if (!has_job() || file_.blocksRemaining == 0) return ask_anew();
  start_request_timer();
  if (momentum_ >= settings_.max_request_momentum) return give_up_transfer();
  if (is_timeout) {
    note(Note::kBlocksLate);
    window_.on_timeout();
    if (is_over_http() && current() == OtaAgentStateWaitingForFileBlock) return reopen_http();
  }
  ++momentum_;
  // What cannot be sent now is on its way as far as the window knows, until the request timer runs out.
  const bool is_sent = is_over_http() ? request_ranges() : request_stream_blocks();
  return is_sent ? OtaErrNone : OtaErrRequestFileBlockFailed;
}

OtaErr_t Agent::give_up_transfer() {
  note(Note::kTransferGivenUp);
  if (!signal_event(OtaAgentEventShutdown)) return OtaErrMomentumAbort;  // the request timer comes back here
  set_image_state(OtaImageStateAborted, 0);
  stop_request_timer();
  momentum_ = 0;
  return OtaErrMomentumAbort;
}

OtaErr_t Agent::process_data(OtaEventData_t* data) {
  if (data == nullptr) return OtaErrInvalidArg;
  OtaPalStatus_t close_result = OTA_PAL_COMBINE_ERR(OtaPalUninitialized, 0);
  const std::span message(data->data, std::min<std::size_t>(data->dataLength, sizeof data->data));
  OtaErr_t result = OtaErrNone;
  if (is_block_expected()) {
    Block block;
    Ingest ingest = Ingest::kFailed;
    if (take_block(message, block)) {
      ingest = store_block(block, close_result);
    } else {
      result = OtaErrFailedToDecodeCbor;
    }
    if (ingest == Ingest::kAccepted || ingest == Ingest::kFileComplete) count(Packet::kProcessed);
    if (ingest == Ingest::kAccepted) after_block();
    if (ingest == Ingest::kFileComplete || ingest == Ingest::kFailed) {
      const OtaErr_t closed = finish_file(ingest, close_result);
      if (result == OtaErrNone) result = closed;
    }
  }
  give_back(data);
  return result;
}

bool Agent::take_block(std::span<std::uint8_t> message, Block& out) {
  if (!is_over_http()) return decode_stream_block(message, out);
  take_range_block(message, out);
  return true;
}

bool Agent::is_block_expected() const {
  if (!has_job() || file_.blocksRemaining == 0) return false;
  return !is_over_http() || range_count_ != 0;
}

Agent::Ingest Agent::store_block(const Block& block, OtaPalStatus_t& close_result) {
  if (block.file_id != file_.serverFileID) return Ingest::kIgnored;
  if (block.index >= total_blocks() || block.payload.size() != size_of_block(block.index)) {
    note(Note::kBlockMisfit);
    return Ingest::kFailed;
  }
  if (!window_.receive(block.index)) return Ingest::kIgnored;
  file_.blocksRemaining = window_.wanted_count();
  if (file_.pFile == nullptr) return Ingest::kFailed;
  const std::uint32_t offset = block.index * settings_.block_size;
  const auto written = static_cast<std::uint32_t>(environment_.pal_write_block(file_, offset, block.payload));
  if (written != block.payload.size()) return Ingest::kFailed;
  if (file_.blocksRemaining != 0) return Ingest::kAccepted;

  stop_request_timer();
  close_result = environment_.pal_close_file(file_);
  file_.pFile = nullptr;
  return OTA_PAL_MAIN_ERR(close_result) == OtaPalSuccess ? Ingest::kFileComplete : Ingest::kFailed;
}

/// Reports progress, and asks for more when there is room for it.
void Agent::after_block() {
  momentum_ = 0;
  url_renewals_ = 0;
  start_request_timer();
  const std::uint32_t total = total_blocks();
  const std::uint32_t received = total - file_.blocksRemaining;
  if (received == 1 || received % settings_.status_frequency == 0) {
    static_cast<void>(report(Report::kProgress, received, total));
  }
  if (is_request_signalled_ || !window_.has_room()) return;
  is_request_signalled_ = signal_event(OtaAgentEventRequestFileBlock);  // else the request timer does it
}

/// Reports the end of the transfer, good or bad, and tells the application. A file that is verified is not
/// activated before the cloud knows: the new image would find its job as if nothing had happened.
OtaErr_t Agent::finish_file(Ingest result, OtaPalStatus_t close_result) {
  const bool is_firmware = file_.fileType == configOTA_FIRMWARE_UPDATE_FILE_TYPE_ID;
  next_state_ = OtaAgentStateWaitingForJob;
  stop_request_timer();
  if (result == Ingest::kFailed) {
    static_cast<void>(environment_.pal_set_image_state(file_, OtaImageStateRejected));
    report_end(Report::kFailed, OTA_PAL_MAIN_ERR(close_result), OTA_PAL_SUB_ERR(close_result));
    tell_finished(OtaJobEventFail);
  } else if (!is_firmware) {
    report_end(Report::kAccepted, file_.fileType, file_.updaterVersion);
    tell_finished(OtaJobEventUpdateComplete);
  } else if (report_end(Report::kReady, environment_.running_version(), 0) == OtaErrNone) {
    tell_finished(OtaJobEventActivate);
  }
  return close_transfer();
}

/// Tells the application of the job that was finished last, in AWS's words.
void Agent::tell_finished(OtaJobEvent_t event) {
  OtaJobDocument_t document = describe_job(last_job_id_.data(), {});
  ++document.jobIdLength;  // AWS's library counts the NUL here
  if (event == OtaJobEventFail) {
    document.status = JobStatusFailedWithVal;
    document.reason = static_cast<std::int32_t>(last_numbers_[0]);
    document.subReason = static_cast<std::int32_t>(last_numbers_[1]);
  } else if (event == OtaJobEventActivate) {
    document.reason = JobReasonSigCheckPassed;
  } else {
    document.status = JobStatusSucceeded;
    document.reason = JobReasonAccepted;
    document.subReason = static_cast<std::int32_t>(file_.fileType);
  }
  environment_.notify_application(event, &document);
}

/// The application ended the job in hand while its file was on the way.
OtaErr_t Agent::ask_anew() {
  next_state_ = OtaAgentStateRequestingJob;
  signal_or_retry(OtaAgentEventRequestJobDocument);
  return close_transfer();
}

}  // namespace ota
