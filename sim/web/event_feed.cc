#include "sim/web/event_feed.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <deque>
#include <mutex>
#include <string_view>

#include "sim/base/json_members.h"

namespace otasim::web {
namespace {

struct KeptEvent {
  std::uint64_t number;
  std::string text;
};

/// After these, what `device list` or `job list` say may be another thing.
bool is_about_state(std::string_view source, std::string_view event) {
  if (source == "device") return true;
  if (source == "broker") return event.starts_with("client_");
  if (source == "cloud") return event.starts_with("job_");
  if (source == "link") return event.starts_with("fault");
  return source == "boot" && event == "start";
}

}  // namespace

struct EventFeed::State {
  State(boost::asio::io_context& context, EventFeedLimits most) : io(context), limits(most) {}

  void take(const nlohmann::json& event);
  void keep(KeptEvent event);

  boost::asio::io_context& io;
  const EventFeedLimits limits;
  std::function<void(bool)> on_news;  ///< the io_context's thread's

  mutable std::mutex mutex;
  std::deque<KeptEvent> events;
  std::size_t bytes = 0;
  std::uint64_t last = 0;
  std::vector<report::ClockAnchor> anchors;
  bool is_told = false;  ///< news are on their way
  bool changes_state = false;
};

EventFeed::EventFeed(boost::asio::io_context& io, EventFeedLimits limits)
    : state_(std::make_shared<State>(io, limits)) {}

EventFeed::~EventFeed() = default;

report::EventLog::Listener EventFeed::listener() {
  return [weak = std::weak_ptr(state_)](const nlohmann::json& event) {
    const auto state = weak.lock();
    if (!state) return;
    state->take(event);
    const std::scoped_lock lock(state->mutex);
    if (std::exchange(state->is_told, true)) return;
    boost::asio::post(state->io, [weak] {
      const auto now = weak.lock();
      if (!now) return;
      bool changes_state = false;
      {
        const std::scoped_lock news(now->mutex);
        now->is_told = false;
        changes_state = std::exchange(now->changes_state, false);
      }
      if (now->on_news) now->on_news(changes_state);
    });
  };
}

void EventFeed::State::take(const nlohmann::json& event) {
  const auto number = integer_member(event, "n");
  if (!number) return;
  std::string text = event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::scoped_lock lock(mutex);
  if (const auto epoch = integer_member(event, "epoch_us"))
    anchors.push_back({integer_member(event, "t_us").value_or(0), *epoch});
  changes_state = changes_state || is_about_state(text_of(event, "source"), text_of(event, "event"));
  keep({static_cast<std::uint64_t>(*number), std::move(text)});
}

void EventFeed::State::keep(KeptEvent event) {
  last = event.number;
  bytes += event.text.size();
  events.push_back(std::move(event));
  while (events.size() > 1 && (events.size() > limits.events || bytes > limits.bytes)) {
    bytes -= events.front().text.size();
    events.pop_front();
  }
}

void EventFeed::on_news(std::function<void(bool)> handler) {
  state_->on_news = std::move(handler);
}

std::uint64_t EventFeed::last() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->last;
}

std::uint64_t EventFeed::first() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->events.empty() ? 0 : state_->events.front().number;
}

std::uint64_t EventFeed::append_since(std::uint64_t after, std::string& out, std::size_t most_bytes) const {
  const std::scoped_lock lock(state_->mutex);
  auto next = std::ranges::upper_bound(state_->events, after, {}, &KeptEvent::number);
  const std::size_t begin = out.size();
  for (; next != state_->events.end(); ++next) {
    if (out.size() > begin && out.size() - begin + next->text.size() > most_bytes) break;
    if (out.size() > begin) out += ',';
    out += next->text;
    after = next->number;
  }
  return after;
}

std::vector<report::ClockAnchor> EventFeed::anchors() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->anchors;
}

}  // namespace otasim::web
