#include "sim/cli/report_exports.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "sim/report/capture/decode_options.h"
#include "sim/report/capture/link_capture.h"
#include "sim/scenario/library.h"

namespace otasim::cli {
namespace {

Result<void> capture_and_tell(const report::capture::CaptureRequest& request) {
  const auto written = report::capture::write_capture(request);
  if (!written) return tl::unexpected(written.error());
  for (const std::string& problem : written->problems) fmt::print(stderr, "otasim: {}\n", problem);
  if (!written->has_secrets)
    fmt::print(stderr,
               "otasim: the run logged no TLS secrets (--keylog): what is within TLS stays closed.\n");
  const std::string options = report::capture::decode_options(request.folder);
  fmt::print(stderr, "To read it: wireshark {}{}{}\n", options, options.empty() ? "" : " ",
             scenario::shell_word(written->path));
  fmt::print("{}\n", written->path);
  return {};
}

}  // namespace

void add_report_capture(CLI::App& report, Command& command) {
  static report::capture::CaptureRequest request;
  CLI::App* const capture =
      report.add_subcommand("capture", "The run's frames with its TLS secrets, for Wireshark");
  capture->add_option("RUN", request.folder, "Folder of a run or a lab")
      ->required()
      ->check(CLI::ExistingDirectory);
  capture->add_option("--device", request.device, "Only this device's link (default: all)");
  capture->add_option("--out", request.path, "File to write (default: capture.pcapng in the folder)");
  capture->callback([&command] { command = [] { return capture_and_tell(request); }; });
}

}  // namespace otasim::cli
