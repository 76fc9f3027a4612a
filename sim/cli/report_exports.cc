#include "sim/cli/report_exports.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "sim/cli/command.h"
#include "sim/report/capture/decode_options.h"
#include "sim/report/capture/link_capture.h"
#include "sim/report/trace/write_trace.h"
#include "sim/scenario/library.h"

namespace otasim::cli {
namespace {

Result<void> capture_and_tell(const report::capture::CaptureRequest& request, bool as_json) {
  const auto written = report::capture::write_capture(request);
  if (!written) return tl::unexpected(written.error());
  for (const std::string& problem : written->problems) fmt::print(stderr, "otasim: {}\n", problem);
  if (!written->has_secrets)
    fmt::print(stderr,
               "otasim: the run logged no TLS secrets (--keylog): what is within TLS stays closed.\n");
  const std::string options = report::capture::decode_options(request.folder);
  fmt::print(stderr, "To read it: wireshark {}{}{}\n", options, options.empty() ? "" : " ",
             scenario::shell_word(written->path));
  print_written(written->path, as_json);
  return {};
}

struct TraceOptions {
  std::string folder;
  std::string path;
  bool json = false;
};

Result<void> trace_and_tell(const TraceOptions& options) {
  const auto written = report::trace::write_trace(options.folder, options.path);
  if (!written) return tl::unexpected(written.error());
  for (const std::string& problem : written->problems) fmt::print(stderr, "otasim: {}\n", problem);
  fmt::print(stderr, "To read it: open the file in https://ui.perfetto.dev or in chrome://tracing\n");
  print_written(written->path, options.json);
  return {};
}

}  // namespace

void add_report_capture(CLI::App& report, Command& command) {
  static report::capture::CaptureRequest request;
  static bool as_json = false;
  CLI::App* const capture =
      report.add_subcommand("capture", "The run's frames with its TLS secrets, for Wireshark");
  capture->add_option("RUN", request.folder, "Folder of a run or a lab")
      ->required()
      ->check(CLI::ExistingDirectory);
  capture->add_option("--device", request.device, "Only this device's link (default: all)");
  capture->add_option("--out", request.path, "File to write (default: capture.pcapng in the folder)");
  capture->add_flag("--json", as_json, "Print JSON on stdout");
  capture->callback([&command] { command = [] { return capture_and_tell(request, as_json); }; });
}

void add_report_trace(CLI::App& report, Command& command) {
  static TraceOptions options;
  CLI::App* const trace =
      report.add_subcommand("trace", "The run as a trace with arrows from job to slot switch, for Perfetto");
  trace->add_option("RUN", options.folder, "Folder of a run or a lab")
      ->required()
      ->check(CLI::ExistingDirectory);
  trace->add_option("--out", options.path, "File to write (default: trace.json in the folder)");
  trace->add_flag("--json", options.json, "Print JSON on stdout");
  trace->callback([&command] { command = [] { return trace_and_tell(options); }; });
}

}  // namespace otasim::cli
