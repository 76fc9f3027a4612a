// The page of a matrix: docs/report.md, "A matrix".
#include <fmt/format.h>

#include "sim/report/html/html_report.h"
#include "sim/report/html/linked_json.h"
#include "sim/report/html/page.h"

namespace otasim::report::html {

using nlohmann::json;

Result<std::string> build_matrix_page(const std::string& folder, const std::string& page_folder) {
  auto matrix = read_linked_json(folder, "matrix.json", "cells", page_folder);
  if (!matrix) return tl::unexpected(matrix.error());
  const auto passed = matrix->value("passed", json(0)).dump();
  const std::string title = fmt::format("Matrix: {} of {} passed", passed, (*matrix)["cells"].size());
  Page page(title, "The grid needs JavaScript; matrix.json has the same.");
  page.add_style("base.css");
  page.add_style("matrix.css");
  page.add_script("base.js");
  page.add_script("matrix.js");
  page.add_data("matrix", script_json(*matrix));
  return page.html();
}

}  // namespace otasim::report::html
