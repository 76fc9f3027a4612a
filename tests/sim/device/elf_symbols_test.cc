#include "sim/device/elf_symbols.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otasim::device {
namespace {

using testing::HasSubstr;

const std::vector<Function> kFunctions{{"main", 0x100, 0x20},
                                       {"boot::decide(boot::State&)", 0x120, 0x40},
                                       {"boot::step(int)", 0x160, 8},
                                       {"boot::step(long)", 0x168, 8}};

std::string refusal(std::string_view place) {
  const auto address = find_address(kFunctions, place);
  return address ? "found" : address.error().message;
}

TEST(FindAddress, TakesAFunctionAnOffsetOrAnAddress) {
  EXPECT_EQ(find_address(kFunctions, "main"), 0x100U);
  EXPECT_EQ(find_address(kFunctions, "main+0x1e"), 0x11EU);
  EXPECT_EQ(find_address(kFunctions, "boot::decide+4"), 0x124U);
  EXPECT_EQ(find_address(kFunctions, "boot::decide(boot::State&)+4"), 0x124U);
  EXPECT_EQ(find_address(kFunctions, "boot::step(long)"), 0x168U);
  EXPECT_EQ(find_address(kFunctions, "0x2000"), 0x2000U);
}

TEST(FindAddress, RefusesWhatIsNoInstruction) {
  EXPECT_THAT(refusal("boot::nothing"), HasSubstr("'boot::nothing' is no place"));
  EXPECT_THAT(refusal("boot::step"), HasSubstr("several functions have this name"));
  EXPECT_THAT(refusal("main+0x20"), HasSubstr("the function has 32 bytes"));
  EXPECT_THAT(refusal("main+3"), HasSubstr("32 bytes"));
  EXPECT_THAT(refusal("main+x"), HasSubstr("32 bytes"));
  EXPECT_THAT(refusal("0x2001"), HasSubstr("not the address of an instruction"));
  EXPECT_THAT(refusal(""), HasSubstr("no function has this name"));
}

TEST(FunctionsOf, AreNoneInSomethingElse) {
  const std::vector<std::uint8_t> bytes(100, 0x7F);
  EXPECT_TRUE(functions_of(bytes).empty());
  EXPECT_TRUE(functions_of({}).empty());
}

}  // namespace
}  // namespace otasim::device
