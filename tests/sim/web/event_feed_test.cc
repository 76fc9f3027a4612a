// The last events: kept, counted, and told once for many.
#include <gtest/gtest.h>

#include "sim/base/json.h"
#include "sim/web/event_feed.h"

namespace otasim::web {
namespace {

using nlohmann::json;

class EventFeedTest : public ::testing::Test {
 protected:
  void emit(int count) {
    for (int i = 0; i < count; ++i) log->emit("uart", "line", {{"device", "a"}, {"text", "hello"}});
  }
  static std::vector<std::uint64_t> numbers(const std::string& text) {
    std::vector<std::uint64_t> found;
    for (const json& event : json::parse("[" + text + "]")) found.push_back(event.at("n"));
    return found;
  }

  boost::asio::io_context io;
  std::unique_ptr<report::EventLog> log = report::EventLog::in_memory();
};

TEST_F(EventFeedTest, GivesWhatCameAfterANumber) {
  EventFeed feed(io);
  log->listen(feed.listener());
  std::string none;
  EXPECT_EQ(feed.append_since(0, none, 1000), 0U);
  EXPECT_EQ(none, "");
  emit(5);
  std::string text;
  EXPECT_EQ(feed.append_since(2, text, 1'000'000), 5U);
  EXPECT_EQ(numbers(text), (std::vector<std::uint64_t>{3, 4, 5}));
  std::string one;
  EXPECT_EQ(feed.append_since(0, one, 1), 1U) << "one at least";
  std::string far;
  EXPECT_EQ(feed.append_since(1'000'000, far, 1000), 1'000'000U);
  EXPECT_EQ(far, "");
}

TEST_F(EventFeedTest, KeepsTheLastOnes) {
  EventFeed feed(io, {.events = 10});
  log->listen(feed.listener());
  emit(25);
  EXPECT_EQ(feed.first(), 16U);
  EXPECT_EQ(feed.last(), 25U);
  EventFeed small(io, {.bytes = 300});
  log->listen(small.listener());
  emit(25);
  EXPECT_GT(small.first(), 40U);
  EXPECT_EQ(small.last(), 50U);
}

TEST_F(EventFeedTest, TellsOnceForManyAndWhetherTheStateIsAnother) {
  EventFeed feed(io);
  std::vector<bool> told;
  feed.on_news([&](bool changes_state) { told.push_back(changes_state); });
  log->listen(feed.listener());
  emit(100);
  io.run();
  EXPECT_EQ(told, std::vector<bool>{false});
  emit(3);
  log->emit("device", "power_on", {{"device", "a"}});
  io.restart();
  io.run();
  EXPECT_EQ(told, (std::vector<bool>{false, true}));
}

TEST_F(EventFeedTest, TheListenerOutlivesTheFeed) {
  {
    EventFeed feed(io);
    log->listen(feed.listener());
    emit(1);
  }
  emit(1);
  io.run();
}

}  // namespace
}  // namespace otasim::web
