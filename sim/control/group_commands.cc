// group.*: thing groups and their members.
#include <fmt/format.h>

#include "sim/control/all_pages.h"
#include "sim/control/lab_commands.h"

namespace otasim::control {
namespace {

using cloud::GroupName;
using cloud::ThingName;

Result<GroupName> parse_group(const std::string& name) {
  if (auto parsed = GroupName::parse(name)) return *parsed;
  return fail(ExitCode::kUsage, fmt::format("'{}' is not a group's name", name),
              "A name has 1 to 128 letters, digits, '-', '_' or ':'.");
}

Result<ThingName> parse_thing(const std::string& name) {
  if (auto parsed = ThingName::parse(name)) return *parsed;
  return fail(ExitCode::kUsage, fmt::format("'{}' is not a thing's name", name));
}

class GroupCommands {
 public:
  explicit GroupCommands(cloud::Cloud& cloud) : cloud_(cloud) {}

  Answer create(Arguments& arguments, const ReplyPtr&) {
    const std::string name = arguments.text("name");
    const auto parent = arguments.optional_text("parent");
    const std::string description = arguments.text("description", {});
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    auto group = parse_group(name);
    if (!group) return tl::unexpected(group.error());
    cloud::CreateThingGroupRequest request{.name = *group, .description = description};
    if (parent) {
      auto parsed = parse_group(*parent);
      if (!parsed) return tl::unexpected(parsed.error());
      request.parent = *parsed;
    }
    const auto made = cloud_.groups().create(request);
    if (!made) return tl::unexpected(made.error().to_error(fmt::format("cannot make the group '{}'", name)));
    return describe(*made);
  }

  Answer list(Arguments& arguments, const ReplyPtr&) {
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    const auto groups = all_pages<cloud::ThingGroup>(
        [this](const cloud::PageRequest& page) { return cloud_.groups().list(page); });
    if (!groups) return tl::unexpected(groups.error().to_error("cannot list the groups"));
    nlohmann::json list = nlohmann::json::array();
    for (const cloud::ThingGroup& group : *groups) {
      auto described = describe(group);
      if (!described) return described;
      list.push_back(std::move(**described));
    }
    return list;
  }

  Answer add(Arguments& arguments, const ReplyPtr&) {
    return for_each_thing(arguments, [this](const GroupName& group, const ThingName& thing) {
      return cloud_.groups().add_thing(group, thing);
    });
  }
  Answer remove(Arguments& arguments, const ReplyPtr&) {
    return for_each_thing(arguments, [this](const GroupName& group, const ThingName& thing) {
      return cloud_.groups().remove_thing(group, thing);
    });
  }

  Answer drop(Arguments& arguments, const ReplyPtr&) {
    const std::string name = arguments.text("name");
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    const auto group = parse_group(name);
    if (!group) return tl::unexpected(group.error());
    if (const auto removed = cloud_.groups().remove(*group); !removed) {
      return tl::unexpected(removed.error().to_error(fmt::format("cannot delete the group '{}'", name)));
    }
    return nlohmann::json{{"name", name}};
  }

 private:
  template <typename Act>
  Answer for_each_thing(Arguments& arguments, const Act& act) {
    const std::string name = arguments.text("name");
    const std::vector<std::string> things = arguments.texts("things");
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    const auto group = parse_group(name);
    if (!group) return tl::unexpected(group.error());
    for (const std::string& one : things) {
      const auto thing = parse_thing(one);
      if (!thing) return tl::unexpected(thing.error());
      if (const cloud::ServiceResult<void> done = act(*group, *thing); !done) {
        return tl::unexpected(done.error().to_error(fmt::format("group '{}', thing '{}'", name, one)));
      }
    }
    const auto now = cloud_.groups().describe(*group);
    if (!now) return tl::unexpected(now.error().to_error(fmt::format("group '{}'", name)));
    return describe(*now);
  }

  Answer describe(const cloud::ThingGroup& group) {
    const auto members = all_pages<ThingName>([&](const cloud::PageRequest& page) {
      return cloud_.groups().things_in(group.name, /*recursive=*/false, page);
    });
    if (!members) return tl::unexpected(members.error().to_error("cannot list a group's members"));
    nlohmann::json things = nlohmann::json::array();
    for (const ThingName& thing : *members) things.push_back(thing.str());
    return nlohmann::json{{"name", group.name.str()},
                          {"parent", group.parent ? nlohmann::json(group.parent->str()) : nlohmann::json()},
                          {"description", group.description},
                          {"things", things}};
  }

  cloud::Cloud& cloud_;
};

}  // namespace

void add_group_commands(CommandTable& table, cloud::Cloud& cloud) {
  const auto commands = std::make_shared<GroupCommands>(cloud);
  const auto add = [&](const char* name, Answer (GroupCommands::*command)(Arguments&, const ReplyPtr&)) {
    table.add(name, [commands, command](Arguments& arguments, const ReplyPtr& reply) {
      return (*commands.*command)(arguments, reply);
    });
  };
  add("group.create", &GroupCommands::create);
  add("group.list", &GroupCommands::list);
  add("group.add", &GroupCommands::add);
  add("group.remove", &GroupCommands::remove);
  add("group.delete", &GroupCommands::drop);
}

}  // namespace otasim::control
