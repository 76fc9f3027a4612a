#include "sim/report/trace/write_trace.h"

#include <filesystem>
#include <sstream>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/base/json_nesting.h"
#include "sim/report/run_stream.h"
#include "sim/report/trace/run_trace.h"

namespace otasim::report::trace {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// What a reader shows of the trace as a whole.
json describe(const std::string& folder) {
  json about{{"made_by", "otasim"}, {"run", fs::absolute(folder).lexically_normal().string()}};
  const auto bytes = read_file(folder + "/result.json");
  if (!bytes) return about;  // a run that was ended early has none
  const json result = parse_shallow_json(*bytes);
  if (!result.is_object()) return about;
  for (const char* member : {"scenario", "board", "data", "seed", "result", "reason", "repeat"}) {
    if (const auto found = result.find(member); found != result.end()) about[member] = *found;
  }
  return about;
}

}  // namespace

Result<WrittenTrace> write_trace(const std::string& folder, const std::string& path) {
  auto stream = RunStream::open(folder);
  if (!stream) return tl::unexpected(stream.error());
  RunTrace run;
  while (const auto event = stream->next()) run.take(*event);
  std::ostringstream text;
  run.finish().write(text, describe(folder));
  WrittenTrace written{.path = path.empty() ? (fs::path(folder) / kTraceFile).string() : path,
                       .problems = stream->problems()};
  if (auto done = write_file_atomic(written.path, std::move(text).str()); !done)
    return tl::unexpected(done.error());
  return written;
}

}  // namespace otasim::report::trace
