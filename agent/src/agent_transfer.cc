// The file: asking for its blocks, storing them, and what follows the last one.
#include <algorithm>

#include "agent/src/agent.h"
#include "agent/src/block_bitmap.h"
#include "agent/src/job_status.h"
#include "agent/src/stream_cbor.h"
#include "agent/src/topics.h"

namespace ota {
namespace {

/// The service sends no more than this for one request, and drops the rest without a word.
constexpr std::uint32_t kMaxBytesPerRequest = 128 * 1024;
constexpr std::uint32_t kMaxBlocksPerRequest =
    std::max<std::uint32_t>(1, kMaxBytesPerRequest / OTA_FILE_BLOCK_SIZE);

/// CBOR around the bitmap in a request.
constexpr std::size_t kMaxRequestOverhead = 64;

}  // namespace

std::uint32_t Agent::total_blocks() const {
  return file_.fileSize / OTA_FILE_BLOCK_SIZE + (file_.fileSize % OTA_FILE_BLOCK_SIZE != 0 ? 1U : 0U);
}

OtaErr_t Agent::init_file() {
  const std::string_view stream{reinterpret_cast<const char*>(file_.pStreamName)};
  if (environment_.subscribe(stream_data_topic(thing_name(), stream).text(), 0) != OtaMqttSuccess) {
    return retry_later(OtaErrInitFileTransferFailed);
  }
  is_subscribed_to_stream_ = true;
  momentum_ = 0;
  statistics_.clear();
  signal_or_retry(OtaAgentEventRequestFileBlock);
  return OtaErrNone;
}

OtaErr_t Agent::request_data() {
  if (!has_job() || file_.blocksRemaining == 0) return OtaErrNone;
  start_request_timer();
  if (momentum_ >= settings_.max_request_momentum) return give_up_transfer();
  ++momentum_;

  const std::uint32_t most = std::clamp<std::uint32_t>(settings_.blocks_per_request, 1, kMaxBlocksPerRequest);
  blocks_expected_ = std::min(most, file_.blocksRemaining);
  const std::uint32_t bitmap_size = BlockBitmap::bytes_for(total_blocks());
  std::array<std::uint8_t, OTA_MAX_BLOCK_BITMAP_SIZE + kMaxRequestOverhead> message;
  const auto size = encode_block_request({.file_id = file_.serverFileID,
                                          .block_size = OTA_FILE_BLOCK_SIZE,
                                          .bitmap = {file_.pRxBlockBitmap, bitmap_size},
                                          .block_count = blocks_expected_},
                                         message);
  if (!size) return OtaErrFailedToEncodeCbor;
  const std::string_view stream{reinterpret_cast<const char*>(file_.pStreamName)};
  const Topic topic = stream_get_topic(thing_name(), stream);
  const auto payload = std::span<const std::uint8_t>(message).first(*size);
  // If it cannot be sent now, the request timer tries again.
  const bool is_sent = environment_.publish(topic.text(), payload, 0) == OtaMqttSuccess;
  return is_sent ? OtaErrNone : OtaErrRequestFileBlockFailed;
}

OtaErr_t Agent::give_up_transfer() {
  environment_.on_note("no block arrived in spite of repeated requests; the job is aborted");
  if (!signal_event(OtaAgentEventShutdown)) return OtaErrMomentumAbort;  // the request timer comes back here
  set_image_state(OtaImageStateAborted, 0);
  environment_.timer_stop(OtaRequestTimer);
  momentum_ = 0;
  return OtaErrMomentumAbort;
}

OtaErr_t Agent::process_data(OtaEventData_t* data) {
  if (data == nullptr) return OtaErrInvalidArg;
  ++statistics_.otaPacketsProcessed;
  OtaPalStatus_t close_result = OTA_PAL_COMBINE_ERR(OtaPalUninitialized, 0);
  const std::size_t size = std::min<std::size_t>(data->dataLength, sizeof data->data);
  const Ingest result = ingest({data->data, size}, close_result);
  switch (result) {
    case Ingest::kIgnored:
      break;
    case Ingest::kAccepted:
      after_block();
      break;
    case Ingest::kFileComplete:
    case Ingest::kFailed:
      finish_file(result, close_result);
      break;
  }
  environment_.notify_application(OtaJobEventProcessed, data);
  return OtaErrNone;
}

Agent::Ingest Agent::ingest(std::span<const std::uint8_t> message, OtaPalStatus_t& close_result) {
  if (!has_job() || file_.blocksRemaining == 0) return Ingest::kIgnored;
  const auto block = decode_block(message, {file_.pDecodeMem, file_.decodeMemMaxSize});
  if (!block) {
    environment_.on_note("a stream message could not be decoded");
    return Ingest::kFailed;
  }
  if (block->file_id != file_.serverFileID) return Ingest::kIgnored;
  return store_block(block->index, {file_.pDecodeMem, block->payload.size()}, close_result);
}

Agent::Ingest Agent::store_block(std::uint32_t index, std::span<std::uint8_t> payload,
                                 OtaPalStatus_t& close_result) {
  const std::uint32_t blocks = total_blocks();
  if (index >= blocks) return Ingest::kFailed;
  const std::uint32_t offset = index * OTA_FILE_BLOCK_SIZE;
  const std::uint32_t expected = std::min<std::uint32_t>(OTA_FILE_BLOCK_SIZE, file_.fileSize - offset);
  if (payload.size() != expected) {
    environment_.on_note("a block has the wrong size");
    return Ingest::kFailed;
  }
  BlockBitmap bitmap({file_.pRxBlockBitmap, file_.blockBitmapMaxSize});
  if (!bitmap.is_wanted(index)) return Ingest::kIgnored;
  if (file_.pFile == nullptr) return Ingest::kFailed;
  const std::int16_t written = environment_.pal_write_block(file_, offset, payload);
  if (written < 0 || static_cast<std::uint32_t>(written) != expected) return Ingest::kFailed;
  bitmap.mark_received(index);
  if (--file_.blocksRemaining != 0) return Ingest::kAccepted;

  environment_.timer_stop(OtaRequestTimer);
  close_result = environment_.pal_close_file(file_);
  file_.pFile = nullptr;
  return OTA_PAL_MAIN_ERR(close_result) == OtaPalSuccess ? Ingest::kFileComplete : Ingest::kFailed;
}

/// Reports progress and asks for more when what was asked for has come.
void Agent::after_block() {
  momentum_ = 0;
  start_request_timer();
  const std::uint32_t total = total_blocks();
  const std::uint32_t received = total - file_.blocksRemaining;
  const std::uint32_t frequency = std::max<std::uint32_t>(settings_.status_frequency, 1);
  if (received == 1 || received % frequency == 0) {
    static_cast<void>(publish_status(job_id(), progress_message(received, total).text(), 0));
  }
  if (blocks_expected_ > 1) {
    --blocks_expected_;
  } else {
    signal_or_retry(OtaAgentEventRequestFileBlock);
  }
}

/// Reports the end of the transfer, good or bad, and tells the application.
void Agent::finish_file(Ingest result, OtaPalStatus_t close_result) {
  const bool is_firmware = file_.fileType == configOTA_FIRMWARE_UPDATE_FILE_TYPE_ID;
  OtaJobDocument_t document{};
  document.pJobId = job_id_.data();
  document.jobIdLength = job_id().size() + 1;
  document.fileTypeId = file_.fileType;
  OtaJobEvent_t event = OtaJobEventFail;
  environment_.timer_stop(OtaRequestTimer);
  if (result == Ingest::kFailed) {
    const std::uint32_t main = OTA_PAL_MAIN_ERR(close_result);
    const std::uint32_t sub = OTA_PAL_SUB_ERR(close_result);
    document.status = JobStatusFailedWithVal;
    document.reason = static_cast<std::int32_t>(main);
    document.subReason = static_cast<std::int32_t>(sub);
    static_cast<void>(environment_.pal_set_image_state(file_, OtaImageStateRejected));
    report_end(job_id(), failed_with_values_message(main, sub).text());
  } else if (is_firmware) {
    event = OtaJobEventActivate;
    report_end(job_id(), self_test_message("ready", environment_.running_version()).text());
  } else {
    event = OtaJobEventUpdateComplete;
    document.status = JobStatusSucceeded;
    report_end(job_id(), accepted_message(file_.fileType, file_.updaterVersion).text());
  }
  if (!signal_event(OtaAgentEventCloseFile)) {
    // The queue is full; close here instead, so that the agent does not wait for blocks that never come.
    close_transfer();
    next_state_ = OtaAgentStateWaitingForJob;
  }
  environment_.notify_application(event, &document);
  forget_job();
}

}  // namespace ota
