// What a fuzz target says must hold whatever the input is.
//
//   claim(replies == 1, "a request gets one answer");
//
// A claim that does not hold ends the program; libFuzzer then keeps the input.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace otasim::testing {

inline void claim(bool holds, const char* text,
                  std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: this does not hold: %s\n", where.file_name(), where.line(), text);
  std::abort();
}

}  // namespace otasim::testing
