#include "sim/image/elf.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace otasim::image {
namespace {

constexpr const char* kHint =
    "Give an application linked for the board's load address (see docs/application.md), or a signed image "
    "with --image.";

tl::unexpected<Error> not_usable(const std::string& why) {
  return fail(ExitCode::kUsage, "the ELF file cannot be used: " + why, kHint);
}

template <typename T>
bool read_at(std::span<const std::uint8_t> file, std::uint64_t offset, T& out) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) return false;
  std::memcpy(&out, file.data() + offset, sizeof(T));
  return true;
}

/// Linkers may put the ELF headers themselves into the first segment, before the code. They are not the
/// program's: what of them lies below `base` is left out.
void skip_elf_headers(Elf32_Phdr& segment, std::uint32_t base) {
  if (segment.p_offset != 0 || segment.p_paddr >= base || base - segment.p_paddr >= segment.p_filesz) return;
  const std::uint32_t headers = base - segment.p_paddr;
  segment.p_offset += headers;
  segment.p_paddr += headers;
  segment.p_filesz -= headers;
}

/// What of a program is loaded; at least one segment, each inside the file.
Result<std::vector<Elf32_Phdr>> loaded_segments(std::span<const std::uint8_t> elf) {
  Elf32_Ehdr header;
  if (!is_elf(elf) || !read_at(elf, 0, header)) return not_usable("it has no ELF header.");
  if (header.e_ident[EI_CLASS] != ELFCLASS32 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_ARM) {
    return not_usable("it is not 32-bit little-endian ARM code.");
  }
  if (header.e_type != ET_EXEC) return not_usable("it is not a linked program (ET_EXEC).");
  if (header.e_phentsize != sizeof(Elf32_Phdr))
    return not_usable("its program headers have an unknown size.");
  std::vector<Elf32_Phdr> segments;
  for (std::uint32_t i = 0; i < header.e_phnum; ++i) {
    Elf32_Phdr segment;
    if (!read_at(elf, std::uint64_t{header.e_phoff} + std::uint64_t{i} * sizeof segment, segment)) {
      return not_usable("its program headers run past the end of the file.");
    }
    if (segment.p_type != PT_LOAD || segment.p_filesz == 0) continue;
    if (std::uint64_t{segment.p_offset} + segment.p_filesz > elf.size()) {
      return not_usable("a segment runs past the end of the file.");
    }
    segments.push_back(segment);
  }
  if (segments.empty()) return not_usable("it has nothing to load.");
  return segments;
}

}  // namespace

bool is_elf(std::span<const std::uint8_t> file) {
  return file.size() >= SELFMAG && std::memcmp(file.data(), ELFMAG, SELFMAG) == 0;
}

Result<std::vector<std::uint8_t>> payload_from_elf(std::span<const std::uint8_t> elf, std::uint32_t base,
                                                   std::uint32_t max_size) {
  auto segments = loaded_segments(elf);
  if (!segments) return tl::unexpected(segments.error());
  std::vector<std::uint8_t> payload;
  for (Elf32_Phdr& segment : *segments) {
    skip_elf_headers(segment, base);
    if (segment.p_paddr < base) {
      return not_usable(fmt::format("a segment loads at {:#010x}, below the image's start {:#010x}.",
                                    segment.p_paddr, base));
    }
    const std::uint64_t end = std::uint64_t{segment.p_paddr} - base + segment.p_filesz;
    if (end > max_size) {
      return not_usable(fmt::format("it needs {} bytes from {:#010x} on, and a slot has room for {}.", end,
                                    base, max_size));
    }
    if (payload.size() < end) payload.resize(end, 0);
    std::copy_n(elf.begin() + segment.p_offset, segment.p_filesz, payload.begin() + (segment.p_paddr - base));
  }
  if (payload.empty()) return not_usable("it has nothing to load.");
  return payload;
}

Result<LoadedRange> loaded_range(std::span<const std::uint8_t> elf) {
  const auto segments = loaded_segments(elf);
  if (!segments) return tl::unexpected(segments.error());
  LoadedRange range{segments->front().p_paddr, 0};
  for (const Elf32_Phdr& segment : *segments) {
    range.begin = std::min(range.begin, segment.p_paddr);
    range.end = std::max(range.end, std::uint64_t{segment.p_paddr} + segment.p_filesz);
  }
  return range;
}

}  // namespace otasim::image
