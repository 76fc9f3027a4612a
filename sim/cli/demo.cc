#include "sim/cli/demo.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/json.h"
#include "sim/cli/run.h"
#include "sim/image/image.h"
#include "sim/lab/boards.h"
#include "sim/scenario/images.h"
#include "sim/scenario/library.h"

namespace otasim::cli {
namespace {

using nlohmann::json;

constexpr const char* kScenario = "Demo";

/// A file that the user names from where he is; the scenario names it from where that is.
json path_of(const std::string& file) {
  std::error_code ignored;
  return file.empty() ? json() : json(std::filesystem::absolute(file, ignored).string());
}

/// The options that differ from the scenario's own parameters.
json parameters_of(const DemoOptions& options) {
  json parameters = options.transfer.values();
  parameters.erase("protocol");  // that is the cell's
  parameters["from"] = options.from;
  parameters["to"] = options.to;
  if (!options.image.empty()) parameters["image"] = path_of(options.image);
  if (!options.elf.empty()) parameters["elf"] = path_of(options.elf);
  if (!options.variant.empty()) parameters["variant"] = options.variant;
  if (options.no_recovery) parameters["recovery"] = false;
  if (options.mqtt_port != 0) parameters["mqtt_port"] = options.mqtt_port;
  parameters["limit_s"] = options.limit_seconds;
  // The demo application says so; a user's own may not.
  if (!options.image.empty() || !options.elf.empty()) parameters["last_line"] = "";
  return parameters;
}

/// What is wrong with versions and files is told before anything is started.
/// @returns the version that is updated to
Result<std::string> check_images(const CellOrder& order) {
  const scenario::Cell& cell = order.planned.cell;
  const auto scenario = scenario::Scenario::load(order.planned.entry.path, cell, order.parameters);
  if (!scenario) return tl::unexpected(scenario.error());
  const auto products = lab::BuildProducts::find(cell.board);
  if (!products) return tl::unexpected(products.error());
  const auto images =
      scenario::make_images(scenario->images, *lab::find_board(cell.board), *products, cell.seed);
  if (!images) return tl::unexpected(images.error());
  const auto offered = image::parse(images->at("update"));
  if (!offered) return tl::unexpected(offered.error());
  return image::to_string(offered->version);
}

Result<CellOrder> order_of(const DemoOptions& options) {
  const auto entries = scenario::find_scenarios({kScenario});
  if (!entries) return tl::unexpected(entries.error());
  CellOrder order{.planned = {.entry = entries->front(),
                              .cell = {.board = options.board,
                                       .data = options.transfer.protocol().value_or("mqtt"),
                                       .seed = options.seed}},
                  .parameters = parameters_of(options),
                  .out = options.out,
                  .quiet = options.quiet,
                  .keylog = options.keylog};
  const auto to = check_images(order);
  if (!to) return tl::unexpected(to.error());
  order.parameters["to"] = *to;
  return order;
}

json summarise(const CellResult& result, const json& parameters) {
  const json job = result.jobs.empty() ? json::object() : result.jobs.back();
  const json& device = result.devices.front();
  json summary = {{"result", job.value("status", "")},
                  {"reason", job.value("reason", "")},
                  {"from", parameters.at("from")},
                  {"protocol", result.data},
                  {"to", parameters.at("to")},
                  {"running", device.value("running", "")},
                  {"wall_ms", job.value("ended_ms", 0)},
                  {"boot_to_connected_ms", device.value("boot_to_connected_ms", 0)},
                  {"image_bytes", result.images.at("update").at("bytes")},
                  {"transfer_ms", job.value("transfer_ms", 0)},
                  {"job", job.value("job", "")},
                  {"run", result.run},
                  {"repeat", result.repeat}};
  if (!device.contains("problem")) {
    summary["flash"] = {{"slot", device.at("slot")},
                        {"version", device.at("starts_next")},
                        {"standing", device.at("standing")},
                        {"verified", true},
                        {"holds_update", device.at("image") == "update"}};
    return summary;
  }
  summary["flash"] = {{"verified", false}, {"problem", device.at("problem")}};
  if (device.at("standing") == "recovery") summary["flash"]["recovery"] = device.at("starts_next");
  return summary;
}

/// The cloud, the device's console and the flash must tell the same story.
Result<void> verdict(const CellResult& result, const json& summary) {
  const std::string hint = fmt::format(
      "The device's console is in {0}/devices/thing-1/uart.log, all that happened in {0}/report.html.",
      result.run);
  const json& device = result.devices.front();
  if (device.contains("went_off")) return fail(ExitCode::kFailed, device.at("went_off"), hint);
  if (result.passed()) return {};
  const std::string status = summary.value("result", "");
  const std::string reason = summary.value("reason", "");
  const bool is_refused = status == "FAILED" || status == "REJECTED" || status == "TIMED_OUT";
  if (!is_refused) return fail(ExitCode::kFailed, result.failures.front(), hint);
  return fail(ExitCode::kFailed,
              fmt::format("the job ended {}: {}", status, reason.empty() ? "no reason given" : reason), hint);
}

void print_summary(const json& s) {
  const std::string status = s.value("result", "");
  fmt::print("{}: {} -> {}, the device runs {}\n", status.empty() ? "no job" : status, s.value("from", ""),
             s.value("to", ""), s.value("running", ""));
  const json& flash = s["flash"];
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
  fmt::print("next:  otasim report open {}\n", scenario::shell_word(s.value("run", "")));
}

}  // namespace

Result<void> demo(const DemoOptions& options) {
  const auto order = order_of(options);
  if (!order) return tl::unexpected(order.error());
  const auto result = run_cell(*order, /*program=*/{});  // it does not kill its simulator
  if (!result) return tl::unexpected(result.error());
  const json summary = summarise(*result, order->parameters);
  if (options.json) {
    fmt::print("{}\n", summary.dump());
  } else {
    print_summary(summary);
    print_warnings(*result);
  }
  std::fflush(stdout);
  return verdict(*result, summary);
}

}  // namespace otasim::cli
