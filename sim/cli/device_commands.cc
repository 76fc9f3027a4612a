// `otasim device ...`: the devices of a running lab.
#include <fmt/format.h>

#include <cstdio>

#include "sim/base/json.h"
#include "sim/base/json_members.h"
#include "sim/cli/command.h"
#include "sim/cli/handed_file.h"
#include "sim/cli/table.h"
#include "sim/cli/transfer_options.h"
#include "sim/control/client.h"
#include "sim/lab/boards.h"

namespace otasim::cli {
namespace {

using nlohmann::json;

struct DeviceOptions {
  LabOptions common;
  std::string name;
  std::string board = std::string(lab::boards().front().name);
  lab::FirmwareSource firmware{.version = "1.0.0"};
  std::vector<std::string> groups;
  TransferOptions transfer;
  std::uint32_t seed = 0;
  bool has_seed = false;
  bool no_recovery = false;
  bool off = false;
  unsigned lines = 100;
  bool follow = false;
};

std::string joined(const json& device, const char* name) {
  return fmt::format("{}", fmt::join(texts_member(device, name).value_or(std::vector<std::string>()), ","));
}

TableRow row_of(const json& device) {
  const auto text = [&device](const char* name) { return text_member(device, name).value_or(""); };
  const auto flag = [&device](const char* name) { return flag_member(device, name).value_or(false); };
  return {text("name"),
          text("board"),
          text("power"),
          flag("connected") ? "yes" : "no",
          text("running") + (flag("in_recovery") ? " (recovery)" : ""),
          text("recovery_version").empty() ? "none" : text("recovery_version"),
          joined(device, "groups"),
          text("problem")};
}

void print_devices(const std::vector<json>& devices) {
  std::vector<TableRow> rows{
      {"NAME", "BOARD", "POWER", "CONNECTED", "RUNNING", "RECOVERY", "GROUPS", "PROBLEM"}};
  for (const json& device : devices) rows.push_back(row_of(device));
  fmt::print("{}", format_table(rows));
}

/// Sends a command whose result is a device, and shows that.
Result<void> call_and_show(const LabOptions& options, const std::string& command, json arguments) {
  const auto device = control::call_lab(options.folder(), {command, std::move(arguments)});
  if (!device) return tl::unexpected(device.error());
  if (options.json) {
    fmt::print("{}\n", device->dump());
  } else {
    print_devices({*device});
  }
  return {};
}

Result<void> add(const DeviceOptions& options) {
  const auto image = HandedFile::firmware(options.firmware, options.board);
  if (!image) return tl::unexpected(image.error());
  json arguments{{"name", options.name},
                 {"board", options.board},
                 {"image", image->path()},
                 {"groups", options.groups},
                 {"no_recovery", options.no_recovery},
                 {"off", options.off}};
  if (options.has_seed) arguments["seed"] = options.seed;
  arguments.update(options.transfer.values());
  return call_and_show(options.common, "device.add", std::move(arguments));
}

Result<void> list(const LabOptions& options) {
  const auto devices = control::call_lab(options.folder(), {"device.list"});
  if (!devices) return tl::unexpected(devices.error());
  if (options.json) {
    fmt::print("{}\n", devices->dump());
  } else {
    print_devices({devices->begin(), devices->end()});
  }
  return {};
}

Result<void> console(const DeviceOptions& options) {
  const json arguments{{"name", options.name}, {"lines", options.lines}, {"follow", options.follow}};
  const auto ended =
      control::call_lab(options.common.folder(), {"device.console", arguments}, [&options](const json& part) {
        if (options.common.json) {
          fmt::print("{}\n", part.dump());
        } else {
          fmt::print("{}\n", text_member(part, "line").value_or(""));
        }
        std::fflush(stdout);
      });
  if (!ended) return tl::unexpected(ended.error());
  return {};
}

Result<void> remove(const DeviceOptions& options) {
  const auto removed =
      control::call_lab(options.common.folder(), {"device.remove", {{"name", options.name}}});
  if (!removed) return tl::unexpected(removed.error());
  if (options.common.json) fmt::print("{}\n", removed->dump());
  return {};
}

CLI::App* add_subcommand(CLI::App* device, const char* name, const char* help, DeviceOptions& options) {
  CLI::App* const command = device->add_subcommand(name, help);
  command->add_option("NAME", options.name, "The device")->required();
  add_lab_options(command, options.common);
  return command;
}

}  // namespace

void add_device(CLI::App& app, Command& command) {
  static DeviceOptions options;
  CLI::App* const device = app.add_subcommand("device", "The devices of a running lab");
  device->require_subcommand(1);

  CLI::App* const add_command = add_subcommand(device, "add", "Make a device and power it on", options);
  add_command->add_option("--board", options.board, "Its board")
      ->check(CLI::IsMember(lab::board_names()))
      ->capture_default_str();
  add_command->add_option("--version", options.firmware.version, "Version its firmware is signed as")
      ->capture_default_str();
  CLI::Option* const image =
      add_command->add_option("--image", options.firmware.image, "Signed image it starts with");
  add_command
      ->add_option("--elf", options.firmware.elf,
                   "Application it starts with (default: the demo application)")
      ->excludes(image);
  add_command->add_option("--group", options.groups, "Group it joins; may be given more than once")
      ->allow_extra_args(false);
  CLI::Option* const seed =
      add_command->add_option("--seed", options.seed, "Seed of its entropy (default: its number)");
  options.transfer.add_to(add_command, "Protocol it prefers if a job offers both (default: mqtt)");
  add_command->add_flag("--no-recovery", options.no_recovery, "Leave its recovery slot empty");
  add_command->add_flag("--off", options.off, "Leave it off");
  add_command->callback([&command, seed] {
    options.has_seed = !seed->empty();
    command = [] { return add(options); };
  });

  CLI::App* const list_command = device->add_subcommand("list", "Show all devices");
  add_lab_options(list_command, options.common);
  list_command->callback([&command] { command = [] { return list(options.common); }; });

  struct Action {
    const char* name;
    const char* help;
  };
  for (const Action& action :
       {Action{"start", "Power a device on"},
        Action{"stop", "Take a device down in order: no flash operation is torn, its connections are closed"},
        Action{"cut", "Cut a device's power now: its connections stay half-open"},
        Action{"reset", "Pull a device's reset line"},
        Action{"reprovision", "Factory reset: blank flash, first firmware, new key and certificate"}}) {
    add_subcommand(device, action.name, action.help, options)->callback([&command, name = action.name] {
      command = [name] {
        return call_and_show(options.common, fmt::format("device.{}", name), {{"name", options.name}});
      };
    });
  }

  CLI::App* const console_command = add_subcommand(device, "console", "Show what a device prints", options);
  console_command->add_option("--lines", options.lines, "How many of the earlier lines to show")
      ->capture_default_str();
  console_command->add_flag("--follow", options.follow, "Go on with what it prints, until Ctrl-C");
  console_command->callback([&command] { command = [] { return console(options); }; });

  add_subcommand(device, "remove", "Take a device, its thing and its files away", options)
      ->callback([&command] { command = [] { return remove(options); }; });
}

}  // namespace otasim::cli
