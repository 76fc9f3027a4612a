// What a log prints.
#include "agent/src/names.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace ota {
namespace {

template <typename Enum>
std::set<std::string> names(int first, int last) {
  std::set<std::string> found;
  for (int i = first; i <= last; ++i) found.insert(name_of(static_cast<Enum>(i)));
  return found;
}

TEST(Names, EveryValueHasItsOwn) {
  EXPECT_EQ(names<OtaState_t>(OtaAgentStateNoTransition, OtaAgentStateAll).size(), 13U);
  EXPECT_EQ(names<OtaEvent_t>(OtaAgentEventStart, OtaAgentEventMax).size(), 14U);
  constexpr int kLastNote = static_cast<int>(Note::kBlockMisfit);
  EXPECT_EQ(names<Note>(0, kLastNote).size(), static_cast<std::size_t>(kLastNote) + 1);
  EXPECT_FALSE(names<Note>(0, kLastNote).contains("Unknown"));
}

TEST(Names, AreThoseOfAwssLog) {
  EXPECT_STREQ(name_of(OtaAgentStateWaitingForFileBlock), "WaitingForFileBlock");
  EXPECT_STREQ(name_of(OtaAgentEventReceivedJobDocument), "ReceivedJobDocument");
}

TEST(Names, OtherValuesAreUnknown) {
  EXPECT_STREQ(name_of(static_cast<OtaState_t>(OtaAgentStateAll + 1)), "Unknown");
  EXPECT_STREQ(name_of(static_cast<OtaEvent_t>(OtaAgentEventMax + 1)), "Unknown");
  EXPECT_STREQ(name_of(static_cast<Note>(99)), "Unknown");
}

}  // namespace
}  // namespace ota
