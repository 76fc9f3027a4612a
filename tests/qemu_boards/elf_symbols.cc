#include "tests/qemu_boards/elf_symbols.h"

#include <cxxabi.h>
#include <elf.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace otasim::test {
namespace {

template <typename T>
T at(std::span<const std::uint8_t> bytes, std::size_t offset) {
  T value{};
  if (offset <= bytes.size() && sizeof(T) <= bytes.size() - offset)
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 ? text.get() : name;
}

}  // namespace

std::vector<Function> functions_of(std::span<const std::uint8_t> elf) {
  std::vector<Function> functions;
  const auto header = at<Elf32_Ehdr>(elf, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return functions;
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const auto section = at<Elf32_Shdr>(elf, header.e_shoff + i * sizeof(Elf32_Shdr));
    if (section.sh_type != SHT_SYMTAB) continue;
    const auto names = at<Elf32_Shdr>(elf, header.e_shoff + section.sh_link * sizeof(Elf32_Shdr));
    for (std::size_t at_byte = 0; at_byte + sizeof(Elf32_Sym) <= section.sh_size;
         at_byte += sizeof(Elf32_Sym)) {
      const auto symbol = at<Elf32_Sym>(elf, section.sh_offset + at_byte);
      if (ELF32_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_size == 0) continue;
      const std::size_t name = names.sh_offset + symbol.st_name;
      if (name >= elf.size()) continue;
      const auto* text = reinterpret_cast<const char*>(elf.data() + name);
      if (std::memchr(text, 0, elf.size() - name) == nullptr) continue;
      functions.push_back({demangled(text), symbol.st_value & ~1U, symbol.st_size});
    }
  }
  std::ranges::sort(functions, {}, &Function::address);
  return functions;
}

}  // namespace otasim::test
