// ELF to payload: segments land at their addresses; every malformed file is refused, never read past.
#include "sim/image/elf.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace {

using otasim::image::payload_from_elf;

constexpr std::uint32_t kBase = 0x00100200;
constexpr std::uint32_t kMaxSize = 4096;

struct Segment {
  std::uint32_t address;
  std::vector<std::uint8_t> bytes;
};

std::vector<std::uint8_t> make_elf(const std::vector<Segment>& segments) {
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_EXEC;
  header.e_machine = EM_ARM;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf32_Phdr);
  header.e_phnum = static_cast<Elf32_Half>(segments.size());
  std::vector<std::uint8_t> file(sizeof header + segments.size() * sizeof(Elf32_Phdr));
  std::memcpy(file.data(), &header, sizeof header);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    Elf32_Phdr program{};
    program.p_type = PT_LOAD;
    program.p_offset = static_cast<Elf32_Off>(file.size());
    program.p_paddr = segments[i].address;
    program.p_filesz = static_cast<Elf32_Word>(segments[i].bytes.size());
    std::memcpy(file.data() + sizeof header + i * sizeof program, &program, sizeof program);
    file.insert(file.end(), segments[i].bytes.begin(), segments[i].bytes.end());
  }
  return file;
}

TEST(Elf, SegmentsLandAtTheirAddressesAndGapsAreZero) {
  const auto payload = payload_from_elf(make_elf({{kBase, {1, 2}}, {kBase + 6, {3}}}), kBase, kMaxSize);
  ASSERT_TRUE(payload.has_value());
  EXPECT_EQ(*payload, (std::vector<std::uint8_t>{1, 2, 0, 0, 0, 0, 3}));
}

TEST(Elf, SegmentsBelowTheBaseOrBeyondTheSlotAreRefused) {
  const auto below = payload_from_elf(make_elf({{kBase - 1, {1}}}), kBase, kMaxSize);
  ASSERT_FALSE(below.has_value());
  EXPECT_THAT(below.error().message, testing::HasSubstr("below the image's start"));
  const auto large =
      payload_from_elf(make_elf({{kBase, std::vector<std::uint8_t>(kMaxSize + 1)}}), kBase, kMaxSize);
  ASSERT_FALSE(large.has_value());
  EXPECT_THAT(large.error().message, testing::HasSubstr("a slot has room for"));
  const auto wraps = payload_from_elf(make_elf({{0xFFFFFFFF, {1, 2}}}), kBase, kMaxSize);
  EXPECT_FALSE(wraps.has_value());
}

TEST(Elf, HeadersThatTheLinkerPutBeforeTheCodeAreLeftOut) {
  auto file = make_elf({{kBase, {1, 2, 3}}});
  // Let the segment start with the file, so that it holds the headers and then the code.
  Elf32_Phdr program;
  std::memcpy(&program, file.data() + sizeof(Elf32_Ehdr), sizeof program);
  const std::uint32_t headers = program.p_offset;
  program.p_offset = 0;
  program.p_paddr -= headers;
  program.p_filesz += headers;
  std::memcpy(file.data() + sizeof(Elf32_Ehdr), &program, sizeof program);
  const auto payload = payload_from_elf(file, kBase, kMaxSize);
  ASSERT_TRUE(payload.has_value()) << payload.error().message;
  EXPECT_EQ(*payload, (std::vector<std::uint8_t>{1, 2, 3}));
}

TEST(Elf, AnyTruncationIsRefused) {
  const auto whole = make_elf({{kBase, {1, 2, 3, 4}}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(payload_from_elf(std::span(whole).first(size), kBase, kMaxSize).has_value()) << size;
  }
}

TEST(Elf, HostileHeaderFieldsNeverReadOutside) {
  const auto whole = make_elf({{kBase, {1, 2, 3, 4}}});
  for (std::size_t at = 0; at < whole.size() - 4; ++at) {
    for (const std::uint8_t value : {std::uint8_t{0}, std::uint8_t{0x7F}, std::uint8_t{0xFF}}) {
      auto hostile = whole;
      hostile[at] = value;
      const auto payload = payload_from_elf(hostile, kBase, kMaxSize);
      if (payload) {
        EXPECT_LE(payload->size(), kMaxSize);
      }
    }
  }
}

TEST(Elf, AnotherMachinesProgramIsRefused) {
  auto file = make_elf({{kBase, {1}}});
  file[offsetof(Elf32_Ehdr, e_machine)] = EM_386;
  const auto payload = payload_from_elf(file, kBase, kMaxSize);
  ASSERT_FALSE(payload.has_value());
  EXPECT_THAT(payload.error().message, testing::HasSubstr("not 32-bit little-endian ARM"));
}

}  // namespace
