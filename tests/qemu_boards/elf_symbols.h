// The functions of a 32-bit ARM ELF file: where each stands, and its name as the source has it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace otasim::test {

struct Function {
  std::string name;  ///< demangled, with parameter types
  std::uint32_t address;
  std::uint32_t size;
};

/// @returns all functions with a size, by address; none if it is no such file
[[nodiscard]] std::vector<Function> functions_of(std::span<const std::uint8_t> elf);

}  // namespace otasim::test
