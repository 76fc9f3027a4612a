// The option that chooses a variant of the demo application; `demo` and `job create` have it alike.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace otasim::cli {

/// Adds `--variant`, whose help tells what each of them does.
CLI::Option* add_variant_option(CLI::App* command, std::string& variant);

}  // namespace otasim::cli
