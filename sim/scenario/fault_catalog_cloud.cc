// Faults of the cloud: objects over HTTPS, streams, jobs, the clock (sim/cloud/cloud_faults.h).
#include <fmt/format.h>

#include "sim/cloud/cloud_faults.h"
#include "sim/scenario/fault_catalog.h"
#include "sim/scenario/stage.h"

namespace otasim::scenario {
namespace {

constexpr double kMaxMs = 600'000;
constexpr double kMaxBytes = 16'777'216;

// ---- objects

Member key_member() {
  return text_member("key", "Only of this object: <update's id>.img (default: any)");
}

template <typename What>
Result<Undo> arm_http(Stage& stage, const FaultArguments& arguments, What what) {
  cloud::HttpFault fault{
      .what = what, .key = arguments.get<std::string>("key", ""), .strike = arguments.strike()};
  auto& faults = stage.lab().cloud_faults().http;
  const FaultId id = faults.arm(std::move(fault));
  return Undo([&faults, id] { faults.clear(id); });
}

std::vector<FaultKind> object_faults() {
  return {
      {.name = "http.status",
       .doc = "A request is answered with an error.",
       .counted = "requests for an object",
       .members = {key_member(), integer_member("status", 400, 599, "HTTP status (default: 503)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_http(stage, arguments, cloud::HttpStatus{arguments.get("status", 503)});
           }},
      {.name = "http.delay",
       .doc = "An answer begins late.",
       .counted = "requests for an object",
       .members = {key_member(), integer_member("delay_ms", 0, kMaxMs, "By so much (default: 0)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_http(stage, arguments, cloud::HttpDelay{arguments.get("delay_ms", std::int64_t{0})});
           }},
      {.name = "http.slow",
       .doc = "A body is sent slowly.",
       .counted = "requests with a body",
       .members = {key_member(), integer_member("bytes_per_second", 1, 1e9, "At this rate (default: 10000)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_http(stage, arguments,
                             cloud::HttpSlow{arguments.get("bytes_per_second", std::int64_t{10'000})});
           }},
      {.name = "http.truncate",
       .doc = "The connection is closed in order within the body.",
       .counted = "requests with a longer body",
       .members = {key_member(), integer_member("after_bytes", 0, kMaxBytes, "Of the body (default: 0)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_http(stage, arguments,
                             cloud::HttpTruncate{arguments.get("after_bytes", std::int64_t{0})});
           }},
      {.name = "http.reset",
       .doc = "The connection is reset.",
       .counted = "requests with as long a body",
       .members = {key_member(), integer_member("after_bytes", 0, kMaxBytes,
                                                "Of the body (default: before the status line)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_http(stage, arguments, cloud::HttpReset{arguments.find<std::int64_t>("after_bytes")});
           }},
      {.name = "http.wrong_range",
       .doc = "Other bytes than those asked for, as many of them.",
       .counted = "requests of a range that can move",
       .members = {key_member(),
                   integer_member("shift_bytes", -kMaxBytes, kMaxBytes, "So much later (default: 1)"),
                   flag_member("content_range_tells_shift",
                               "Content-Range is honest about it (default: false)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_http(stage, arguments,
                             cloud::HttpWrongRange{arguments.get("shift_bytes", std::int64_t{1}),
                                                   arguments.get("content_range_tells_shift", false)});
           }},
      {.name = "http.ignore_range",
       .doc = "The whole object instead of the range.",
       .counted = "requests of a range",
       .members = {key_member()},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_http(stage, arguments, cloud::HttpIgnoreRange{});
           }},
      {.name = "http.corrupt",
       .doc = "One byte of the object is inverted on its way.",
       .counted = "requests that bring this byte",
       .members = {key_member(),
                   integer_member("at_bytes", 0, kMaxBytes, "Offset in the object (default: by the seed)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_http(stage, arguments, cloud::HttpCorrupt{arguments.find<std::int64_t>("at_bytes")});
           }},
  };
}

// ---- streams

template <typename What>
Result<Undo> arm_stream(Stage& stage, const FaultArguments& arguments, What what) {
  cloud::StreamFault fault{.what = what, .device = arguments.named_device(), .strike = arguments.strike()};
  auto& faults = stage.lab().cloud_faults().streams;
  const FaultId id = faults.arm(std::move(fault));
  return Undo([&faults, id] { faults.clear(id); });
}

std::vector<FaultKind> stream_faults() {
  constexpr std::string_view kReplies = "data replies, one a block";
  return {
      {.name = "stream.wrong_block",
       .doc = "A reply has another block's number, or another file's.",
       .counted = kReplies,
       .members = {integer_member("shift_blocks", -1e6, 1e6, "Added to the block's number (default: 1)"),
                   integer_member("file_id", 0, 255, "Instead of the file's (default: as it is)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_stream(stage, arguments,
                               cloud::WrongBlock{arguments.get("shift_blocks", std::int64_t{1}),
                                                 arguments.find<std::int64_t>("file_id")});
           }},
      {.name = "stream.wrong_data",
       .doc = "Bytes of a block are inverted.",
       .counted = "data replies that have the byte",
       .members = {integer_member("at_bytes", 0, kMaxBytes, "Offset in the block (default: by the seed)"),
                   integer_member("length_bytes", 1, kMaxBytes, "How many (default: 1)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_stream(stage, arguments,
                               cloud::WrongData{arguments.find<std::int64_t>("at_bytes"),
                                                arguments.get("length_bytes", std::int64_t{1})});
           }},
      {.name = "stream.short_block",
       .doc = "The end of a block is missing, and its length says so.",
       .counted = "data replies of longer blocks",
       .members = {integer_member("by_bytes", 1, kMaxBytes, "So much (default: 1)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_stream(stage, arguments,
                               cloud::ShortBlock{arguments.get("by_bytes", std::int64_t{1})});
           }},
      {.name = "stream.wrong_size",
       .doc = "A reply's length is not that of its data.",
       .counted = kReplies,
       .members = {integer_member("by_bytes", -kMaxBytes, kMaxBytes, "So much more (default: 1)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_stream(stage, arguments,
                               cloud::WrongSize{arguments.get("by_bytes", std::int64_t{1})});
           }},
      {.name = "stream.missing",
       .doc = "A block does not come.",
       .counted = kReplies,
       .members = {},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_stream(stage, arguments, cloud::MissingReply{});
           }},
      {.name = "stream.duplicate",
       .doc = "A block comes again.",
       .counted = kReplies,
       .members = {integer_member("copies", 1, 100, "So many times (default: 1)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_stream(stage, arguments,
                               cloud::DuplicateReply{arguments.get("copies", std::uint32_t{1})});
           }},
      {.name = "stream.reorder",
       .doc = "A block is overtaken by later ones.",
       .counted = "data replies, while none is held",
       .members = {integer_member("by", 1, 1000, "By so many (default: 1)")},
       .begin =
           [](Stage& stage, const FaultArguments& arguments) {
             return arm_stream(stage, arguments, cloud::ReorderReply{arguments.get("by", std::uint32_t{1})});
           }},
  };
}

// ---- jobs

template <typename What>
Result<Undo> arm_job(Stage& stage, const FaultArguments& arguments, What what) {
  cloud::JobFault fault{
      .what = std::move(what), .device = arguments.named_device(), .strike = arguments.strike()};
  auto& faults = stage.lab().cloud_faults().jobs;
  const FaultId id = faults.arm(std::move(fault));
  return Undo([&faults, id] { faults.clear(id); });
}

Result<Undo> break_document(Stage& stage, const FaultArguments& arguments) {
  cloud::MalformedDocument what;
  what.kind = *cloud::document_damage(arguments.get<std::string>("kind", "not_json"));
  what.member = arguments.get("member", what.member);
  what.size_bytes = arguments.get("size_bytes", what.size_bytes);
  return arm_job(stage, arguments, what);
}

Result<Undo> reject_update(Stage& stage, const FaultArguments& arguments) {
  cloud::RejectUpdate what;
  if (const auto code = arguments.find<std::string>("code")) {
    const auto known = cloud::error_of_name(*code);
    if (!known) return fail(ExitCode::kUsage, fmt::format("'{}' is no error code of AWS IoT Jobs", *code));
    what.code = *known;
  }
  if (const auto status = arguments.find<std::string>("status")) {
    what.status = cloud::execution_status(*status);
    if (!what.status)
      return fail(ExitCode::kUsage, fmt::format("'{}' is no status of a job execution", *status));
  }
  return arm_job(stage, arguments, what);
}

Result<Undo> silence_jobs(Stage& stage, const FaultArguments& arguments) {
  cloud::SilentJobs what;
  if (const auto call = arguments.find<std::string>("call")) what.call = cloud::jobs_call(*call);
  what.carried_out = arguments.get("carried_out", what.carried_out);
  return arm_job(stage, arguments, what);
}

std::vector<FaultKind> job_faults() {
  return {
      {.name = "job.malformed_document",
       .doc = "The job document is broken when the device gets it.",
       .counted = "documents given to a device that have what is to be broken",
       .members = {choice_member("kind", {"not_json", "missing_member", "empty", "oversized", "wrong_type"},
                                 "What is wrong with it (default: not_json)"),
                   text_member("member", "JSON pointer (default: /afr_ota/files/0/filesize)"),
                   integer_member("size_bytes", 1, 131'072, "oversized: so long (default: 65536)")},
       .begin = break_document},
      {.name = "job.update_rejected",
       .doc = "The device's update of its job is answered with an error.",
       .counted = "updates",
       .members = {text_member("code", "AWS's error code (default: VersionMismatch)"),
                   text_member("status", "Only updates to this status (default: any)")},
       .begin = reject_update},
      {.name = "job.silent",
       .doc = "Requests about jobs get no answer.",
       .counted = "requests",
       .members = {choice_member("call", {"get", "start-next", "describe", "update"},
                                 "Only these (default: all)"),
                   flag_member("carried_out", "What was asked is done all the same (default: true)")},
       .begin = silence_jobs},
      {.name = "cloud.clock_jump",
       .doc = "The cloud's time is another one: URLs expire, jobs time out.",
       .counted = "",
       .members = {integer_member("by_s", -4e9, 4e9, "Ahead by so much (default: 3600)")},
       .begin = [](Stage& stage, const FaultArguments& arguments) -> Result<Undo> {
         stage.lab().jump_clock(arguments.get("by_s", std::int64_t{3600}));
         return Undo{};
       }},
  };
}

}  // namespace

std::vector<FaultKind> cloud_faults() {
  std::vector<FaultKind> all;
  for (const auto& part : {object_faults(), stream_faults(), job_faults()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace otasim::scenario
