// The functions of a 32-bit ARM ELF file: where each stands, and its name as the source has it.
//
//   const auto functions = functions_of(elf);
//   const auto address = find_address(functions, "boot::decide+0x1c");
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/result.h"

namespace otasim::device {

struct Function {
  std::string name;  ///< demangled, with parameter types
  std::uint32_t address;
  std::uint32_t size;
};

/// What a program's loader puts in place; zeros included.
struct LoadedPiece {
  std::uint32_t address;  ///< physical
  std::uint32_t size;
};

/// @returns the pieces by address; none if it is no such file
[[nodiscard]] std::vector<LoadedPiece> loaded_pieces(std::span<const std::uint8_t> elf);

/// @returns all functions with a size, by address; none if it is no such file
[[nodiscard]] std::vector<Function> functions_of(std::span<const std::uint8_t> elf);

/// Where an instruction stands: "name", "name+0x1c" or "0x1234". A name may leave its parameter list out.
/// @returns kUsage if it is none of these, no function or more than one has the name, or the offset leaves it
///          or is odd
[[nodiscard]] Result<std::uint32_t> find_address(const std::vector<Function>& functions,
                                                 std::string_view place);

}  // namespace otasim::device
