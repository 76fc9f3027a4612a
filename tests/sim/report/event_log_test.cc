// The event log: one valid JSON line per event, whatever bytes the event carries.
#include "sim/report/event_log.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>

#include "sim/base/temp_dir.h"

namespace {

using otasim::report::EventLog;

class EventFile : public testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return folder_.file("events.jsonl"); }
  [[nodiscard]] std::vector<nlohmann::json> lines() const {
    std::ifstream in(path());
    std::vector<nlohmann::json> out;
    for (std::string line; std::getline(in, line);) out.push_back(nlohmann::json::parse(line));
    return out;
  }

 private:
  otasim::TempDir folder_ = otasim::TempDir::create().value();
};

TEST_F(EventFile, EachEventIsALineInOrder) {
  const auto log = EventLog::create(path()).value();
  log->emit("uart", "line", {{"text", "hello"}});
  log->emit("cloud", "job_created");
  const auto events = lines();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0]["source"], "uart");
  EXPECT_EQ(events[0]["event"], "line");
  EXPECT_EQ(events[0]["text"], "hello");
  EXPECT_EQ(events[0]["n"], 1);
  EXPECT_EQ(events[1]["n"], 2);
  EXPECT_LE(events[0]["t_us"].get<std::int64_t>(), events[1]["t_us"].get<std::int64_t>());
}

TEST_F(EventFile, TheFirstEventSaysVersionAndCalendarTime) {
  const auto now_us = [] {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  const auto before = now_us();
  const auto log = EventLog::create(path()).value();
  log->emit("boot", "start", {{"version", "1.2.3"}});
  log->emit("cloud", "job_created");
  const auto after = now_us();
  const auto events = lines();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0]["log_version"], otasim::report::kEventLogVersion);
  EXPECT_EQ(events[0]["version"], "1.2.3");
  const auto told = events[0]["epoch_us"].get<std::int64_t>() + events[0]["t_us"].get<std::int64_t>();
  EXPECT_GE(told, before - 1);
  EXPECT_LE(told, after + 1);
  EXPECT_FALSE(events[1].contains("epoch_us"));
}

TEST_F(EventFile, OnlyTheLogSaysItsVersionAndCalendarTime) {
  const auto log = EventLog::create(path()).value();
  log->emit("a", "one");
  log->emit("a", "two", {{"log_version", 2}, {"epoch_us", 1}, {"n", 7}, {"source", "b"}});
  const auto events = lines();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_FALSE(events[1].contains("log_version"));
  EXPECT_FALSE(events[1].contains("epoch_us"));
  EXPECT_EQ(events[1]["n"], 2);
  EXPECT_EQ(events[1]["source"], "a");
}

TEST_F(EventFile, ALogThatIsGoneOnWithSaysItsCalendarTimeAgain) {
  EventLog::create(path()).value()->emit("a", "one");
  std::vector<nlohmann::json> earlier;
  const auto log = EventLog::resume(path(), earlier).value();
  log->emit("a", "two");
  log->emit("a", "three");
  const auto events = lines();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(earlier.size(), 1U);
  EXPECT_TRUE(events[1].contains("epoch_us"));
  EXPECT_EQ(events[1]["n"], 2);
  EXPECT_FALSE(events[2].contains("epoch_us"));
}

TEST_F(EventFile, BytesThatAreNotUtf8StillMakeAValidLine) {
  const auto log = EventLog::create(path()).value();
  log->emit("uart", "line", {{"text", std::string("\xff\xfe\x00\n\"", 5)}});
  EXPECT_EQ(lines().size(), 1U);
}

TEST_F(EventFile, EventsFromManyThreadsDoNotMix) {
  const auto log = EventLog::create(path()).value();
  constexpr int kPerThread = 200;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log] {
      for (int i = 0; i < kPerThread; ++i) log->emit("test", "tick", {{"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto events = lines();
  ASSERT_EQ(events.size(), 4U * kPerThread);
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i]["n"], i + 1);
}

TEST(EventLog, ListenersHearEveryEvent) {
  const auto log = EventLog::in_memory();
  std::vector<std::string> heard;
  log->listen([&heard](const nlohmann::json& event) { heard.push_back(event["event"]); });
  log->emit("a", "one");
  log->emit("b", "two");
  EXPECT_EQ(heard, (std::vector<std::string>{"one", "two"}));
}

TEST(EventLog, AnUnwritableFileIsAClearError) {
  const auto log = EventLog::create("/nonexistent/folder/events.jsonl");
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().code, otasim::ExitCode::kEnvironment);
  EXPECT_NE(log.error().message.find("/nonexistent/folder/events.jsonl"), std::string::npos);
}

/// A full disk, as the kernel offers one to be tried.
TEST(EventLog, AFullDiskIsToldAndEndsTheFileOnly) {
  const auto log = EventLog::create("/dev/full").value();
  int heard = 0;
  int heard_error = 0;
  log->listen([&](const nlohmann::json&) {
    ++heard;
    heard_error = log->write_error();
  });
  EXPECT_EQ(log->write_error(), 0);
  log->emit("run", "step", {{"text", "first"}});
  log->emit("run", "step", {{"text", "second"}});
  EXPECT_EQ(log->write_error(), ENOSPC);
  EXPECT_EQ(heard_error, ENOSPC);
  EXPECT_EQ(heard, 2);
}

}  // namespace
