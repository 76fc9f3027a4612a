#include "sim/web/flash_feed.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <set>
#include <utility>

#include "sim/base/worker_thread.h"
#include "sim/web/flash_follower.h"

namespace otasim::web {
namespace {

/// Between two looks at the logs: fast enough for an eye, slow enough to be no load.
constexpr std::chrono::milliseconds kPeriod{150};

}  // namespace

/// Outlives the feed with what is posted; then it delivers nothing.
struct FlashFeed::Outlet {
  boost::asio::io_context& io;
  Deliver deliver;
};

/// All of it runs on the feed's thread.
class FlashFeed::Worker {
 public:
  Worker(const std::shared_ptr<Outlet>& outlet, inspect::Keys keys, Anchors anchors)
      : outlet_(outlet), io_(&outlet->io), keys_(std::move(keys)), anchors_(std::move(anchors)) {}

  void run() { own_io_.run(); }
  void stop() { own_io_.stop(); }
  template <typename Do>
  void post(Do what) {
    boost::asio::post(own_io_, std::move(what));
  }

  void watch(std::uint64_t viewer, const std::string& device, const std::string& folder) {
    unwatch(viewer);
    auto found = followed_.find(device);
    if (found == followed_.end())
      found = followed_.emplace(device, Followed{FlashFollower(device, folder, keys_)}).first;
    Followed& followed = found->second;
    const bool is_first = followed.viewers.empty();
    // Those who watch already are told what has come since first: then all know the same.
    if (!is_first) deliver(followed.viewers, followed.follower.news(anchors_()));
    followed.viewers.insert(viewer);
    deliver({viewer}, is_first ? followed.follower.whole(anchors_()) : followed.follower.again());
    plan();
  }

  void unwatch(std::uint64_t viewer) {
    for (auto& [device, followed] : followed_) followed.viewers.erase(viewer);
    std::erase_if(followed_, [](const auto& entry) { return entry.second.viewers.empty(); });
  }

 private:
  struct Followed {
    FlashFollower follower;
    std::set<std::uint64_t> viewers = {};
  };

  void plan() {
    if (std::exchange(is_planned_, true)) return;
    timer_.expires_after(kPeriod);
    timer_.async_wait([this](const boost::system::error_code& error) {
      is_planned_ = false;
      if (error) return;
      for (auto& [device, followed] : followed_)
        deliver(followed.viewers, followed.follower.news(anchors_()));
      if (!followed_.empty()) plan();
    });
  }

  void deliver(const std::set<std::uint64_t>& viewers, std::string message) {
    if (message.empty() || viewers.empty()) return;
    boost::asio::post(*io_, [weak = outlet_, to = std::vector(viewers.begin(), viewers.end()),
                             text = std::make_shared<const std::string>(std::move(message))] {
      if (const auto outlet = weak.lock()) outlet->deliver(to, text);
    });
  }

  std::weak_ptr<Outlet> outlet_;
  boost::asio::io_context* io_;
  inspect::Keys keys_;
  Anchors anchors_;
  boost::asio::io_context own_io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{own_io_.get_executor()};
  boost::asio::steady_timer timer_{own_io_};
  bool is_planned_ = false;
  std::map<std::string, Followed> followed_;
};

FlashFeed::FlashFeed(boost::asio::io_context& io, inspect::Keys keys, Anchors anchors, Deliver deliver)
    : outlet_(std::make_shared<Outlet>(Outlet{io, std::move(deliver)})),
      worker_(std::make_unique<Worker>(outlet_, std::move(keys), std::move(anchors))),
      thread_(start_worker([worker = worker_.get()] { worker->run(); })) {}

FlashFeed::~FlashFeed() {
  worker_->stop();
  thread_.join();
}

void FlashFeed::watch(std::uint64_t viewer, const std::string& device, const std::string& folder) {
  worker_->post([worker = worker_.get(), viewer, device, folder] { worker->watch(viewer, device, folder); });
}

void FlashFeed::unwatch(std::uint64_t viewer) {
  worker_->post([worker = worker_.get(), viewer] { worker->unwatch(viewer); });
}

}  // namespace otasim::web
