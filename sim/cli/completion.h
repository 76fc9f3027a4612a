// Shell completion: what may come next on a command line.
//
// The scripts for bash, zsh and fish (`otasim completion SHELL`) are small: they hand the words typed so far
// to `otasim __complete WORD... CURRENT`, which answers from the same tree the program parses with, one
// candidate a line, a tab and a description behind it. A first line ":files" or ":folders" asks the shell to
// offer files, besides.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/cli/command.h"

namespace otasim::cli {

inline constexpr std::string_view kCompleteWord = "__complete";

struct Candidate {
  std::string word;
  std::string text;  ///< may be empty
};

struct Candidates {
  std::vector<Candidate> words;
  bool files = false;
  bool folders = false;
};

/// @param words    those before the one to be completed, without the program
/// @param current  the one to be completed, as far as it was typed
[[nodiscard]] Candidates complete(const CLI::App& app, std::span<const std::string> words,
                                  const std::string& current);

/// `otasim __complete`. @param words  the last is the one to be completed
/// @returns the exit code
int complete_words(const std::vector<std::string>& words, const std::string& program);

}  // namespace otasim::cli
