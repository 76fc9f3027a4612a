#include "sim/web/flash_follower.h"

#include <sys/stat.h>

#include "pal_sim/flash/op_log_tail.h"
#include "sim/base/file_io.h"
#include "sim/flash/flash_history.h"
#include "sim/inspect/flash_report.h"

namespace otasim::web {
namespace {

using nlohmann::json;
using report::html::Subject;
using report::html::Touched;

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::int64_t kNanoseconds = 1'000'000'000;

std::string to_text(const json& message) {
  return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// The states of `all` that `earlier` does not have: each subject's list only grows.
json states_since(const json& all, const json& earlier) {
  json news = json::object();
  for (const auto& [subject, list] : all.items()) {
    const std::size_t known = earlier.contains(subject) ? earlier.at(subject).size() : 0;
    for (std::size_t i = known; i < list.size(); ++i) news[subject].push_back(list[i]);
  }
  return news;
}

}  // namespace

FlashFollower::FileIdentity FlashFollower::identity_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_mtim.tv_sec * kNanoseconds + info.st_mtim.tv_nsec};
}

bool FlashFollower::begin() {
  has_begun_ = false;
  identity_ = identity_of(before_path());
  auto bytes = read_file(before_path());
  if (!bytes) return false;
  auto history = flash_file::FlashHistory::make(std::move(*bytes), {});
  if (!history) return false;
  part_ = history->part();
  window_.assign(history->before().begin(), history->before().end());
  at_ = 0;
  has_begun_ = true;
  forget_rows();
  return true;
}

/// From here on the flash as it is now is what was there before.
void FlashFollower::forget_rows() {
  before_ = report::html::programmed_pages(window_, part_);
  rows_ = json::array();
  states_ = json::object();
  pending_.reset();
  decode_all();
}

void FlashFollower::decode_all() {
  for (std::size_t slot = 0; slot < inspect::kSlots.size(); ++slot) decode({Subject::kSlot, slot});
  decode({Subject::kBootControl});
  decode({Subject::kOtp});
}

void FlashFollower::decode(const Touched& touched) {
  report::html::add_state(states_, touched, window_, rows_.size(), part_, keys_);
}

bool FlashFollower::is_begun_anew() const {
  return identity_of(before_path()) != identity_;
}

/// @returns how many operations have come; nothing if the log is not the one that was read before
std::optional<std::size_t> FlashFollower::read(const Anchors& anchors) {
  std::size_t count = 0;
  for (;;) {
    const auto piece = flash::read_op_log_piece(log_path(), at_, kPieceBytes);
    if (!piece) {
      if (at_ == 0) return 0;  // it is made when the device is switched on
      return std::nullopt;
    }
    for (const flash::LoggedOperation& operation : piece->operations) take(operation, anchors);
    count += piece->operations.size();
    const bool is_all = piece->operations.empty();
    at_ = piece->whole_bytes;
    if (is_all) return count;
  }
}

void FlashFollower::take(const flash::LoggedOperation& operation, const Anchors& anchors) {
  const Touched touched = report::html::touched_by(operation);
  if (touched.subject != Subject::kNone && pending_ && *pending_ != touched) decode_pending();
  if (operation.time_us != 0) {
    const auto at = report::event_time(anchors, static_cast<std::int64_t>(operation.time_us));
    if (at) last_us_ = *at;
  }
  rows_.push_back(report::html::operation_row(operation, last_us_));
  if (flash_file::is_possible(operation, part_)) flash_file::apply_logged(operation, window_);
  if (touched.subject == Subject::kSlot) {
    pending_ = touched;  // an image is looked at when the writing of it pauses
  } else {
    decode(touched);
  }
}

void FlashFollower::decode_pending() {
  if (!pending_) return;
  decode(*pending_);
  pending_.reset();
}

std::string FlashFollower::whole(const Anchors& anchors) {
  if (!begin()) return tell_problem();
  if (!read(anchors)) return tell_problem();
  decode_pending();
  if (rows_.size() > kMostRows) forget_rows();
  return tell_whole();
}

std::string FlashFollower::news(const Anchors& anchors) {
  if (is_begun_anew()) return whole(anchors);
  if (!has_begun_) return {};
  const std::size_t from_row = rows_.size();
  const json earlier = states_;
  const auto count = read(anchors);
  if (!count) return whole(anchors);
  if (*count == 0) decode_pending();
  if (rows_.size() > kMostRows) {
    forget_rows();
    return tell_whole();
  }
  json states = states_since(states_, earlier);
  if (*count == 0 && states.empty()) return {};
  return tell_news(from_row, std::move(states));
}

std::string FlashFollower::tell_whole() const {
  json track = report::html::describe_part(part_);
  track["before"] = before_;
  track["operations"] = rows_;
  track["states"] = states_;
  track["torn"] = false;
  return to_text({{"type", "flash"}, {"device", device_}, {"track", std::move(track)}});
}

std::string FlashFollower::tell_news(std::size_t from_row, json states) const {
  json rows = json::array();
  for (std::size_t i = from_row; i < rows_.size(); ++i) rows.push_back(rows_[i]);
  return to_text({{"type", "operations"},
                  {"device", device_},
                  {"from", from_row},
                  {"rows", std::move(rows)},
                  {"states", std::move(states)}});
}

std::string FlashFollower::tell_problem() const {
  return to_text({{"type", "flash"},
                  {"device", device_},
                  {"track",
                   {{"problem",
                     "The device has no flash log that can be read: it is being made or "
                     "removed."}}}});
}

}  // namespace otasim::web
