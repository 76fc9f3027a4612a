#include "sim/debug/doorbells.h"

#include <gtest/gtest.h>

#include <vector>

namespace otasim::debug {
namespace {

constexpr std::uint32_t kBase = 0x0010'0200;

void put(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint32_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

/// A program with one segment.
std::vector<std::uint8_t> elf_of(const std::vector<std::uint8_t>& code) {
  constexpr std::size_t kHeaders = 52 + 32;
  std::vector<std::uint8_t> elf(kHeaders, 0);
  const std::uint8_t ident[] = {0x7F, 'E', 'L', 'F', 1, 1, 1};
  std::copy(std::begin(ident), std::end(ident), elf.begin());
  put(elf, 16, 2, 2);   // executable
  put(elf, 18, 40, 2);  // ARM
  put(elf, 20, 1, 4);   // version
  put(elf, 28, 52, 4);  // program headers
  put(elf, 40, 52, 2);  // size of this header
  put(elf, 42, 32, 2);  // of a program header
  put(elf, 44, 1, 2);   // their number
  put(elf, 52, 1, 4);   // PT_LOAD
  put(elf, 56, kHeaders, 4);
  put(elf, 60, kBase, 4);
  put(elf, 64, kBase, 4);
  put(elf, 68, static_cast<std::uint32_t>(code.size()), 4);
  put(elf, 72, static_cast<std::uint32_t>(code.size()), 4);
  put(elf, 76, 5, 4);
  elf.insert(elf.end(), code.begin(), code.end());
  return elf;
}

TEST(Doorbells, AreFoundWhereInstructionsMayStand) {
  // nop; doorbell; nop; doorbell; one byte off, which is none
  const std::vector<std::uint8_t> code{0x00, 0xBF, 0xAF, 0xF3, 0xA5, 0x80, 0x00, 0xBF, 0xAF,
                                       0xF3, 0xA5, 0x80, 0x00, 0xAF, 0xF3, 0xA5, 0x80, 0x00};
  const auto found = doorbells_in(elf_of(code));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, (std::set<std::uint32_t>{kBase + 2, kBase + 8}));
}

TEST(Doorbells, FileThatIsNoProgramIsAnError) {
  EXPECT_FALSE(doorbells_in(std::vector<std::uint8_t>{1, 2, 3}));
}

}  // namespace
}  // namespace otasim::debug
