#include "agent/posix/event_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

namespace ota::posix {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAtOnce{0};
constexpr milliseconds kForever{60'000};  ///< no test gets there

OtaEventMsg_t event(OtaEvent_t id, OtaEventData_t* data = nullptr) {
  return {data, id};
}

TEST(EventQueue, GivesCopiesInTheOrderSent) {
  EventQueue queue(3);
  queue.open();
  OtaEventData_t data{};
  for (const OtaEvent_t id : {OtaAgentEventStart, OtaAgentEventReceivedFileBlock, OtaAgentEventShutdown}) {
    OtaEventMsg_t sent = event(id, &data);
    ASSERT_TRUE(queue.send(sent, kAtOnce));
    sent = {};  // the queue has its own
  }
  OtaEventMsg_t received{};
  for (const OtaEvent_t id : {OtaAgentEventStart, OtaAgentEventReceivedFileBlock, OtaAgentEventShutdown}) {
    ASSERT_TRUE(queue.receive(received, kAtOnce));
    EXPECT_EQ(received.eventId, id);
    EXPECT_EQ(received.pEventData, &data);
  }
  EXPECT_FALSE(queue.receive(received, kAtOnce));
}

TEST(EventQueue, RefusesWhenFullAndTakesAgainWhenThereIsRoom) {
  EventQueue queue(2);
  queue.open();
  ASSERT_TRUE(queue.send(event(OtaAgentEventStart), kAtOnce));
  ASSERT_TRUE(queue.send(event(OtaAgentEventSuspend), kAtOnce));
  EXPECT_FALSE(queue.send(event(OtaAgentEventResume), kAtOnce));
  OtaEventMsg_t received{};
  ASSERT_TRUE(queue.receive(received, kAtOnce));
  EXPECT_TRUE(queue.send(event(OtaAgentEventShutdown), kAtOnce));
  ASSERT_TRUE(queue.receive(received, kAtOnce));
  EXPECT_EQ(received.eventId, OtaAgentEventSuspend);
  ASSERT_TRUE(queue.receive(received, kAtOnce));
  EXPECT_EQ(received.eventId, OtaAgentEventShutdown) << "the refused event must not be there";
}

TEST(EventQueue, WaitsOutTheTimeoutAndLeavesTheEventAlone) {
  EventQueue queue(1);
  queue.open();
  OtaEventMsg_t received = event(OtaAgentEventMax);
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(queue.receive(received, milliseconds(30)));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(30));
  EXPECT_EQ(received.eventId, OtaAgentEventMax);

  ASSERT_TRUE(queue.send(event(OtaAgentEventStart), kAtOnce));
  const auto begun_full = std::chrono::steady_clock::now();
  EXPECT_FALSE(queue.send(event(OtaAgentEventStart), milliseconds(30)));
  EXPECT_GE(std::chrono::steady_clock::now() - begun_full, milliseconds(30));
}

TEST(EventQueue, ReceiverWakesForAnEventFromAnotherThread) {
  EventQueue queue(1);
  queue.open();
  OtaEventMsg_t received{};
  std::atomic<bool> is_received = false;
  std::thread receiver([&] { is_received = queue.receive(received, kForever); });
  EXPECT_TRUE(queue.send(event(OtaAgentEventResume), kAtOnce));
  receiver.join();
  EXPECT_TRUE(is_received);
  EXPECT_EQ(received.eventId, OtaAgentEventResume);
}

TEST(EventQueue, SenderWakesWhenThereIsRoom) {
  EventQueue queue(1);
  queue.open();
  ASSERT_TRUE(queue.send(event(OtaAgentEventStart), kAtOnce));
  std::atomic<bool> is_sent = false;
  std::thread sender([&] { is_sent = queue.send(event(OtaAgentEventResume), kForever); });
  OtaEventMsg_t received{};
  EXPECT_TRUE(queue.receive(received, kForever));
  EXPECT_EQ(received.eventId, OtaAgentEventStart);
  EXPECT_TRUE(queue.receive(received, kForever));
  EXPECT_EQ(received.eventId, OtaAgentEventResume);
  sender.join();
  EXPECT_TRUE(is_sent);
}

TEST(EventQueue, IsClosedUntilOpenedAndEmptyThen) {
  EventQueue queue(1);
  OtaEventMsg_t received{};
  EXPECT_FALSE(queue.send(event(OtaAgentEventStart), kForever));
  EXPECT_FALSE(queue.receive(received, kForever));
  queue.open();
  ASSERT_TRUE(queue.send(event(OtaAgentEventStart), kAtOnce));
  queue.close();
  EXPECT_FALSE(queue.receive(received, kForever));
  queue.open();
  EXPECT_FALSE(queue.receive(received, kAtOnce));
}

TEST(EventQueue, CloseWakesAllWhoWait) {
  EventQueue full(1);
  EventQueue empty(1);
  full.open();
  empty.open();
  ASSERT_TRUE(full.send(event(OtaAgentEventStart), kAtOnce));
  std::array<std::thread, 4> waiting;
  std::atomic<int> refused = 0;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    waiting[i] = std::thread([&, i] {
      OtaEventMsg_t received{};
      const bool is_done =
          i % 2 == 0 ? empty.receive(received, kForever) : full.send(event(OtaAgentEventStart), kForever);
      if (!is_done) ++refused;
    });
  }
  full.close();
  empty.close();
  for (std::thread& thread : waiting) thread.join();
  EXPECT_EQ(refused, 4);
}

TEST(EventQueue, LosesNothingOfManySenders) {
  constexpr std::uint32_t kEach = 2000;
  constexpr std::size_t kSenders = 4;
  EventQueue queue(3);
  queue.open();
  std::array<OtaEventData_t, kSenders> marks{};
  std::array<std::thread, kSenders> senders;
  std::atomic<std::uint32_t> sent = 0;
  for (std::size_t i = 0; i < kSenders; ++i) {
    senders[i] = std::thread([&, i] {
      for (std::uint32_t n = 0; n < kEach; ++n) {
        sent += queue.send(event(static_cast<OtaEvent_t>(n % OtaAgentEventMax), &marks[i]), kForever);
      }
    });
  }
  std::array<std::uint32_t, kSenders> received_of{};
  for (std::uint32_t n = 0; n < kEach * kSenders; ++n) {
    OtaEventMsg_t received{};
    ASSERT_TRUE(queue.receive(received, kForever));
    const auto sender = static_cast<std::size_t>(received.pEventData - marks.data());
    ASSERT_EQ(received.eventId, received_of.at(sender)++ % OtaAgentEventMax) << "out of order";
  }
  for (std::thread& thread : senders) thread.join();
  EXPECT_EQ(sent, kEach * kSenders);
}

}  // namespace
}  // namespace ota::posix
