#include "agent/posix/os_port.h"

#include <gtest/gtest.h>

#include <memory>

namespace ota::posix {
namespace {

void ignore(OtaTimerId_t) {}

TEST(PosixOsPort, EventsGoThroughTheContext) {
  OsPort port(1);
  const OtaOSInterface_t os = port.bind();
  OtaEventContext_t* context = os.event.pEventContext;
  const OtaEventMsg_t sent{nullptr, OtaAgentEventStart};
  EXPECT_EQ(os.event.send(context, &sent, 0), OtaOsEventQueueSendFailed) << "not initialised";
  ASSERT_EQ(os.event.init(context), OtaOsSuccess);
  EXPECT_EQ(os.event.send(context, &sent, 0), OtaOsSuccess);
  EXPECT_EQ(os.event.send(context, &sent, 0), OtaOsEventQueueSendFailed) << "full";
  OtaEventMsg_t received{};
  EXPECT_EQ(os.event.recv(context, &received, 0), OtaOsSuccess);
  EXPECT_EQ(received.eventId, OtaAgentEventStart);
  EXPECT_EQ(os.event.recv(context, &received, 0), OtaOsEventQueueReceiveFailed);
  EXPECT_EQ(os.event.deinit(context), OtaOsSuccess);
  EXPECT_EQ(os.event.send(context, &sent, 0), OtaOsEventQueueSendFailed);
}

TEST(PosixOsPort, TimersReportWhatIsWrong) {
  OsPort port;
  const OtaOSInterface_t os = port.bind();
  EXPECT_EQ(os.timer.start(OtaRequestTimer, "request", 3'600'000, ignore), OtaOsSuccess);
  EXPECT_EQ(os.timer.start(OtaRequestTimer, "request", 3'600'000, nullptr), OtaOsTimerStartFailed);
  EXPECT_EQ(os.timer.start(OtaNumOfTimers, "none", 1, ignore), OtaOsTimerStartFailed);
  EXPECT_EQ(os.timer.stop(OtaRequestTimer), OtaOsSuccess);
  EXPECT_EQ(os.timer.stop(OtaNumOfTimers), OtaOsTimerStopFailed);
  EXPECT_EQ(os.timer.deleteTimer(OtaRequestTimer), OtaOsSuccess);
  EXPECT_EQ(os.timer.deleteTimer(OtaNumOfTimers), OtaOsTimerDeleteFailed);
}

TEST(PosixOsPort, GivesMemory) {
  OsPort port;
  const OtaOSInterface_t os = port.bind();
  void* memory = os.mem.malloc(100);
  EXPECT_NE(memory, nullptr);
  os.mem.free(memory);
}

TEST(PosixOsPort, TimersMeanThePortBoundLast) {
  auto first = std::make_unique<OsPort>();
  const OtaOSInterface_t os = first->bind();
  auto second = std::make_unique<OsPort>();
  static_cast<void>(second->bind());
  first.reset();
  EXPECT_EQ(os.timer.start(OtaRequestTimer, "request", 3'600'000, ignore), OtaOsSuccess);
  second.reset();
  EXPECT_EQ(os.timer.start(OtaRequestTimer, "request", 3'600'000, ignore), OtaOsTimerStartFailed);
  EXPECT_EQ(os.timer.stop(OtaRequestTimer), OtaOsTimerStopFailed);
}

}  // namespace
}  // namespace ota::posix
