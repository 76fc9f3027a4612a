// One mutant's sweep: its recordings, cut and booted, and what the oracle says.
//
//   mutant_NAME --caught-by S1 [--cuts 2]   ends well if S1 was broken
//   mutant_NAME --caught-by S1 --crashes    ends well if the bootloader crashed while it booted, too
//   mutant_none --holds [--cuts 2]          ends well if nothing was
#pragma once

namespace otasim::mutants {

/// @returns the process's exit code: 0 if it is as expected, 1 if not, 2 for a wrong command line
[[nodiscard]] int run_mutant(int argc, char** argv);

}  // namespace otasim::mutants
