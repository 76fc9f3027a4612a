#include "sim/device/elf_symbols.h"

#include <cxxabi.h>
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace otasim::device {
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

std::optional<std::uint32_t> number(std::string_view text) {
  const bool is_hexadecimal = text.starts_with("0x");
  if (is_hexadecimal) text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, is_hexadecimal ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool has_name(const Function& function, std::string_view name) {
  return function.name == name || std::string_view(function.name).substr(0, function.name.find('(')) == name;
}

}  // namespace

std::vector<LoadedPiece> loaded_pieces(std::span<const std::uint8_t> elf) {
  std::vector<LoadedPiece> pieces;
  const auto header = at<Elf32_Ehdr>(elf, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return pieces;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = at<Elf32_Phdr>(elf, header.e_phoff + i * sizeof(Elf32_Phdr));
    if (segment.p_type == PT_LOAD && segment.p_memsz != 0)
      pieces.push_back({segment.p_paddr, segment.p_memsz});
  }
  std::ranges::sort(pieces, {}, &LoadedPiece::address);
  return pieces;
}

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

Result<std::uint32_t> find_address(const std::vector<Function>& functions, std::string_view place) {
  const auto refuse = [place](std::string_view why) {
    return fail(
        ExitCode::kUsage, fmt::format("'{}' is no place in the program: {}", place, why),
        "Give a function of the program, with an offset if need be (name+0x1c), or an address (0x1234).");
  };
  if (place.starts_with("0x")) {
    const auto address = number(place);
    if (!address || *address % 2 != 0) return refuse("it is not the address of an instruction");
    return *address;
  }
  const std::size_t plus = place.rfind('+');
  const std::string_view name = place.substr(0, plus);
  const auto offset = plus == std::string_view::npos ? 0 : number(place.substr(plus + 1));
  const auto is_it = [name](const Function& function) { return has_name(function, name); };
  const auto found = std::ranges::find_if(functions, is_it);
  if (found == functions.end()) return refuse("no function has this name");
  if (std::any_of(std::next(found), functions.end(), is_it))
    return refuse("several functions have this name; add the parameter types");
  if (!offset || *offset % 2 != 0 || *offset >= found->size)
    return refuse(fmt::format("the function has {} bytes", found->size));
  return found->address + *offset;
}

}  // namespace otasim::device
