// Build attributes: what compilers write is read; what is cut or twisted is refused, never read past.
#include "sim/image/arm_attributes.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace otasim::image {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t kAttributesSection = 0x7000'0003;

void put_u32(Bytes& out, std::size_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

/// A section with one vendor's attributes for the whole file.
Bytes section(const Bytes& attributes, const std::string& vendor = "aeabi") {
  Bytes file_attributes{1};
  put_u32(file_attributes, attributes.size() + 5);
  file_attributes.insert(file_attributes.end(), attributes.begin(), attributes.end());
  Bytes out{'A'};
  put_u32(out, 4 + vendor.size() + 1 + file_attributes.size());
  out.insert(out.end(), vendor.begin(), vendor.end());
  out.push_back(0);
  out.insert(out.end(), file_attributes.begin(), file_attributes.end());
  return out;
}

Bytes elf_with(const Bytes& content, std::uint32_t type = kAttributesSection) {
  Elf32_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_shoff = sizeof header;
  header.e_shentsize = sizeof(Elf32_Shdr);
  header.e_shnum = 2;
  std::array<Elf32_Shdr, 2> sections{};
  sections[1].sh_type = type;
  sections[1].sh_offset = sizeof header + sizeof sections;
  sections[1].sh_size = static_cast<Elf32_Word>(content.size());
  Bytes file(sizeof header + sizeof sections);
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + sizeof header, &sections, sizeof sections);
  file.insert(file.end(), content.begin(), content.end());
  return file;
}

/// As arm-none-eabi-gcc writes them for -mcpu=cortex-m4 -mfpu=fpv4-sp-d16, strings and numbers mixed.
const Bytes kCortexM4F{5,  '7', 'E', '-', 'M', 0, 6,  13,  7, 'M',  9,    2,
                       10, 6,   32,  1,   'x', 0, 67, 'y', 0, 0x80, 0x01, 3};

TEST(ArmAttributes, OfACortexM4FAreRead) {
  const auto found = arm_attributes(elf_with(section(kCortexM4F)));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->cpu_arch, kArchV7EM);
  EXPECT_EQ(found->cpu_profile, 'M');
  EXPECT_EQ(found->fp_arch, kFpV4D16);
  EXPECT_EQ(to_string(*found), "ARMv7E-M with FPv4");
}

TEST(ArmAttributes, OfOtherVendorsSayNothing) {
  EXPECT_FALSE(arm_attributes(elf_with(section(kCortexM4F, "gnu"))));
  EXPECT_FALSE(arm_attributes(elf_with(section(kCortexM4F), SHT_PROGBITS)));
}

TEST(ArmAttributes, EveryCutIsRefused) {
  const Bytes whole = section({6, 13, 7, 'M'});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(arm_attributes(elf_with({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)})))
        << size;
  const Bytes file = elf_with(whole);
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(arm_attributes(std::span(file).first(size))) << size;
}

TEST(ArmAttributes, ANumberWithoutAnEndIsRefused) {
  EXPECT_FALSE(arm_attributes(elf_with(section({6, 0x8D, 0x80, 0x80, 0x80, 0x80, 0x80}))));
}

TEST(ArmAttributes, HostileBytesAreNeverReadPast) {
  const Bytes whole = elf_with(section(kCortexM4F));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int value : {0, 0x7F, 0x80, 0xFF}) {
      Bytes hostile = whole;
      hostile[at] = static_cast<std::uint8_t>(value);
      const auto found = arm_attributes(hostile);
      if (found) {
        EXPECT_FALSE(to_string(*found).empty());
      }
    }
  }
}

}  // namespace
}  // namespace otasim::image
