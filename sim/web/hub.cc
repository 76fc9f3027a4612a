#include "sim/web/hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <optional>
#include <utility>

#include "sim/base/json_members.h"
#include "sim/base/stable_sort.h"
#include "sim/cloud/random_id.h"
#include "sim/control/protocol.h"

namespace otasim::web {
namespace {

using boost::system::error_code;
using nlohmann::json;
using std::chrono::steady_clock;

/// At most so often are events sent: twelve messages a second.
constexpr std::chrono::milliseconds kEventPeriod{80};
constexpr std::size_t kMessageBytes = std::size_t{256} * 1024;
/// With more than that unread, a page gets no events until it has read.
constexpr std::size_t kRoomBytes = std::size_t{1} * 1024 * 1024;
constexpr std::chrono::milliseconds kStatePeriod{250};
/// A look at the state takes at most this part of the lab's time.
constexpr int kStateShare = 20;
constexpr std::size_t kMaxOpenCommands = 16;
constexpr std::size_t kMaxListed = 200;
constexpr std::chrono::seconds kFarewell{1};

constexpr std::array<std::string_view, 10> kCommands{
    "device.start", "device.stop", "device.cut", "device.reset", "device.kick",
    "fault.arm",    "fault.clear", "job.update", "job.cancel",   "job.show"};

std::string to_text(const json& message) {
  return message.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Keeps a command's answer that comes at once.
class KeptReply final : public control::Reply {
 public:
  void output(json) override {}
  void result(json value) override { value_ = std::move(value); }
  void error(const Error&) override {}
  void on_gone(std::function<void()>) override {}

  [[nodiscard]] const std::optional<json>& value() const { return value_; }

 private:
  std::optional<json> value_;
};

/// Tells a page the answer, if it is still there.
class PageReply final : public control::Reply {
 public:
  using Done = std::function<void(json answer)>;

  PageReply(std::int64_t id, Done done) : id_(id), done_(std::move(done)) {}

  void output(json) override {}
  void result(json value) override { tell("result", std::move(value)); }
  void error(const Error& error) override { tell("error", control::error_message(error).at("error")); }
  void on_gone(std::function<void()>) override {}

 private:
  void tell(const char* member, json value) {
    const auto done = std::exchange(done_, nullptr);
    if (done) done({{"type", "answer"}, {"id", id_}, {member, std::move(value)}});
  }

  std::int64_t id_;
  Done done_;
};

/// {"type": ..., "list": [...], "left_off": N}: the newest jobs come first, and a page lists only so many.
json state_message(const char* type, json list) {
  if (!list.is_array()) list = json::array();
  if (std::string_view(type) == "jobs") {
    auto& jobs = list.get_ref<json::array_t&>();
    otasim::stable_sort(jobs, [](const json& a, const json& b) {
      return integer_member(a, "created_at").value_or(0) > integer_member(b, "created_at").value_or(0);
    });
  }
  const std::size_t left_off = list.size() - std::min(list.size(), kMaxListed);
  if (left_off != 0) list.erase(list.begin() + kMaxListed, list.end());
  return {{"type", type}, {"list", std::move(list)}, {"left_off", left_off}};
}

}  // namespace

bool is_open_to_pages(std::string_view command) {
  return std::ranges::find(kCommands, command) != kCommands.end();
}

Hub::Hub(boost::asio::io_context& io, EventFeed& feed, const control::CommandTable& commands, HubParts parts)
    : io_(io),
      feed_(feed),
      commands_(commands),
      parts_(std::move(parts)),
      log_(cloud::random_uuid()),
      event_timer_(io),
      state_timer_(io),
      end_timer_(io),
      state_{{"devices", "device.list"}, {"jobs", "job.list"}, {"faults", "fault.list"}},
      flash_(std::make_unique<FlashFeed>(
          io, std::move(parts_.keys), [&feed] { return feed.anchors(); },
          [this](const std::vector<std::uint64_t>& to, const FlashFeed::Text& message) {
            for (const std::uint64_t number : to) {
              if (const auto found = viewers_.find(number); found != viewers_.end())
                found->second->send(message);
            }
          })) {
  feed_.on_news([this](bool changes_state) {
    is_state_old_ = is_state_old_ || changes_state;
    plan_events();
    if (is_state_old_) plan_state();
  });
}

Hub::~Hub() {
  feed_.on_news(nullptr);
  flash_.reset();
  for (const auto& [number, viewer] : std::exchange(viewers_, {})) viewer->close();
}

void Hub::admit(const std::shared_ptr<Viewer>& viewer, const Viewer::Request& request) {
  const std::uint64_t number = next_viewer_++;
  viewer->number = number;
  viewers_.emplace(number, viewer);
  viewer->start(
      request, {.on_message = [this, raw = viewer.get()](Message message) { take(*raw, std::move(message)); },
                .on_room = [this] { plan_events(); },
                .on_end = [this, number] { remove(number); }});
}

void Hub::look_again() {
  is_state_old_ = true;
  plan_state();
}

void Hub::remove(std::uint64_t viewer) {
  flash_->unwatch(viewer);
  viewers_.erase(viewer);
  end_if_empty();
}

void Hub::take(Viewer& viewer, Message message) {
  if (const auto* hello = std::get_if<Hello>(&message)) return greet(viewer, *hello);
  // Before it has said what it knows, nothing else makes sense.
  if (!viewer.has_greeted) return viewer.say_goodbye();
  if (const auto* wanted = std::get_if<Watch>(&message)) return watch(viewer, *wanted);
  run(viewer, std::get<CommandMessage>(message));
}

void Hub::greet(Viewer& viewer, const Hello& hello) {
  if (std::exchange(viewer.has_greeted, true)) return viewer.say_goodbye();
  const bool is_same_log = hello.log == log_ && hello.after <= feed_.last();
  viewer.last_event = is_same_log ? hello.after : 0;
  viewer.send(to_text({{"type", "welcome"},
                       {"log", log_},
                       {"resumed", is_same_log},
                       {"last", feed_.last()},
                       {"lab", parts_.lab()}}));
  for (const StatePart& part : state_) {
    if (!part.told.empty()) viewer.send(part.told);
  }
  look_again();  // what was told last may be old: nobody looked meanwhile
  plan_events();
}

void Hub::watch(Viewer& viewer, const Watch& watch) {
  viewer.watched = watch.device;
  const std::string folder = watch.device.empty() ? "" : parts_.folder_of(watch.device);
  if (folder.empty()) return flash_->unwatch(viewer.number);
  flash_->watch(viewer.number, watch.device, folder);
}

void Hub::run(Viewer& viewer, const CommandMessage& message) {
  const auto reply = std::make_shared<PageReply>(
      message.id, [this, weak = viewer.weak_from_this(), alive = std::weak_ptr(alive_)](const json& answer) {
        const auto to = weak.lock();
        if (!to || alive.expired()) return;
        --to->open_commands;
        to->send(to_text(answer));
        look_again();
      });
  ++viewer.open_commands;
  if (!is_open_to_pages(message.request.command))
    return reply->error({ExitCode::kUsage, fmt::format("a page has no command '{}'", message.request.command),
                         "otasim itself has all of them."});
  if (viewer.open_commands > kMaxOpenCommands)
    return reply->error({ExitCode::kUsage, "too many commands at once", "Wait for those under way."});
  commands_.handle(message.request, reply);
}

void Hub::plan_events() {
  if (viewers_.empty() || std::exchange(are_events_planned_, true)) return;
  event_timer_.expires_after(kEventPeriod);
  event_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const error_code& error) {
    if (error || alive.expired()) return;
    are_events_planned_ = false;
    send_events();
  });
}

void Hub::send_events() {
  bool is_behind = false;
  // Sending may end a viewer.
  for (const auto& [number, viewer] : std::map(viewers_)) {
    if (!viewer->has_greeted || viewer->unread() > kRoomBytes) continue;
    send_events(*viewer);
    is_behind = is_behind || viewer->last_event < feed_.last();
  }
  if (is_behind) plan_events();
}

void Hub::send_events(Viewer& viewer) {
  const std::uint64_t first = feed_.first();
  const std::uint64_t missed = first > viewer.last_event + 1 ? first - viewer.last_event - 1 : 0;
  std::string text = fmt::format(R"({{"type":"events","missed":{},"events":[)", missed);
  const std::uint64_t last = feed_.append_since(viewer.last_event, text, kMessageBytes);
  if (last == viewer.last_event) return;
  viewer.last_event = last;
  text += "]}";
  viewer.send(std::move(text));
}

void Hub::plan_state() {
  if (viewers_.empty() || std::exchange(is_state_planned_, true)) return;
  state_timer_.expires_after(std::max<steady_clock::duration>(kStatePeriod, state_pause_));
  state_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const error_code& error) {
    if (error || alive.expired()) return;
    is_state_planned_ = false;
    refresh_state();
  });
}

void Hub::refresh_state() {
  is_state_old_ = false;
  const auto begin = steady_clock::now();
  for (StatePart& part : state_) look_at(part);
  state_pause_ = (steady_clock::now() - begin) * kStateShare;
}

void Hub::look_at(StatePart& part) {
  const auto reply = std::make_shared<KeptReply>();
  commands_.handle({part.command}, reply);
  if (!reply->value()) return;
  std::string text = to_text(state_message(part.type, *reply->value()));
  if (text == part.told) return;
  part.told = std::move(text);
  const auto message = std::make_shared<const std::string>(part.told);
  for (const auto& [number, viewer] : std::map(viewers_)) {
    if (viewer->has_greeted) viewer->send(message);
  }
}

void Hub::end(std::function<void()> done) {
  on_empty_ = std::move(done);
  for (const auto& [number, viewer] : std::map(viewers_)) {
    if (viewer->has_greeted) viewer->send(to_text({{"type", "bye"}}));
    viewer->say_goodbye();
  }
  end_timer_.expires_after(kFarewell);
  end_timer_.async_wait([this, alive = std::weak_ptr(alive_)](const error_code& error) {
    if (error || alive.expired()) return;
    if (const auto then = std::exchange(on_empty_, nullptr)) then();
  });
  end_if_empty();
}

void Hub::end_if_empty() {
  if (!on_empty_ || !viewers_.empty()) return;
  end_timer_.cancel();
  boost::asio::post(io_, std::exchange(on_empty_, nullptr));
}

}  // namespace otasim::web
