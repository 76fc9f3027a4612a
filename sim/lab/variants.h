// Variants of the demo application that go wrong, each in its own way: what a failed update is made of.
//
// Each is a program of otasim's build (agent/app/variants): the demo with another start, or with one of its
// parts replaced. The agent, the bootloader and the rest of the application are the demo's.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/result.h"

namespace otasim::lab {

struct Variant {
  std::string_view name;         ///< its program is demo-NAME-BOARD.elf
  std::string_view description;  ///< what it does, and what ends it; one line, for people
};

[[nodiscard]] std::span<const Variant> variants();
[[nodiscard]] std::vector<std::string> variant_names();

/// The program (ELF) of a variant for a board.
/// @returns kUsage, naming those there are, for an unknown name; kEnvironment if otasim's build is incomplete
[[nodiscard]] Result<std::string> find_variant(std::string_view name, std::string_view board);

}  // namespace otasim::lab
