#include "sim/image/arm_attributes.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace otasim::image {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint32_t kArmAttributesSection = 0x7000'0003;  // SHT_ARM_ATTRIBUTES
constexpr std::uint8_t kFormatVersion = 'A';
constexpr std::string_view kVendor{"aeabi\0", 6};

enum Tag : std::uint32_t {
  kTagFile = 1,
  kTagCpuRawName = 4,
  kTagCpuName = 5,
  kTagCpuArch = 6,
  kTagCpuProfile = 7,
  kTagFpArch = 10,
  kTagCompatibility = 32,
};

template <typename T>
std::optional<T> read_at(Bytes file, std::uint64_t offset) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, file.data() + offset, sizeof(T));
  return value;
}

std::optional<std::uint32_t> take_u32(Bytes& bytes) {
  const auto value = read_at<std::uint32_t>(bytes, 0);
  if (value) bytes = bytes.subspan(sizeof(*value));
  return value;
}

/// The group of `size` bytes that `bytes` begins with, its size word of `already_taken` bytes among them.
std::optional<Bytes> take_group(Bytes& bytes, std::uint32_t size, std::uint32_t already_taken) {
  if (size < already_taken || size - already_taken > bytes.size()) return std::nullopt;
  const Bytes group = bytes.first(size - already_taken);
  bytes = bytes.subspan(group.size());
  return group;
}

std::optional<std::uint32_t> take_uleb128(Bytes& bytes) {
  std::uint32_t value = 0;
  for (std::uint32_t shift = 0; shift < 32 && !bytes.empty(); shift += 7) {
    const std::uint8_t byte = bytes.front();
    bytes = bytes.subspan(1);
    value |= static_cast<std::uint32_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

bool skip_text(Bytes& bytes) {
  const auto end = std::ranges::find(bytes, std::uint8_t{0});
  if (end == bytes.end()) return false;
  bytes = bytes.subspan(static_cast<std::size_t>(end - bytes.begin()) + 1);
  return true;
}

bool is_text(std::uint32_t tag) {
  return tag == kTagCpuRawName || tag == kTagCpuName || (tag > kTagCompatibility && tag % 2 == 1);
}

bool read_attributes(Bytes bytes, ArmAttributes& out) {
  while (!bytes.empty()) {
    const auto tag = take_uleb128(bytes);
    if (!tag) return false;
    if (is_text(*tag)) {
      if (!skip_text(bytes)) return false;
      continue;
    }
    const auto value = take_uleb128(bytes);
    if (!value) return false;
    if (*tag == kTagCpuArch) out.cpu_arch = *value;
    if (*tag == kTagCpuProfile) out.cpu_profile = *value;
    if (*tag == kTagFpArch) out.fp_arch = *value;
    if (*tag == kTagCompatibility && !skip_text(bytes)) return false;
  }
  return true;
}

/// The attributes that hold for the whole file.
bool read_vendor_section(Bytes section, ArmAttributes& out) {
  while (!section.empty()) {
    constexpr std::uint32_t kTagAndSize = 5;
    const std::uint8_t tag = section.front();
    section = section.subspan(1);
    const auto size = take_u32(section);
    if (!size) return false;
    const auto group = take_group(section, *size, kTagAndSize);
    if (!group) return false;
    if (tag == kTagFile && !read_attributes(*group, out)) return false;
  }
  return true;
}

std::optional<ArmAttributes> read_section(Bytes section) {
  if (section.empty() || section.front() != kFormatVersion) return std::nullopt;
  section = section.subspan(1);
  ArmAttributes attributes;
  bool is_found = false;
  while (!section.empty()) {
    const auto size = take_u32(section);
    if (!size) return std::nullopt;
    const auto vendor = take_group(section, *size, sizeof(*size));
    if (!vendor) return std::nullopt;
    if (vendor->size() < kVendor.size() || std::memcmp(vendor->data(), kVendor.data(), kVendor.size()) != 0)
      continue;
    if (!read_vendor_section(vendor->subspan(kVendor.size()), attributes)) return std::nullopt;
    is_found = true;
  }
  if (!is_found) return std::nullopt;
  return attributes;
}

std::string_view arch_name(const ArmAttributes& attributes) {
  switch (attributes.cpu_arch) {
    case kArchV7:
      return attributes.cpu_profile == 'M' ? "ARMv7-M" : "ARMv7";
    case kArchV6M:
    case kArchV6SM:
      return "ARMv6-M";
    case kArchV7EM:
      return "ARMv7E-M";
    case kArchV8MBase:
      return "ARMv8-M baseline";
    case kArchV8MMain:
      return "ARMv8-M mainline";
    case kArchV81MMain:
      return "ARMv8.1-M mainline";
    default:
      return {};
  }
}

}  // namespace

std::optional<ArmAttributes> arm_attributes(Bytes elf) {
  const auto header = read_at<Elf32_Ehdr>(elf, 0);
  if (!header || header->e_shentsize != sizeof(Elf32_Shdr)) return std::nullopt;
  for (std::uint32_t i = 0; i < header->e_shnum; ++i) {
    const auto section =
        read_at<Elf32_Shdr>(elf, std::uint64_t{header->e_shoff} + std::uint64_t{i} * sizeof(Elf32_Shdr));
    if (!section) return std::nullopt;
    if (section->sh_type != kArmAttributesSection) continue;
    if (section->sh_offset > elf.size() || section->sh_size > elf.size() - section->sh_offset)
      return std::nullopt;
    return read_section(elf.subspan(section->sh_offset, section->sh_size));
  }
  return std::nullopt;
}

std::string to_string(const ArmAttributes& attributes) {
  std::string text(arch_name(attributes));
  if (text.empty())
    text = fmt::format("an architecture of another kind (Tag_CPU_arch {})", attributes.cpu_arch);
  if (attributes.fp_arch == kFpNone) return text;
  if (attributes.fp_arch == kFpV4D16) return text + " with FPv4";
  if (attributes.fp_arch == kFpV5D16) return text + " with FPv5";
  return text + " with floating point";
}

}  // namespace otasim::image
