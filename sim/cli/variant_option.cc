#include "sim/cli/variant_option.h"

#include <fmt/format.h>

#include "sim/lab/variants.h"

namespace otasim::cli {

CLI::Option* add_variant_option(CLI::App* command, std::string& variant) {
  std::string help = "Update to a variant of the demo application that goes wrong.";
  for (const lab::Variant& one : lab::variants()) help += fmt::format("\n{}: {}", one.name, one.description);
  return command->add_option("--variant", variant, help)->check(CLI::IsMember(lab::variant_names()));
}

}  // namespace otasim::cli
