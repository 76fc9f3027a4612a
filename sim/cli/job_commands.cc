// `otasim job ...`: OTA updates and other jobs of a running lab.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <optional>

#include "sim/base/json.h"
#include "sim/base/json_members.h"
#include "sim/cli/command.h"
#include "sim/cli/handed_file.h"
#include "sim/cli/table.h"
#include "sim/cli/variant_option.h"
#include "sim/control/client.h"
#include "sim/lab/boards.h"

namespace otasim::cli {
namespace {

using nlohmann::json;

struct JobOptions {
  LabOptions common;
  std::string id;
  lab::FirmwareSource firmware;
  std::string board = std::string(lab::boards().front().name);
  std::string document;
  std::vector<std::string> targets;
  std::vector<std::string> protocols;
  std::vector<std::string> retries;
  std::string description;
  bool continuous = false;
  bool is_unsigned = false;
  std::optional<std::int64_t> expires_in_sec;
  std::optional<std::int64_t> timeout_minutes;
  std::string status;
  std::string thing;
  bool force = false;
};

std::string time_of(const json& object, const char* name) {
  const auto seconds = integer_member(object, name);
  if (!seconds) return "";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}Z", fmt::gmtime(static_cast<std::time_t>(*seconds)));
}

std::string describe_details(const json& execution) {
  std::string text;
  const auto details = execution.find("details");
  if (details == execution.end() || !details->is_object()) return text;
  for (const auto& [key, value] : details->items()) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key,
                        value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

/// "2 SUCCEEDED, 1 QUEUED"
std::string describe_counts(const json& object) {
  std::string text;
  const auto counts = object.find("counts");
  if (counts == object.end() || !counts->is_object()) return text;
  for (const char* status :
       {"QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT", "REMOVED", "CANCELED"}) {
    const std::int64_t count = integer_member(*counts, status).value_or(0);
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, status);
  }
  return text;
}

std::string text_of(const json& object, const char* name) {
  return text_member(object, name).value_or("");
}

Result<HandedFile> hand_over(const JobOptions& options) {
  if (!options.document.empty()) return HandedFile::copy_of(options.document);
  return HandedFile::firmware(options.firmware, options.board);
}

Result<void> create(const JobOptions& options) {
  const auto file = hand_over(options);
  if (!file) return tl::unexpected(file.error());
  json arguments{{"id", options.id},
                 {options.document.empty() ? "image" : "document", file->path()},
                 {"targets", options.targets},
                 {"protocols", options.protocols},
                 {"retries", options.retries},
                 {"description", options.description},
                 {"continuous", options.continuous},
                 {"unsigned", options.is_unsigned}};
  if (options.expires_in_sec) arguments["expires_in_sec"] = *options.expires_in_sec;
  if (options.timeout_minutes) arguments["timeout_minutes"] = *options.timeout_minutes;
  const auto made = control::call_lab(options.common.folder(), {"job.create", std::move(arguments)});
  if (!made) return tl::unexpected(made.error());
  fmt::print("{}\n", options.common.json ? made->dump() : text_of(*made, "id"));
  return {};
}

Result<void> list(const JobOptions& options) {
  json arguments = json::object();
  if (!options.status.empty()) arguments["status"] = options.status;
  const auto jobs = control::call_lab(options.common.folder(), {"job.list", std::move(arguments)});
  if (!jobs) return tl::unexpected(jobs.error());
  if (options.common.json) {
    fmt::print("{}\n", jobs->dump());
    return {};
  }
  std::vector<TableRow> rows{{"ID", "STATUS", "TARGETS", "CREATED", "EXECUTIONS"}};
  for (const json& job : *jobs) {
    rows.push_back({text_of(job, "id"), text_of(job, "status"), text_of(job, "target_selection"),
                    time_of(job, "created_at"), describe_counts(job)});
  }
  fmt::print("{}", format_table(rows));
  return {};
}

void print_job(const json& job) {
  const auto line = [](const char* name, const std::string& value) {
    if (!value.empty()) fmt::print("{:<12} {}\n", name, value);
  };
  line("id", text_of(job, "id"));
  line("status", text_of(job, "status"));
  line("description", text_of(job, "description"));
  line("targets",
       fmt::format("{} ({})",
                   fmt::join(texts_member(job, "targets").value_or(std::vector<std::string>()), ", "),
                   text_of(job, "target_selection")));
  line("created", time_of(job, "created_at"));
  line("updated", time_of(job, "last_updated_at"));
  line("completed", time_of(job, "completed_at"));
  line("executions", describe_counts(job));
  line("document", text_of(job, "document"));
  std::vector<TableRow> rows{{"THING", "NUMBER", "STATUS", "UPDATED", "DETAILS"}};
  for (const json& execution : job.value("executions", json::array())) {
    rows.push_back(
        {text_of(execution, "thing"), std::to_string(integer_member(execution, "number").value_or(0)),
         text_of(execution, "status"), time_of(execution, "last_updated_at"), describe_details(execution)});
  }
  if (rows.size() > 1) fmt::print("\n{}", format_table(rows));
}

Result<void> show(const JobOptions& options) {
  const auto job = control::call_lab(options.common.folder(), {"job.show", {{"id", options.id}}});
  if (!job) return tl::unexpected(job.error());
  if (options.common.json) {
    fmt::print("{}\n", job->dump());
  } else {
    print_job(*job);
  }
  return {};
}

/// The columns are for programs, too: they do not depend on what comes later.
void print_execution(const json& execution) {
  fmt::print("{:<16} {:>3} {:<11} {}\n", text_of(execution, "thing"),
             integer_member(execution, "number").value_or(0), text_of(execution, "status"),
             describe_details(execution));
}

Result<void> watch(const JobOptions& options) {
  const auto end = control::call_lab(options.common.folder(), {"job.watch", {{"id", options.id}}},
                                     [&options](const json& execution) {
                                       if (options.common.json) {
                                         fmt::print("{}\n", execution.dump());
                                       } else {
                                         print_execution(execution);
                                       }
                                       std::fflush(stdout);
                                     });
  if (!end) return tl::unexpected(end.error());
  if (options.common.json) {
    fmt::print("{}\n", end->dump());
  } else {
    fmt::print("{} {}: {}\n", text_of(*end, "id"), text_of(*end, "status"), describe_counts(*end));
  }
  std::fflush(stdout);
  const auto failed = texts_member(*end, "failed").value_or(std::vector<std::string>());
  if (!failed.empty()) {
    return fail(ExitCode::kFailed, fmt::format("the job failed on {}", fmt::join(failed, ", ")));
  }
  if (text_of(*end, "status") == "CANCELED") return fail(ExitCode::kFailed, "the job was canceled");
  return {};
}

Result<void> cancel(const JobOptions& options) {
  json arguments{{"id", options.id}, {"force", options.force}};
  if (!options.thing.empty()) arguments["thing"] = options.thing;
  const auto job = control::call_lab(options.common.folder(), {"job.cancel", std::move(arguments)});
  if (!job) return tl::unexpected(job.error());
  if (options.common.json) fmt::print("{}\n", job->dump());
  return {};
}

Result<void> remove(const JobOptions& options) {
  const auto removed = control::call_lab(options.common.folder(),
                                         {"job.delete", {{"id", options.id}, {"force", options.force}}});
  if (!removed) return tl::unexpected(removed.error());
  if (options.common.json) fmt::print("{}\n", removed->dump());
  return {};
}

CLI::App* add_subcommand(CLI::App* job, const char* name, const char* help, JobOptions& options) {
  CLI::App* const command = job->add_subcommand(name, help);
  command->add_option("ID", options.id, "The job; AFR_OTA- may be left out")->required();
  add_lab_options(command, options.common);
  return command;
}

void add_create(CLI::App* job, Command& command, JobOptions& options) {
  CLI::App* const create_command =
      job->add_subcommand("create", "Make an OTA update of an image, or a job of a document");
  create_command->add_option("ID", options.id, "Its id; an update's job is AFR_OTA-ID")->required();
  CLI::Option* const image =
      create_command->add_option("--image", options.firmware.image, "Update to this signed image");
  CLI::Option* const elf = create_command->add_option("--elf", options.firmware.elf,
                                                      "Update to this application, signed as --version");
  CLI::Option* const version = create_command->add_option("--version", options.firmware.version,
                                                          "Version to sign as; alone: the demo application");
  CLI::Option* const document =
      create_command->add_option("--document", options.document, "Job document, a JSON object");
  image->excludes(elf)->excludes(version)->excludes(document);
  document->excludes(elf)->excludes(version);
  elf->needs(version);
  add_variant_option(create_command, options.firmware.variant)
      ->needs(version)
      ->excludes(elf)
      ->excludes(image)
      ->excludes(document);
  create_command->add_option("--board", options.board, "Board the application is for")
      ->check(CLI::IsMember(lab::board_names()))
      ->capture_default_str();
  create_command
      ->add_option("--target", options.targets, "A device, or group:NAME; may be given more than once")
      ->required()
      ->allow_extra_args(false);
  create_command->add_flag("--continuous", options.continuous,
                           "Also for devices that join a target group later");
  create_command
      ->add_option("--protocol,--data", options.protocols,
                   "Data protocol; given twice, with both: the device chooses (default: MQTT)")
      ->check(CLI::IsMember({"MQTT", "HTTP"}, CLI::ignore_case))
      ->allow_extra_args(false);
  create_command->add_option("--expires-in", options.expires_in_sec,
                             "Seconds that presigned URLs are good for");
  create_command->add_option("--timeout", options.timeout_minutes,
                             "Minutes that an execution may be in progress");
  create_command->add_option("--retry", options.retries, "FAILED=N, TIMED_OUT=N or ALL=N: try again so often")
      ->allow_extra_args(false);
  create_command->add_flag("--unsigned", options.is_unsigned, "Leave the code signature out");
  create_command->add_option("--description", options.description, "What it is for");
  add_lab_options(create_command, options.common);
  create_command->callback([&command, &options, image, elf, version, document] {
    if (image->empty() && elf->empty() && version->empty() && document->empty()) {
      throw CLI::ValidationError("job create",
                                 "give --image FILE, --elf FILE --version V, --version V or --document FILE");
    }
    command = [&options] { return create(options); };
  });
}

}  // namespace

void add_job(CLI::App& app, Command& command) {
  static JobOptions options;
  CLI::App* const job = app.add_subcommand("job", "OTA updates and other jobs of a running lab");
  job->require_subcommand(1);
  add_create(job, command, options);

  CLI::App* const list_command = job->add_subcommand("list", "Show all jobs");
  list_command->add_option("--status", options.status, "Only jobs in this status")
      ->check(CLI::IsMember({"SCHEDULED", "IN_PROGRESS", "COMPLETED", "CANCELED", "DELETION_IN_PROGRESS"},
                            CLI::ignore_case));
  add_lab_options(list_command, options.common);
  list_command->callback([&command] { command = [] { return list(options); }; });

  add_subcommand(job, "show", "Show a job and its executions", options)->callback([&command] {
    command = [] { return show(options); };
  });
  add_subcommand(job, "watch", "Show executions as they change, until the job is over", options)
      ->callback([&command] { command = [] { return watch(options); }; });

  CLI::App* const cancel_command =
      add_subcommand(job, "cancel", "Cancel a job, or its execution on a device", options);
  cancel_command->add_option("--thing", options.thing, "Only this device's execution");
  cancel_command->add_flag("--force", options.force, "Also what a device has begun");
  cancel_command->callback([&command] { command = [] { return cancel(options); }; });

  CLI::App* const delete_command = add_subcommand(job, "delete", "Delete a job and its executions", options);
  delete_command->add_flag("--force", options.force, "Even if it is in progress");
  delete_command->callback([&command] { command = [] { return remove(options); }; });
}

}  // namespace otasim::cli
