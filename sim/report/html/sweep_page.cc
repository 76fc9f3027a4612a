// The page of a power-cut sweep: docs/report.md, "A sweep".
#include <fmt/format.h>

#include "sim/report/html/html_report.h"
#include "sim/report/html/linked_json.h"
#include "sim/report/html/page.h"

namespace otasim::report::html {

using nlohmann::json;

Result<std::string> build_sweep_page(const std::string& folder, const std::string& page_folder) {
  const auto sweep = read_linked_json(folder, "sweep.json", "recordings", page_folder);
  if (!sweep) return tl::unexpected(sweep.error());
  const std::string title =
      fmt::format("Power-cut sweep: {} cases, {} failures", sweep->value("cases", json(0)).dump(),
                  sweep->value("failures", json(0)).dump());
  Page page(title, "The heat map needs JavaScript; sweep.json has the same.");
  page.add_style("base.css");
  page.add_style("sweep.css");
  page.add_script("base.js");
  page.add_script("sweep.js");
  page.add_data("sweep", script_json(*sweep));
  return page.html();
}

}  // namespace otasim::report::html
