#include "sim/lab/variants.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/lab/build_products.h"

namespace otasim::lab {
namespace {

constexpr std::array kVariants{
    Variant{"crash", "faults before anything is started; the fault resets it"},
    Variant{"hang-at-boot", "says its name and hangs; the bootloader's watchdog ends it"},
    Variant{"hang", "connects, begins its self test and hangs in it; the bootloader's watchdog ends it"},
    Variant{"no-connection",
            "looks for an endpoint that does not exist; it goes back when the self test's time is over"},
    Variant{"failed-self-test", "connects, fails its self test and rejects itself"},
};

}  // namespace

std::span<const Variant> variants() {
  return kVariants;
}

std::vector<std::string> variant_names() {
  std::vector<std::string> names;
  for (const Variant& variant : kVariants) names.emplace_back(variant.name);
  return names;
}

Result<std::string> find_variant(std::string_view name, std::string_view board) {
  if (std::ranges::find(kVariants, name, &Variant::name) == kVariants.end()) {
    return fail(ExitCode::kUsage, fmt::format("there is no variant '{}' of the demo application", name),
                fmt::format("There are: {}.", fmt::join(variant_names(), ", ")));
  }
  return find_program(fmt::format("demo-{}-{}.elf", name, board));
}

}  // namespace otasim::lab
