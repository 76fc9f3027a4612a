// job.*: jobs, plain ones and those of OTA updates.
//
// A user's id of an update is its OTA update's; the job is called AFR_OTA-<id>. Either names it.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/file_io.h"
#include "sim/base/json_members.h"
#include "sim/cloud/random_id.h"
#include "sim/control/all_pages.h"
#include "sim/control/job_watch.h"
#include "sim/control/lab_commands.h"
#include "sim/lab/firmware.h"
#include "sim/lab/lab.h"

namespace otasim::control {
namespace {

using cloud::JobId;
using cloud::OtaUpdateId;

constexpr std::string_view kUpdatePrefix = "AFR_OTA-";
constexpr std::string_view kGroupPrefix = "group:";
/// Of a random id: enough to tell a lab's updates apart.
constexpr std::size_t kShortId = 8;
constexpr std::size_t kMaxDocumentBytes = std::size_t{32} * 1024;
/// Where the images that users give are kept.
constexpr const char* kBucket = "otasim";

Result<cloud::JobTarget> parse_target(const std::string& text) {
  if (text.starts_with(kGroupPrefix)) {
    if (auto group = cloud::GroupName::parse(text.substr(kGroupPrefix.size()))) return *group;
  } else if (auto thing = cloud::ThingName::parse(text)) {
    return *thing;
  }
  return fail(ExitCode::kUsage, fmt::format("'{}' is not a target", text),
              "A target is a device's name, or group:NAME.");
}

std::string to_text(const cloud::JobTarget& target) {
  if (const auto* thing = std::get_if<cloud::ThingName>(&target)) return thing->str();
  return std::string(kGroupPrefix) + std::get<cloud::GroupName>(target).str();
}

Result<cloud::Protocol> parse_protocol(const std::string& text) {
  for (const auto protocol : {cloud::Protocol::kMqtt, cloud::Protocol::kHttp}) {
    if (text == to_string(protocol)) return protocol;
  }
  return fail(ExitCode::kUsage, fmt::format("'{}' is not a protocol", text),
              "The protocols are MQTT and HTTP.");
}

/// "FAILED=2", "TIMED_OUT=1", "ALL=3"
Result<cloud::RetryConfig> parse_retries(const std::vector<std::string>& texts) {
  cloud::RetryConfig retries;
  for (const std::string& text : texts) {
    const std::size_t at = text.find('=');
    const std::string kind = text.substr(0, at);
    std::int64_t* const where = kind == "FAILED"      ? &retries.failed
                                : kind == "TIMED_OUT" ? &retries.timed_out
                                : kind == "ALL"       ? &retries.any
                                                      : nullptr;
    const std::string number = at == std::string::npos ? "" : text.substr(at + 1);
    const bool is_number = !number.empty() && number.size() <= 3 &&
                           std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
    if (where == nullptr || !is_number) {
      return fail(ExitCode::kUsage, fmt::format("'{}' does not say what to retry", text),
                  "Give FAILED=N, TIMED_OUT=N or ALL=N.");
    }
    *where = std::stoll(number);
  }
  return retries;
}

/// What the two kinds of job have in common.
struct NewJob {
  std::string id;
  std::string image;
  std::string document;
  bool is_unsigned = false;
  std::vector<cloud::JobTarget> targets;
  std::vector<cloud::Protocol> protocols;
  cloud::TargetSelection selection = cloud::TargetSelection::kSnapshot;
  std::string description;
  std::optional<std::int64_t> expires_in_sec;
  std::optional<std::int64_t> timeout_minutes;
  cloud::RetryConfig retries;
};

Result<NewJob> read_new_job(Arguments& arguments) {
  NewJob job;
  job.id = arguments.text("id");
  job.image = arguments.text("image", {});
  job.document = arguments.text("document", {});
  job.is_unsigned = arguments.flag("unsigned");
  const auto targets = arguments.texts("targets");
  const auto protocols = arguments.texts("protocols");
  const auto retries = arguments.texts("retries");
  if (arguments.flag("continuous")) job.selection = cloud::TargetSelection::kContinuous;
  job.description = arguments.text("description", {});
  job.expires_in_sec = arguments.optional_integer("expires_in_sec");
  job.timeout_minutes = arguments.optional_integer("timeout_minutes");
  if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
  if (job.image.empty() == job.document.empty()) {
    return fail(ExitCode::kUsage, "a job has either an image or a document");
  }
  for (const std::string& text : targets) {
    auto target = parse_target(text);
    if (!target) return tl::unexpected(target.error());
    job.targets.push_back(std::move(*target));
  }
  for (const std::string& text : protocols) {
    const auto protocol = parse_protocol(text);
    if (!protocol) return tl::unexpected(protocol.error());
    job.protocols.push_back(*protocol);
  }
  const auto config = parse_retries(retries);
  if (!config) return tl::unexpected(config.error());
  job.retries = *config;
  return job;
}

nlohmann::json summarise(const cloud::Job& job) {
  return {{"id", job.id.str()},
          {"status", to_string(job.status)},
          {"target_selection", to_string(job.target_selection)},
          {"description", job.description},
          {"created_at", job.created_at},
          {"last_updated_at", job.last_updated_at},
          {"completed_at", job.completed_at ? nlohmann::json(*job.completed_at) : nlohmann::json()}};
}

class JobCommands {
 public:
  JobCommands(cloud::Cloud& cloud, lab::Fleet& fleet) : cloud_(cloud), fleet_(fleet), watches_(cloud) {}

  Answer create(Arguments& arguments, const ReplyPtr&) {
    const auto job = read_new_job(arguments);
    if (!job) return tl::unexpected(job.error());
    if (job->image.empty()) return create_plain(*job);
    const auto image = read_regular_file(job->image, flash::kSlotSize);
    if (!image) return tl::unexpected(image.error());
    return create_update(*job, *image);
  }

  /// An update of one device to the demo application, which is made here.
  Answer update(Arguments& arguments, const ReplyPtr&) {
    NewJob job;
    const std::string name = arguments.text("device");
    job.id = arguments.text("id", fmt::format("update-{}", cloud::random_uuid().substr(0, kShortId)));
    const lab::FirmwareSource source{.variant = arguments.text("variant", {}),
                                     .version = arguments.text("version")};
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    const auto known = fleet_.find(name);
    if (!known) return tl::unexpected(known.error());
    job.targets.emplace_back(cloud::ThingName::trusted(name));
    const lab::Board& board = *(*known)->spec().board;
    const auto products = lab::BuildProducts::find(std::string(board.name));
    if (!products) return tl::unexpected(products.error());
    const auto image = lab::make_firmware(source, board, *products);
    if (!image) return tl::unexpected(image.error());
    return create_update(job, *image);
  }

  Answer list(Arguments& arguments, const ReplyPtr&) {
    const auto status_name = arguments.optional_text("status");
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    cloud::JobStore::Filter filter;
    if (status_name) {
      filter.status = cloud::job_status(*status_name);
      if (!filter.status) {
        return fail(ExitCode::kUsage, fmt::format("'{}' is not a job's status", *status_name),
                    "A status is SCHEDULED, IN_PROGRESS, COMPLETED, CANCELED or DELETION_IN_PROGRESS.");
      }
    }
    const auto jobs = all_pages<cloud::Job>([&](const cloud::PageRequest& page) {
      return cloud_.jobs().list_jobs({.filter = filter, .page = page});
    });
    if (!jobs) return tl::unexpected(jobs.error().to_error("cannot list the jobs"));
    nlohmann::json list = nlohmann::json::array();
    for (const cloud::Job& job : *jobs) {
      // What is being deleted is gone in a moment; who asks for it sees it.
      if (!filter.status && job.status == cloud::JobStatus::kDeletionInProgress) continue;
      const auto counts = cloud_.jobs().process_details(job.id);
      if (!counts) return tl::unexpected(counts.error().to_error("cannot count a job's executions"));
      nlohmann::json summary = summarise(job);
      summary["counts"] = describe_counts(*counts);
      list.push_back(std::move(summary));
    }
    return list;
  }

  Answer show(Arguments& arguments, const ReplyPtr&) {
    const auto job = find_job(arguments);
    if (!job) return tl::unexpected(job.error());
    const auto targets = cloud_.jobs().targets_of(job->id);
    if (!targets) return tl::unexpected(targets.error().to_error("cannot read the job's targets"));
    const auto counts = cloud_.jobs().process_details(job->id);
    if (!counts) return tl::unexpected(counts.error().to_error("cannot count the job's executions"));
    const auto executions = executions_of(cloud_, job->id);
    if (!executions) return tl::unexpected(executions.error().to_error("cannot read the job's executions"));
    nlohmann::json described = summarise(*job);
    described["document"] = job->document;
    described["targets"] = nlohmann::json::array();
    for (const cloud::JobTarget& target : *targets) described["targets"].push_back(to_text(target));
    described["counts"] = describe_counts(*counts);
    described["executions"] = nlohmann::json::array();
    for (const auto& execution : *executions) {
      described["executions"].push_back(describe_execution(execution));
    }
    return described;
  }

  Answer watch(Arguments& arguments, const ReplyPtr& reply) {
    const auto job = find_job(arguments);
    if (!job) return tl::unexpected(job.error());
    if (auto added = watches_.add(job->id, reply); !added) return tl::unexpected(added.error());
    return std::nullopt;
  }

  Answer cancel(Arguments& arguments, const ReplyPtr&) {
    const bool force = arguments.flag("force");
    const auto thing_name = arguments.optional_text("thing");
    const auto job = find_job(arguments);
    if (!job) return tl::unexpected(job.error());
    cloud::ServiceResult<void> canceled;
    if (thing_name) {
      const auto thing = cloud::ThingName::parse(*thing_name);
      if (!thing) return fail(ExitCode::kUsage, fmt::format("'{}' is not a thing's name", *thing_name));
      canceled = cloud_.jobs().cancel_execution(job->id, *thing, {.force = force});
    } else {
      canceled = cloud_.jobs().cancel(job->id, {.force = force});
    }
    if (!canceled) {
      Error error = canceled.error().to_error(fmt::format("cannot cancel the job '{}'", job->id.str()));
      if (!force) error.hint = "What a device has begun is canceled with --force only.";
      return tl::unexpected(std::move(error));
    }
    watches_.look_again();
    const auto now = cloud_.jobs().describe_job(job->id);
    if (!now) return tl::unexpected(now.error().to_error("cannot read the job"));
    return summarise(*now);
  }

  Answer remove(Arguments& arguments, const ReplyPtr&) {
    const bool force = arguments.flag("force");
    const auto job = find_job(arguments);
    if (!job) return tl::unexpected(job.error());
    if (auto removed = remove(job->id, force); !removed) {
      Error error = removed.error().to_error(fmt::format("cannot delete the job '{}'", job->id.str()));
      if (!force) error.hint = "A job in progress is deleted with --force only.";
      return tl::unexpected(std::move(error));
    }
    watches_.look_again();
    return nlohmann::json{{"id", job->id.str()}};
  }

 private:
  Answer create_plain(const NewJob& job) {
    const auto id = JobId::parse(job.id);
    if (!id) return bad_id(job.id);
    const auto document = read_regular_file(job.document, kMaxDocumentBytes);
    if (!document) return tl::unexpected(document.error());
    if (!job.protocols.empty() || job.is_unsigned) {
      return fail(ExitCode::kUsage, "protocols and signatures are an image's; a document has none");
    }
    cloud::CreateJobRequest request{.id = *id,
                                    .document = std::string(document->begin(), document->end()),
                                    .targets = job.targets,
                                    .description = job.description,
                                    .target_selection = job.selection,
                                    .in_progress_timeout_minutes = job.timeout_minutes,
                                    .retries = job.retries};
    if (job.expires_in_sec) request.presigned_expires_sec = *job.expires_in_sec;
    if (const auto made = cloud_.jobs().create(request); !made) {
      return tl::unexpected(made.error().to_error(fmt::format("cannot create the job '{}'", job.id)));
    }
    return nlohmann::json{{"id", job.id}};
  }

  Answer create_update(const NewJob& job, std::span<const std::uint8_t> image) {
    const auto id = OtaUpdateId::parse(job.id);
    if (!id) return bad_id(job.id);
    const auto failed = [&job](const cloud::ServiceError& error) {
      return tl::unexpected(error.to_error(fmt::format("cannot create the update '{}'", job.id)));
    };
    const auto version = lab::check_firmware(image);
    if (!version) return tl::unexpected(version.error());
    const auto object = cloud_.objects().put(kBucket, job.id + ".img", image);
    if (!object) return failed(object.error());
    cloud::OtaUpdateFile file{.file_name = "/update.img", .location = object->location};
    if (!job.is_unsigned) file.code_signing = cloud::LabSigning{lab::kCodeSignerName};
    cloud::CreateOtaUpdateRequest request{.id = *id,
                                          .targets = job.targets,
                                          .files = {std::move(file)},
                                          .description = job.description,
                                          .target_selection = job.selection,
                                          .in_progress_timeout_minutes = job.timeout_minutes,
                                          .retries = job.retries};
    if (!job.protocols.empty()) request.protocols = job.protocols;
    if (job.expires_in_sec) request.presigned_expires_sec = *job.expires_in_sec;
    const auto update = cloud_.ota_updates().create(request);
    if (!update) return failed(update.error());
    if (update->status == cloud::OtaUpdateStatus::kCreateFailed) return give_up_update(*update);
    return nlohmann::json{{"id", update->job_id.str()}, {"ota_update", job.id}, {"version", *version}};
  }

  /// An update that could not be made stays in the cloud, as AWS has it; a user of the command line wants its
  /// id back.
  Answer give_up_update(const cloud::OtaUpdate& update) {
    (void)cloud_.ota_updates().remove(update.id);
    return fail(ExitCode::kUsage, fmt::format("cannot create the update '{}': {}", update.id.str(),
                                              update.error ? update.error->message : "no reason given"));
  }

  static Answer bad_id(const std::string& id) {
    return fail(ExitCode::kUsage, fmt::format("'{}' is not a job's id", id),
                "An id has 1 to 64 letters, digits, '-' or '_'.");
  }

  /// Reads the argument `id`; all others must have been read.
  Result<cloud::Job> find_job(Arguments& arguments) {
    const std::string text = arguments.text("id");
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    for (const std::string& name : {text, std::string(kUpdatePrefix) + text}) {
      const auto id = JobId::parse(name);
      if (!id) continue;
      auto job = cloud_.jobs().describe_job(*id);
      if (job) return std::move(*job);
      if (job.error().code != cloud::ErrorCode::kResourceNotFound) {
        return tl::unexpected(job.error().to_error("cannot read the job"));
      }
    }
    return fail(ExitCode::kUsage, fmt::format("there is no job '{}'", text), "otasim job list shows them.");
  }

  cloud::ServiceResult<void> remove(const JobId& id, bool force) {
    if (id.str().starts_with(kUpdatePrefix)) {
      const auto update = OtaUpdateId::parse(id.str().substr(kUpdatePrefix.size()));
      if (update && cloud_.ota_updates().describe(*update)) {
        return cloud_.ota_updates().remove(*update, {.delete_stream = true, .force_delete_job = force});
      }
    }
    return cloud_.jobs().remove_job(id, force);
  }

  cloud::Cloud& cloud_;
  lab::Fleet& fleet_;
  JobWatches watches_;
};

}  // namespace

void add_job_commands(CommandTable& table, cloud::Cloud& cloud, lab::Fleet& fleet) {
  const auto commands = std::make_shared<JobCommands>(cloud, fleet);
  const auto add = [&](const char* name, Answer (JobCommands::*command)(Arguments&, const ReplyPtr&)) {
    table.add(name, [commands, command](Arguments& arguments, const ReplyPtr& reply) {
      return (*commands.*command)(arguments, reply);
    });
  };
  add("job.create", &JobCommands::create);
  add("job.update", &JobCommands::update);
  add("job.list", &JobCommands::list);
  add("job.show", &JobCommands::show);
  add("job.watch", &JobCommands::watch);
  add("job.cancel", &JobCommands::cancel);
  add("job.delete", &JobCommands::remove);
}

}  // namespace otasim::control
