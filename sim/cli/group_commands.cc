// `otasim group ...`: the thing groups of a running lab.
#include <fmt/format.h>

#include "sim/base/json.h"
#include "sim/base/json_members.h"
#include "sim/cli/command.h"
#include "sim/cli/table.h"
#include "sim/control/client.h"

namespace otasim::cli {
namespace {

using nlohmann::json;

struct GroupOptions {
  LabOptions common;
  std::string name;
  std::string parent;
  std::string description;
  std::vector<std::string> things;
};

void print_groups(const std::vector<json>& groups) {
  std::vector<TableRow> rows{{"NAME", "PARENT", "THINGS"}};
  for (const json& group : groups) {
    const auto things = texts_member(group, "things").value_or(std::vector<std::string>());
    rows.push_back({text_member(group, "name").value_or(""), text_member(group, "parent").value_or(""),
                    fmt::format("{}", fmt::join(things, ","))});
  }
  fmt::print("{}", format_table(rows));
}

Result<void> call_and_show(const LabOptions& options, const std::string& command, json arguments) {
  const auto result = control::call_lab(options.folder(), {command, std::move(arguments)});
  if (!result) return tl::unexpected(result.error());
  if (options.json) {
    fmt::print("{}\n", result->dump());
  } else if (result->is_array()) {
    print_groups({result->begin(), result->end()});
  } else if (result->contains("things")) {
    print_groups({*result});
  }
  return {};
}

Result<void> create(const GroupOptions& options) {
  json arguments{{"name", options.name}, {"description", options.description}};
  if (!options.parent.empty()) arguments["parent"] = options.parent;
  return call_and_show(options.common, "group.create", std::move(arguments));
}

CLI::App* add_subcommand(CLI::App* group, const char* name, const char* help, GroupOptions& options) {
  CLI::App* const command = group->add_subcommand(name, help);
  command->add_option("NAME", options.name, "The group")->required();
  add_lab_options(command, options.common);
  return command;
}

}  // namespace

void add_group(CLI::App& app, Command& command) {
  static GroupOptions options;
  CLI::App* const group = app.add_subcommand("group", "The thing groups of a running lab");
  group->require_subcommand(1);

  CLI::App* const create_command = add_subcommand(group, "create", "Make a group", options);
  create_command->add_option("--parent", options.parent, "Group it is below");
  create_command->add_option("--description", options.description, "What it is for");
  create_command->callback([&command] { command = [] { return create(options); }; });

  CLI::App* const list_command = group->add_subcommand("list", "Show all groups and their members");
  add_lab_options(list_command, options.common);
  list_command->callback(
      [&command] { command = [] { return call_and_show(options.common, "group.list", json::object()); }; });

  struct Action {
    const char* name;
    const char* help;
  };
  for (const Action& action :
       {Action{"add", "Add devices to a group: they get its continuous jobs"},
        Action{"remove", "Take devices out of a group: what is open of its continuous jobs is removed"}}) {
    CLI::App* const sub = add_subcommand(group, action.name, action.help, options);
    sub->add_option("DEVICE", options.things, "The devices")->required();
    sub->callback([&command, name = action.name] {
      command = [name] {
        return call_and_show(options.common, fmt::format("group.{}", name),
                             {{"name", options.name}, {"things", options.things}});
      };
    });
  }

  add_subcommand(group, "delete", "Delete a group; its members stay devices", options)->callback([&command] {
    command = [] { return call_and_show(options.common, "group.delete", {{"name", options.name}}); };
  });
}

}  // namespace otasim::cli
