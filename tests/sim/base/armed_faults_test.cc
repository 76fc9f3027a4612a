#include "sim/base/armed_faults.h"

#include <gtest/gtest.h>

#include <string>

namespace otasim {
namespace {

std::string walk(ArmedFaults<char>& faults) {
  std::string seen;
  for (FaultId at{}; char* const armed = faults.next(at);) seen += *armed;
  return seen;
}

TEST(ArmedFaults, AreMetInTheOrderTheyWereArmed) {
  ArmedFaults<char> faults;
  EXPECT_TRUE(faults.empty());
  for (const char c : {'a', 'b', 'c'}) faults.arm(c);
  EXPECT_EQ(walk(faults), "abc");
}

TEST(ArmedFaults, ClearingTakesOneOutOnce) {
  ArmedFaults<char> faults;
  faults.arm('a');
  const FaultId b = faults.arm('b');
  faults.arm('c');
  EXPECT_EQ(faults.clear(b), 'b');
  EXPECT_EQ(faults.clear(b), std::nullopt);
  EXPECT_EQ(faults.find(b), nullptr);
  EXPECT_EQ(walk(faults), "ac");
  EXPECT_NE(faults.arm('d'), b) << "an id is not used again";
}

TEST(ArmedFaults, NoneHasTheIdNought) {
  ArmedFaults<char> faults;
  EXPECT_NE(faults.arm('a'), FaultId{});
  EXPECT_FALSE(faults.clear(FaultId{}));
}

TEST(ArmedFaults, AWalkGoesOnAfterTheOneItIsAtIsCleared) {
  ArmedFaults<char> faults;
  for (const char c : {'a', 'b', 'c'}) faults.arm(c);
  std::string seen;
  for (FaultId at{}; char* const armed = faults.next(at);) {
    seen += *armed;
    faults.clear(at);
  }
  EXPECT_EQ(seen, "abc");
  EXPECT_TRUE(faults.empty());
}

}  // namespace
}  // namespace otasim
