#include "agent/src/block_window.h"

#include <algorithm>

namespace ota {

void BlockWindow::set_limits(std::uint32_t per_request, std::uint32_t in_flight) {
  per_request_ = std::max<std::uint32_t>(per_request, 1);
  max_window_ = std::max(in_flight, per_request_);
}

bool BlockWindow::begin(std::span<std::uint8_t> memory, std::uint32_t blocks) {
  const std::uint32_t size = BlockBitmap::bytes_for(blocks);
  if (size > memory.size() || size > in_flight_memory_.size()) return false;
  wanted_ = BlockBitmap(memory.first(size));
  in_flight_ = BlockBitmap(std::span(in_flight_memory_).first(size));
  wanted_.set_first(blocks);
  blocks_ = blocks;
  wanted_count_ = blocks;
  window_ = per_request_;
  had_loss_ = false;
  received_since_growth_ = 0;
  restart();
  return true;
}

void BlockWindow::restart() {
  in_flight_.set_first(0);
  in_flight_count_ = 0;
  begin_pass();
}

void BlockWindow::begin_pass() {
  cursor_ = 0;
  last_requested_ = 0;
  oldest_ = 0;
  recovery_ = 0;
}

void BlockWindow::on_timeout() {
  if (!is_one_request_at_a_time()) shrink();
  restart();
}

bool BlockWindow::has_room() const {
  if (in_flight_count_ == 0) return wanted_count_ != 0;
  if (is_one_request_at_a_time() || cursor_ >= blocks_) return false;
  // Not for every block that comes: a request costs a message each way.
  const std::uint32_t worth_a_request = std::min(per_request_, std::max<std::uint32_t>(window_ / 2, 1));
  return in_flight_count_ + worth_a_request <= window_;
}

bool BlockWindow::next(Shape shape, Request& out) {
  if (!has_room()) return false;
  if (is_one_request_at_a_time()) {
    if (shape == Shape::kScattered) {
      in_flight_count_ = std::min(per_request_, wanted_count_);
      out = {0, blocks_ - 1, in_flight_count_};
      return true;
    }
    begin_pass();
  }
  const std::uint32_t most = std::min(window_ - std::min(in_flight_count_, window_), per_request_);
  take(shape, most, out);
  if (out.count == 0 && in_flight_count_ == 0) {
    begin_pass();
    take(shape, most, out);
  }
  return out.count != 0;
}

/// Takes up to `most` blocks that are wanted and not on their way, from the cursor on.
void BlockWindow::take(Shape shape, std::uint32_t most, Request& out) {
  out.count = 0;
  for (; cursor_ < blocks_ && out.count < most; ++cursor_) {
    if (!wanted_.is_set(cursor_) || in_flight_.is_set(cursor_)) {
      if (out.count != 0 && shape == Shape::kContiguous) break;
      continue;
    }
    in_flight_.set(cursor_);
    if (out.count++ == 0) out.first = cursor_;
    out.last = cursor_;
  }
  if (out.count != 0) last_requested_ = out.last;
  in_flight_count_ += out.count;
}

bool BlockWindow::receive(std::uint32_t block) {
  if (!wanted_.is_set(block)) return false;
  wanted_.clear(block);
  --wanted_count_;
  if (is_one_request_at_a_time()) {
    in_flight_.clear(block);
    if (in_flight_count_ != 0) --in_flight_count_;
  } else if (in_flight_.is_set(block)) {
    in_flight_.clear(block);
    --in_flight_count_;
    grow();
    find_losses(block);
  }
  return true;
}

void BlockWindow::grow() {
  ++received_since_growth_;
  if (window_ >= max_window_ || (had_loss_ && received_since_growth_ < window_)) return;
  ++window_;
  received_since_growth_ = 0;
}

void BlockWindow::shrink() {
  window_ = std::max<std::uint32_t>(window_ / 2, 1);
  had_loss_ = true;
  received_since_growth_ = 0;
}

/// After the last block that was asked for nothing else is to come; before that, late ones may.
void BlockWindow::find_losses(std::uint32_t arrived) {
  const std::uint32_t lateness = arrived == last_requested_ ? 0 : std::min(arrived, kReorderBlocks);
  bool is_new_loss = false;
  for (; oldest_ < arrived - lateness; ++oldest_) {
    if (!in_flight_.is_set(oldest_)) continue;
    in_flight_.clear(oldest_);
    --in_flight_count_;
    is_new_loss = is_new_loss || oldest_ >= recovery_;
  }
  if (!is_new_loss) return;
  shrink();
  recovery_ = last_requested_ + 1;
}

}  // namespace ota
