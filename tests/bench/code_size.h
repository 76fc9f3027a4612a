// What of a program comes from where: read from the linker's map file (GNU ld, -Wl,-Map).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "sim/base/result.h"

namespace otasim::bench {

struct ObjectSize {
  std::uint64_t text = 0;  ///< code and constants: .text, .rodata, unwinding tables, constructors
  std::uint64_t data = 0;  ///< initialised variables, which stand in the image too
  std::uint64_t bss = 0;

  ObjectSize& operator+=(const ObjectSize& other);
};

/// By object file, as the map names it without its folder: "libota.a(agent.cc.obj)".
using ObjectSizes = std::map<std::string, ObjectSize>;

/// Sections that were dropped, debugging information and padding do not count.
/// @returns kFailed if it is no map file
[[nodiscard]] Result<ObjectSizes> read_map(std::string_view map);

}  // namespace otasim::bench
