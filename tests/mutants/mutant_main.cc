// The program of each mutant. What is in it - the code as it is, or a patched part of it - is decided by what
// it is linked with (CMakeLists.txt).
#include "tests/mutants/mutant_sweep.h"

int main(int argc, char** argv) {
  return otasim::mutants::run_mutant(argc, argv);
}
