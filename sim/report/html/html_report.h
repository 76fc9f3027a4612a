// `report.html`: what a run, a matrix or a sweep has left in its folder, as one page that needs nothing else.
//
// The page is made from the files there, at the end of a run or any time later:
//
//   run     events.jsonl, result.json, and of each device flash.ops, factory.bin,
//           flash.faults, link.pcap
//   matrix  matrix.json, with links to the cells' own pages
//   sweep   sweep.json, with links to the recordings' own pages
//
// What is missing is left out and said; only without the first one there is no page. docs/report.md describes
// the pages, page.h how foreign bytes are kept harmless.
#pragma once

#include <string>

#include "sim/base/result.h"
#include "sim/inspect/keys.h"

namespace otasim::report::html {

inline constexpr const char* kReportFile = "report.html";

/// The page of whatever stands in the folder.
/// @param keys  what slots are verified with, as far as there are any
/// @param page_folder  where the page will stand: its links lead from there
/// @returns kUsage if the folder is none of the three, or a file in it is not what its name says;
///          kEnvironment if one cannot be read
[[nodiscard]] Result<std::string> build_report(const std::string& folder, const inspect::Keys& keys,
                                               const std::string& page_folder);

/// Builds the page and writes it. @param path  empty: report.html in the folder
/// @returns where it is
[[nodiscard]] Result<std::string> write_report(const std::string& folder, const inspect::Keys& keys,
                                               const std::string& path = {});

[[nodiscard]] Result<std::string> build_run_page(const std::string& folder, const inspect::Keys& keys);
[[nodiscard]] Result<std::string> build_matrix_page(const std::string& folder,
                                                    const std::string& page_folder);
[[nodiscard]] Result<std::string> build_sweep_page(const std::string& folder, const std::string& page_folder);

}  // namespace otasim::report::html
