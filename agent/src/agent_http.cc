// Blocks over HTTP: byte ranges of the presigned URL. Answers come in the order of the requests, so the
// agent knows from that order which blocks they hold.
#include <algorithm>

#include "agent/src/agent.h"

namespace ota {

bool Agent::open_http() {
  close_http();
  if (environment_.http_init(reinterpret_cast<char*>(file_.pUpdateUrlPath)) != OtaHttpSuccess) return false;
  is_http_open_ = true;
  return true;
}

bool Agent::close_http() {
  range_count_ = 0;
  if (!is_http_open_) return true;
  is_http_open_ = false;
  return environment_.http_deinit() == OtaHttpSuccess;
}

/// After a timeout nobody knows which answers are still to come, so the client begins anew. What it delivered
/// before stands in the queue ahead of the event signalled here; until that one is handled nothing is asked
/// for, and no block is expected.
OtaErr_t Agent::reopen_http() {
  if (!open_http()) {
    ++momentum_;
    return OtaErrInitFileTransferFailed;
  }
  if (is_request_signalled_) ++requests_to_skip_;
  is_request_signalled_ = signal_event(OtaAgentEventRequestFileBlock);  // else the request timer does it
  return OtaErrNone;
}

bool Agent::request_ranges() {
  while (range_count_ < ranges_.size()) {
    BlockWindow::Request& request = ranges_[range_count_];
    if (!window_.next(BlockWindow::Shape::kContiguous, request)) return true;
    const std::uint32_t first_byte = request.first * settings_.block_size;
    const std::uint32_t last_byte = request.last * settings_.block_size + size_of_block(request.last) - 1;
    if (environment_.http_request(first_byte, last_byte) != OtaHttpSuccess) return false;
    ++range_count_;
  }
  return true;
}

void Agent::take_range_block(std::span<std::uint8_t> body, Block& out) {
  BlockWindow::Request& range = ranges_[0];
  const std::uint32_t index = range.first++;
  if (--range.count == 0) {
    --range_count_;
    std::copy_n(ranges_.data() + 1, range_count_, ranges_.data());
  }
  out = {file_.serverFileID, index, body};
}

}  // namespace ota
