#include "sim/report/html/html_report.h"

#include <fmt/format.h>

#include <filesystem>

#include "sim/base/file_io.h"

namespace otasim::report::html {

namespace fs = std::filesystem;

Result<std::string> build_report(const std::string& folder, const inspect::Keys& keys,
                                 const std::string& page_folder) {
  const auto holds = [&folder](const char* file) {
    std::error_code ignored;  // then it is not there
    return fs::exists(fs::path(folder) / file, ignored);
  };
  if (holds("matrix.json")) return build_matrix_page(folder, page_folder);
  if (holds("sweep.json")) return build_sweep_page(folder, page_folder);
  if (holds("events.jsonl")) return build_run_page(folder, keys);
  return fail(ExitCode::kUsage, fmt::format("'{}' is no folder of a run, a matrix or a sweep", folder),
              "A run's holds events.jsonl, a matrix's matrix.json, a sweep's sweep.json.");
}

Result<std::string> write_report(const std::string& folder, const inspect::Keys& keys,
                                 const std::string& path) {
  const std::string to = path.empty() ? (fs::path(folder) / kReportFile).string() : path;
  const auto page = build_report(folder, keys, fs::absolute(to).parent_path().string());
  if (!page) return tl::unexpected(page.error());
  if (auto written = write_file_atomic(to, *page); !written) return tl::unexpected(written.error());
  return to;
}

}  // namespace otasim::report::html
