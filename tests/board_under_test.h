// The board that a test's devices have: the one that OTASIM_TEST_BOARD names, else the first. ctest runs the
// tests of the boards once for each (otasim_board_test() in scripts/cmake/OtasimCompile.cmake).
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "sim/lab/boards.h"

namespace otasim::test {

[[nodiscard]] inline const lab::Board& board_under_test() {
  const char* const name = std::getenv("OTASIM_TEST_BOARD");
  if (name == nullptr || *name == '\0') return lab::boards().front();
  const lab::Board* const board = lab::find_board(name);
  if (board == nullptr) throw std::runtime_error(std::string("OTASIM_TEST_BOARD: no board '") + name + "'");
  return *board;
}

[[nodiscard]] inline std::string board_name() {
  return std::string(board_under_test().name);
}

}  // namespace otasim::test
