// device.*: the fleet's devices.
#include <fmt/format.h>

#include <algorithm>

#include "pal_sim/flash/flash_map.h"
#include "sim/base/file_io.h"
#include "sim/control/lab_commands.h"

namespace otasim::control {
namespace {

std::string_view to_string(lab::LabDevice::Power power) {
  switch (power) {
    case lab::LabDevice::Power::kOff:
      return "off";
    case lab::LabDevice::Power::kOn:
      return "on";
    case lab::LabDevice::Power::kStopping:
      return "stopping";
  }
  return "unknown";
}

/// Those of device.add that lab::transfer_settings_from() reads.
nlohmann::json transfer_arguments(Arguments& arguments) {
  nlohmann::json values = nlohmann::json::object();
  for (const char* name : {"protocol", "stream_format"}) {
    if (const auto text = arguments.optional_text(name)) values[name] = *text;
  }
  for (const char* name : {"block_size", "blocks_per_request", "blocks_in_flight"}) {
    if (const auto number = arguments.optional_integer(name)) values[name] = *number;
  }
  if (arguments.flag("start_next")) values["start_next"] = true;
  return values;
}

class DeviceCommands {
 public:
  DeviceCommands(lab::RunningLab& lab, lab::Fleet& fleet) : lab_(lab), fleet_(fleet) {}

  Answer add(Arguments& arguments, const ReplyPtr& reply) {
    lab::NewDevice request;
    request.name = arguments.text("name");
    request.board = arguments.text("board");
    const std::string image = arguments.text("image");
    request.groups = arguments.texts("groups");
    const auto seed = arguments.optional_integer("seed");
    const nlohmann::json transfer = transfer_arguments(arguments);
    request.has_recovery = !arguments.flag("no_recovery");
    const bool stays_off = arguments.flag("off");
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    if (seed) request.seed = static_cast<std::uint64_t>(*seed);
    auto settings = lab::transfer_settings_from(transfer);
    if (!settings) return tl::unexpected(settings.error());
    request.transfer = *settings;
    auto bytes = read_regular_file(image, flash::kSlotSize);
    if (!bytes) return tl::unexpected(bytes.error());
    request.image = std::move(*bytes);
    if (auto added = fleet_.add(request); !added) return tl::unexpected(added.error());
    if (stays_off) return describe(request.name);
    start_when_ready(request.name, reply);
    return std::nullopt;
  }

  Answer list(Arguments& arguments, const ReplyPtr&) {
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    nlohmann::json list = nlohmann::json::array();
    for (const std::string& name : fleet_.names()) {
      auto device = describe(name);
      if (!device) return device;
      list.push_back(std::move(**device));
    }
    return list;
  }

  Answer start(Arguments& arguments, const ReplyPtr&) {
    return act(arguments, [this](const std::string& name) { return fleet_.start(name); });
  }
  Answer cut(Arguments& arguments, const ReplyPtr&) {
    return act(arguments, [this](const std::string& name) { return fleet_.cut(name); });
  }
  Answer reset(Arguments& arguments, const ReplyPtr&) {
    return act(arguments, [this](const std::string& name) { return fleet_.reset(name); });
  }

  /// The broker closes its connection; it comes back when its client tries again.
  Answer kick(Arguments& arguments, const ReplyPtr&) {
    return act(arguments, [this](const std::string& name) -> Result<void> {
      if (auto known = fleet_.find(name); !known) return tl::unexpected(known.error());
      if (!lab_.is_connected(name)) {
        return fail(ExitCode::kUsage, fmt::format("device '{}' is not connected to the broker", name),
                    "Wait until it has connected; a device that is off does not.");
      }
      lab_.kick(name);
      return {};
    });
  }

  Answer stop(Arguments& arguments, const ReplyPtr& reply) {
    const std::string name = arguments.text("name");
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    auto stopping = fleet_.stop(name, [this, name, reply] { answer_with_device(name, reply); });
    if (!stopping) return tl::unexpected(stopping.error());
    return std::nullopt;
  }

  Answer console(Arguments& arguments, const ReplyPtr& reply) {
    const std::string name = arguments.text("name");
    const auto wanted = arguments.optional_integer("lines");
    const bool follow = arguments.flag("follow");
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    const auto device = fleet_.find(name);
    if (!device) return tl::unexpected(device.error());
    const auto& lines = (*device)->console_lines();
    const auto most = static_cast<std::size_t>(std::max<std::int64_t>(0, wanted.value_or(kDefaultLines)));
    for (std::size_t i = lines.size() - std::min(most, lines.size()); i < lines.size(); ++i) {
      reply->output({{"line", lines[i]}});
    }
    if (!follow) return nlohmann::json::object();
    follow_console(**device, reply);
    return std::nullopt;
  }

  Answer reprovision(Arguments& arguments, const ReplyPtr& reply) {
    const std::string name = arguments.text("name");
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    const auto device = fleet_.find(name);
    if (!device) return tl::unexpected(device.error());
    const bool was_on = (*device)->power() != lab::LabDevice::Power::kOff;
    if (auto done = fleet_.reprovision(name); !done) return tl::unexpected(done.error());
    if (!was_on) return describe(name);
    start_when_ready(name, reply);
    return std::nullopt;
  }

  Answer remove(Arguments& arguments, const ReplyPtr&) {
    const std::string name = arguments.text("name");
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    if (auto removed = fleet_.remove(name); !removed) return tl::unexpected(removed.error());
    return nlohmann::json{{"name", name}};
  }

 private:
  static constexpr std::int64_t kDefaultLines = 100;

  template <typename Act>
  Answer act(Arguments& arguments, const Act& do_it) {
    const std::string name = arguments.text("name");
    if (auto checked = arguments.check(); !checked) return tl::unexpected(checked.error());
    if (Result<void> done = do_it(name); !done) return tl::unexpected(done.error());
    return describe(name);
  }

  Answer describe(const std::string& name) {
    const auto device = fleet_.find(name);
    if (!device) return tl::unexpected(device.error());
    const auto groups = lab_.cloud().groups().groups_of(cloud::ThingName::trusted(name));
    if (!groups) return tl::unexpected(groups.error().to_error("cannot read the device's groups"));
    nlohmann::json group_names = nlohmann::json::array();
    for (const cloud::GroupName& group : *groups) group_names.push_back(group.str());
    const lab::DeviceRecord& record = fleet_.record(name);
    return nlohmann::json{{"name", name},
                          {"board", record.board},
                          {"power", to_string((*device)->power())},
                          {"connected", lab_.is_connected(name)},
                          {"running", (*device)->running_version()},
                          {"in_recovery", (*device)->is_in_recovery()},
                          {"factory_version", record.factory_version},
                          {"recovery_version", record.recovery_version},
                          {"groups", group_names},
                          {"mac", link::to_string(record.mac)},
                          {"seed", record.seed},
                          {"transfer", lab::to_json(record.transfer)},
                          {"problem", (*device)->problem()},
                          {"folder", (*device)->spec().folder}};
  }

  void answer_with_device(const std::string& name, const ReplyPtr& reply) {
    const Answer device = describe(name);
    if (!device) return reply->error(device.error());
    reply->result(**device);
  }

  /// The broker learns of a new certificate first.
  void start_when_ready(const std::string& name, const ReplyPtr& reply) {
    lab_.when_ready([this, name, reply] {
      if (auto started = fleet_.start(name); !started) return reply->error(started.error());
      answer_with_device(name, reply);
    });
  }

  static void follow_console(lab::LabDevice& device, const ReplyPtr& reply) {
    const auto listening = std::make_shared<cloud::Subscription>();
    // The reply holds the listener, and the listener the reply, until one side ends.
    reply->on_gone([listening] { listening->reset(); });
    *listening = device.listen_console({
        .on_line =
            [reply](std::string_view line) {
              reply->output({{"line", line}});
            },
        .on_end = [reply] { reply->result(nlohmann::json::object()); },
    });
  }

  lab::RunningLab& lab_;
  lab::Fleet& fleet_;
};

}  // namespace

void add_device_commands(CommandTable& table, lab::RunningLab& lab, lab::Fleet& fleet) {
  const auto commands = std::make_shared<DeviceCommands>(lab, fleet);
  const auto add = [&](const char* name, Answer (DeviceCommands::*command)(Arguments&, const ReplyPtr&)) {
    table.add(name, [commands, command](Arguments& arguments, const ReplyPtr& reply) {
      return (*commands.*command)(arguments, reply);
    });
  };
  add("device.add", &DeviceCommands::add);
  add("device.list", &DeviceCommands::list);
  add("device.start", &DeviceCommands::start);
  add("device.stop", &DeviceCommands::stop);
  add("device.cut", &DeviceCommands::cut);
  add("device.reset", &DeviceCommands::reset);
  add("device.kick", &DeviceCommands::kick);
  add("device.console", &DeviceCommands::console);
  add("device.reprovision", &DeviceCommands::reprovision);
  add("device.remove", &DeviceCommands::remove);
}

}  // namespace otasim::control
