#include "sim/cli/demo.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "sim/base/file_io.h"
#include "sim/cli/run_folder.h"
#include "sim/image/image.h"
#include "sim/lab/boards.h"
#include "sim/lab/firmware.h"
#include "sim/report/event_log.h"
#include "sim/report/terminal_view.h"
#include "sim/scenario/update_run.h"

namespace otasim::cli {
namespace {

Result<scenario::UpdatePlan> make_plan(const DemoOptions& options) {
  scenario::UpdatePlan plan;
  plan.board = options.board;
  plan.mqtt_port = options.mqtt_port;
  plan.seed = options.seed;
  plan.limit_seconds = options.limit_seconds;
  auto transfer = lab::transfer_settings_from(options.transfer.values());
  if (!transfer) return tl::unexpected(transfer.error());
  plan.transfer = *transfer;
  if (options.transfer.protocol() == "http") plan.protocols = {cloud::Protocol::kHttp};
  auto products = lab::BuildProducts::find(options.board);
  if (!products) return tl::unexpected(products.error());
  plan.products = std::move(*products);
  const lab::Board& board = *lab::find_board(options.board);
  auto factory = lab::make_firmware({.version = options.from}, board, plan.products);
  if (!factory) return tl::unexpected(factory.error());
  plan.factory_image = std::move(*factory);
  if (!options.no_recovery) {
    auto recovery = lab::make_recovery_image(board, plan.products);
    if (!recovery) return tl::unexpected(recovery.error());
    plan.recovery_image = std::move(*recovery);
  }
  auto update = lab::make_firmware(
      {.image = options.image, .elf = options.elf, .variant = options.variant, .version = options.to}, board,
      plan.products);
  if (!update) return tl::unexpected(update.error());
  plan.update_image = std::move(*update);
  // The demo application says so; a user's own may not.
  if (options.image.empty() && options.elf.empty()) plan.last_line = "update complete";
  return plan;
}

nlohmann::json summarise(const DemoOptions& options, const scenario::UpdatePlan& plan,
                         const scenario::UpdateOutcome& outcome, const std::string& run) {
  const auto offered = image::parse(plan.update_image);
  nlohmann::json summary = {{"result", outcome.status},
                            {"reason", outcome.reason},
                            {"from", options.from},
                            {"protocol", options.transfer.protocol().value_or("mqtt")},
                            {"to", offered ? image::to_string(offered->version) : options.to},
                            {"running", outcome.running_version},
                            {"wall_ms", outcome.wall_ms},
                            {"boot_to_connected_ms", outcome.boot_to_connected_ms},
                            {"image_bytes", plan.update_image.size()},
                            {"transfer_ms", outcome.transfer_ms},
                            {"job", outcome.job_id},
                            {"run", run}};
  if (outcome.approved) {
    summary["flash"] = {{"slot", scenario::slot_letter(outcome.approved->slot)},
                        {"version", image::to_string(outcome.approved->info.version)},
                        {"standing", outcome.approved->standing},
                        {"verified", true},
                        {"holds_update", outcome.flash_holds_update}};
  } else {
    summary["flash"] = {{"verified", false}, {"problem", outcome.flash_problem}};
    if (outcome.fail_safe) summary["flash"]["recovery"] = image::to_string(outcome.fail_safe->info.version);
  }
  return summary;
}

/// The cloud, the device's console and the flash must tell the same story.
Result<void> verdict(const scenario::UpdateOutcome& outcome, const std::string& to, const std::string& run) {
  const std::string hint =
      fmt::format("The run's console is in {}/uart.log, its events in {}/events.jsonl.", run, run);
  if (outcome.status != "SUCCEEDED") {
    return fail(ExitCode::kFailed,
                fmt::format("the job ended {}: {}", outcome.status,
                            outcome.reason.empty() ? "no reason given" : outcome.reason),
                hint);
  }
  if (!outcome.approved)
    return fail(ExitCode::kFailed, "the job SUCCEEDED, but " + outcome.flash_problem, hint);
  if (!outcome.flash_holds_update) {
    return fail(ExitCode::kFailed,
                "the job SUCCEEDED, but the flash approves another image than the one offered", hint);
  }
  if (outcome.running_version != to) {
    return fail(ExitCode::kFailed,
                fmt::format("the job SUCCEEDED, but the device's bootloader last started {}",
                            outcome.running_version),
                hint);
  }
  return {};
}

void print_summary(const nlohmann::json& s) {
  fmt::print("{}: {} -> {}, the device runs {}\n", s.value("result", ""), s.value("from", ""),
             s.value("to", ""), s.value("running", ""));
  const nlohmann::json& flash = s["flash"];
  if (flash.value("verified", false)) {
    fmt::print("flash: slot {} holds {} ({}), hash and signature verified by the host\n",
               flash.value("slot", ""), flash.value("version", ""), flash.value("standing", ""));
  } else {
    fmt::print("flash: {}\n", flash.value("problem", ""));
    if (flash.contains("recovery")) {
      fmt::print("       fail-safe mode: recovery image {}, hash and signature verified by the host\n",
                 flash.value("recovery", ""));
    }
  }
  fmt::print("time:  {} ms from power-on to the end; connected after {} ms; {} bytes in {} ms\n",
             s.value("wall_ms", 0), s.value("boot_to_connected_ms", 0), s.value("image_bytes", 0),
             s.value("transfer_ms", 0));
  fmt::print("run:   {}\n", s.value("run", ""));
}

}  // namespace

Result<void> demo(const DemoOptions& options) {
  auto plan = make_plan(options);
  if (!plan) return tl::unexpected(plan.error());
  const auto run = make_run_folder(options.out, "demo");
  if (!run) return tl::unexpected(run.error());
  plan->run_folder = *run;
  const auto log = report::EventLog::create(*run + "/events.jsonl");
  if (!log) return tl::unexpected(log.error());

  report::TerminalView view(stderr, report::TerminalView::style_for(stderr));
  if (!options.quiet) (*log)->listen([&view](const nlohmann::json& event) { view.show(event); });
  auto outcome = scenario::run_update(*plan, **log);
  view.finish();
  if (!outcome) {
    Error error = outcome.error();
    if (!error.hint.empty()) error.hint += '\n';
    error.hint += fmt::format("The run folder is {}.", *run);
    return tl::unexpected(std::move(error));
  }
  const nlohmann::json summary = summarise(options, *plan, *outcome, *run);
  if (auto written = write_file_atomic(*run + "/summary.json", summary.dump(2) + "\n"); !written)
    return written;
  if (options.json) {
    fmt::print("{}\n", summary.dump());
  } else {
    print_summary(summary);
  }
  std::fflush(stdout);
  return verdict(*outcome, summary.value("to", ""), *run);
}

}  // namespace otasim::cli
