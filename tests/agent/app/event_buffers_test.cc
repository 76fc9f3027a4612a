#include "agent/app/event_buffers.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace app {
namespace {

TEST(EventBuffers, GivesEachBufferOnceAndThenNone) {
  const auto buffers = std::make_unique<EventBuffers>();
  std::set<OtaEventData_t*> given;
  for (std::size_t i = 0; i < EventBuffers::kCount; ++i) given.insert(buffers->acquire());
  EXPECT_EQ(given.size(), EventBuffers::kCount);
  EXPECT_EQ(given.count(nullptr), 0U);
  EXPECT_EQ(buffers->acquire(), nullptr);
}

TEST(EventBuffers, AReleasedBufferIsGivenAgainEmpty) {
  const auto buffers = std::make_unique<EventBuffers>();
  OtaEventData_t* first = buffers->acquire();
  first->dataLength = 7;
  buffers->release(first);
  EXPECT_EQ(buffers->acquire(), first);
  EXPECT_EQ(first->dataLength, 0U);
}

TEST(EventBuffers, IgnoresWhatIsNotItsOwn) {
  const auto buffers = std::make_unique<EventBuffers>();
  auto foreign = std::make_unique<OtaEventData_t>();
  foreign->bufferUsed = true;
  buffers->release(foreign.get());
  buffers->release(nullptr);
  EXPECT_TRUE(foreign->bufferUsed);
}

}  // namespace
}  // namespace app
