#include "sim/base/text.h"

#include <gtest/gtest.h>

namespace otasim {
namespace {

TEST(Text, IsTrimmedOfBlanksAndTabsOnly) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim("\na\n"), "\na\n");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Text, LowerCaseIsOfAsciiLettersOnly) {
  EXPECT_EQ(to_lower("X-Amz-09@[`{"), "x-amz-09@[`{");
  EXPECT_EQ(to_lower("\xC3\x84\xDC"), "\xC3\x84\xDC") << "other bytes are left alone";
}

}  // namespace
}  // namespace otasim
