#include "sim/cli/cell_options.h"

#include <fmt/format.h>

#include "sim/flash/flash_fault.h"
#include "sim/scenario/fault_text.h"

namespace otasim::cli {

using nlohmann::json;

Result<json> parse_parameters(const std::vector<std::string>& texts) {
  json parameters = json::object();
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return fail(ExitCode::kUsage, fmt::format("--set '{}' is not NAME=VALUE", text));
    }
    const std::string value = text.substr(equals + 1);
    const json parsed = json::parse(value, nullptr, false);
    parameters[text.substr(0, equals)] =
        parsed.is_primitive() && !parsed.is_discarded() ? parsed : json(value);
  }
  return parameters;
}

Result<std::vector<json>> parse_faults(const std::vector<std::string>& texts) {
  std::vector<json> faults;
  for (const std::string& text : texts) {
    auto fault = scenario::parse_fault(text);
    if (!fault) return tl::unexpected(fault.error());
    faults.push_back(std::move(*fault));
  }
  return faults;
}

Result<void> check_fault_options(const scenario::Scenario& scenario, const std::vector<json>& faults,
                                 const std::vector<std::string>& texts) {
  for (std::size_t i = 0; i < faults.size(); ++i) {
    if (auto known = scenario.check_fault_names(faults[i], fmt::format("--fault '{}'", texts[i])); !known)
      return known;
  }
  return {};
}

void arm_strict_flash(scenario::Scenario& scenario) {
  for (const json& device : scenario.devices)
    scenario.faults.push_back({{flash_file::kStrictName, {{"device", device.at("name")}}}});
}

std::string cell_words(const scenario::PlannedCell& planned, const CellArguments& arguments) {
  std::string words = planned.words();
  for (const std::string& text : arguments.parameters) words += " --set " + scenario::shell_word(text);
  for (const std::string& text : arguments.faults) words += " --fault " + scenario::shell_word(text);
  if (arguments.strict_flash) words += " --strict-flash";
  return words;
}

}  // namespace otasim::cli
