#include "sim/scenario/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <set>

#include "sim/lab/boards.h"
#include "sim/scenario/event_pattern.h"

namespace otasim::scenario {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMaxFiles = 16;
constexpr std::string_view kGroupPrefix = "group:";
constexpr std::array kCellParameters{"board", "data", "seed"};
constexpr std::array kLists{"for_all", "for_any"};
constexpr const char* kUnless = "unless";

/// A text with `${NAME}` in it: one that is nothing else becomes the value itself, with its type. An object's
/// member whose value that is goes with it if the parameter is null.
class Parameters {
 public:
  explicit Parameters(json values) : values_(std::move(values)) {}

  /// @returns the name of the parameter that does not exist
  /// @param pointer  becomes where it is asked for
  std::optional<std::string> put_into(json& value, std::string& pointer) const {
    if (value.is_string()) return put_into_text(value);
    if (!value.is_structured()) return std::nullopt;
    const std::string own = pointer;
    std::vector<std::string> left_out;
    for (const auto& [name, inner] : value.items()) {
      pointer = (json::json_pointer(own) / name).to_string();
      const bool was_text = inner.is_string();
      if (auto missing = put_into(inner, pointer)) return missing;
      if (was_text && inner.is_null() && value.is_object()) left_out.push_back(name);
    }
    for (const std::string& name : left_out) value.erase(name);
    pointer = own;
    return std::nullopt;
  }
  [[nodiscard]] std::vector<std::string_view> names() const {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : values_.items()) names.emplace_back(name);
    return names;
  }

 private:
  std::optional<std::string> put_into_text(json& value) const {
    const std::string text = value.get<std::string>();
    std::string out;
    std::size_t at = 0;
    for (;;) {
      const std::size_t start = text.find("${", at);
      if (start == std::string::npos) break;
      const std::size_t end = text.find('}', start);
      if (end == std::string::npos) break;
      const std::string name = text.substr(start + 2, end - start - 2);
      const auto found = values_.find(name);
      if (found == values_.end()) return name;
      if (start == 0 && end + 1 == text.size()) {
        value = *found;
        return std::nullopt;
      }
      out += text.substr(at, start - at);
      out += found->is_string() ? found->get<std::string>() : found->dump();
      at = end + 1;
    }
    value = out + text.substr(at);
    return std::nullopt;
  }

  json values_;
};

/// The names that a scenario defines, and the complaint about one that it does not.
class Names {
 public:
  explicit Names(const Scenario& scenario) {
    for (const auto& [name, image] : scenario.images.items()) names_["image"].push_back(name);
    for (const json& device : scenario.devices) names_["device"].push_back(device.at("name"));
    for (const auto& [name, group] : scenario.groups.items()) names_["group"].push_back(name);
  }

  /// Whether the member, if it is there, names a `what`.
  [[nodiscard]] Result<void> check(const json& object, const char* member, const char* what,
                                   const std::string& where) const {
    return object.contains(member) ? known(object.at(member), what, where) : Result<void>{};
  }
  [[nodiscard]] Result<void> check_groups(const json& device, const std::string& where) const {
    for (const json& group : device.value("groups", json::array())) {
      if (auto found = known(group, "group", where); !found) return found;
    }
    return {};
  }
  [[nodiscard]] Result<void> check_step(const Step& step) const {
    if (step.name == "fault") return check(step.arguments.begin().value(), "device", "device", step.where);
    for (const char* what : {"image", "device"}) {
      if (auto found = check(step.arguments, what, what, step.where); !found) return found;
    }
    if (step.name != "update" && step.name != "job") return {};
    for (const json& target : step.arguments.value("to", json::array())) {
      if (auto found = check_target(target, step.where); !found) return found;
    }
    return {};
  }

 private:
  [[nodiscard]] Result<void> check_target(const std::string& target, const std::string& where) const {
    if (target.starts_with(kGroupPrefix)) return known(target.substr(kGroupPrefix.size()), "group", where);
    return known(target, "device", where);
  }

  [[nodiscard]] Result<void> known(const std::string& name, const char* what,
                                   const std::string& where) const {
    const std::vector<std::string>& all = names_.at(what);
    if (std::ranges::find(all, name) != all.end()) return {};
    return fail(ExitCode::kUsage, fmt::format("{}: there is no {} '{}'", where, what, name),
                all.empty() ? fmt::format("The scenario defines no {}.", what)
                            : fmt::format("There is: {}.", fmt::join(all, ", ")));
  }

  std::map<std::string, std::vector<std::string>> names_{{"image", {}}, {"device", {}}, {"group", {}}};
};

/// Reads a scenario's file and those it includes into one.
class Loader {
 public:
  Loader(const Cell& cell, const json& overrides) : cell_(cell), overrides_(overrides) {}

  /// @param text  what the file holds, if it is at hand
  Result<Scenario> load(const std::string& path, std::optional<std::string_view> text) {
    if (auto collected = collect(path, nullptr, "", text); !collected) {
      return tl::unexpected(collected.error());
    }
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const bool is_scenario = i + 1 == files_.size();
      if (auto taken = take(files_[i], is_scenario ? scenario_shape() : fragment_shape()); !taken) {
        return tl::unexpected(taken.error());
      }
    }
    const JsonText& own = files_.back();
    const std::string name = own.value().at("name");
    if (const std::string stem = fs::path(path).stem().string(); name != stem) {
      return tl::unexpected(
          own.error_at("/name", fmt::format("the scenario is named '{}', but its file '{}'", name, stem),
                       "Give both the same name: scenarios are found by their files' names."));
    }
    return finish(own);
  }

 private:
  /// What has to be known before parameters can be put in.
  static const Shape& head_shape() {
    static const Shape kHead{
        .name = "scenario",
        .doc = "",
        .members = {{.name = "include", .kind = Kind::kTexts, .doc = "a list of files"},
                    {.name = "parameters", .kind = Kind::kScalars, .doc = "names and values"}},
        .is_open = true};
    return kHead;
  }

  /// Included files hold what is taken over, and nothing that would be passed over.
  static const Shape& fragment_shape() {
    static const Shape kFragment = [] {
      constexpr std::array<std::string_view, 9> kTaken{"$schema", "title",  "include", "parameters", "images",
                                                       "devices", "groups", "faults",  "steps"};
      Shape shape = scenario_shape();
      shape.name = "an included file";
      std::erase_if(shape.members, [&](const Member& member) {
        return std::ranges::find(kTaken, member.name) == kTaken.end();
      });
      for (Member& member : shape.members) member.is_required = false;
      return shape;
    }();
    return kFragment;
  }

  /// Reads a file behind those it includes, and their parameters.
  Result<void> collect(const std::string& path, const JsonText* includer, const std::string& pointer,
                       std::optional<std::string_view> given) {
    const auto complain = [&](const std::string& message) -> Result<void> {
      if (includer == nullptr) return fail(ExitCode::kUsage, message);
      return tl::unexpected(
          includer->error_at(pointer, message, "Included files are named from the including file's folder."));
    };
    std::error_code error;
    const fs::path canonical = fs::weakly_canonical(path, error);
    if (error) return complain(fmt::format("'{}' cannot be read: {}", path, error.message()));
    if (!seen_.insert(canonical.string()).second) {
      return complain(fmt::format("'{}' is included twice", path));
    }
    if (seen_.size() > kMaxFiles) return complain(fmt::format("more than {} files are included", kMaxFiles));
    if (!given && fs::exists(path, error) && !fs::is_regular_file(path, error)) {
      return complain(fmt::format("'{}' is no file", path));
    }
    auto text = given ? JsonText::parse(*given, path) : JsonText::read(path);
    if (!text) {
      if (includer == nullptr || text.error().message.starts_with(path)) return tl::unexpected(text.error());
      return complain(text.error().message);
    }
    if (auto checked = check(*text, "", head_shape()); !checked) return checked;
    const json own = text->value().value("parameters", json::object());
    for (const char* name : kCellParameters) {
      if (!own.contains(name)) continue;
      return tl::unexpected(text->error_at(fmt::format("/parameters/{}", name),
                                           fmt::format("the parameter '{}' is always there", name),
                                           "It says what the run is of; give yours another name."));
    }
    const json includes = text->value().value("include", json::array());
    for (std::size_t i = 0; i < includes.size(); ++i) {
      const std::string file = (fs::path(path).parent_path() / includes[i].get<std::string>()).string();
      if (auto collected = collect(file, &*text, fmt::format("/include/{}", i), {}); !collected) {
        return collected;
      }
    }
    parameters_.update(own);
    files_.push_back(std::move(*text));
    return {};
  }

  /// Puts the parameters into a file, checks it, and takes it over.
  Result<void> take(JsonText& text, const Shape& shape) {
    json value = text.value();
    const Parameters parameters(all_parameters());
    std::string pointer;
    if (const auto missing = parameters.put_into(value, pointer)) {
      const std::string near = nearest(*missing, parameters.names());
      return tl::unexpected(
          text.error_at(pointer, fmt::format("there is no parameter '{}'", *missing),
                        near.empty() ? "Define it in 'parameters'; board, data and seed are always there."
                                     : fmt::format("Did you mean '{}'?", near)));
    }
    text.replace(std::move(value));
    if (auto checked = check(text, "", shape); !checked) return checked;
    const json& root = text.value();
    if (auto checked = check_patterns(text); !checked) return checked;
    if (auto checked = check_waits(text); !checked) return checked;
    if (auto checked = check_boards(text); !checked) return checked;
    take_images(text);
    const json groups = root.value("groups", json::object());
    for (const auto& [name, group] : groups.items()) {
      merged_["groups"][name] = group;
      group_places_[name] = place(text, json::json_pointer("/groups") / name);
    }
    if (root.contains("devices")) {
      merged_["devices"] = root.at("devices");
      devices_text_ = &text;
    }
    const json faults = root.value("faults", json::array());
    for (std::size_t i = 0; i < faults.size(); ++i) {
      faults_.push_back(faults[i]);
      fault_places_.push_back(place(text, json::json_pointer(fmt::format("/faults/{}", i))));
    }
    take_steps(text);
    return {};
  }

  static std::string place(const JsonText& text, const json::json_pointer& pointer) {
    return fmt::format("{}:{}", text.name(), text.line_of(pointer.to_string()));
  }

  /// Files that images are made of are named from the folder of the file that names them.
  void take_images(const JsonText& text) {
    const json images = text.value().value("images", json::object());
    for (const auto& [name, spec] : images.items()) {
      json& image = merged_["images"][name] = spec;
      for (const char* member : {"file", "elf"}) {
        if (!image.contains(member)) continue;
        const fs::path file = image.at(member).get<std::string>();
        image[member] = (fs::path(text.name()).parent_path() / file).string();
      }
    }
  }

  void take_steps(const JsonText& text) {
    const json steps = text.value().value("steps", json::array());
    for (std::size_t i = 0; i < steps.size(); ++i) {
      json step = steps[i];
      if (!counts(step)) continue;
      step.erase("only");
      json arguments = step.begin().value();
      if (step.begin().key() == "wait" && !has_to_wait(arguments)) continue;
      steps_.push_back({step.begin().key(), std::move(arguments),
                        place(text, json::json_pointer(fmt::format("/steps/{}", i)))});
    }
  }

  /// Leaves the patterns that count here. @returns whether there are any
  [[nodiscard]] bool has_to_wait(json& wait) const {
    keep_what_counts(wait, kUnless);
    if (wait.contains("for")) {
      if (!counts(wait.at("for"))) return false;
      wait.at("for").erase("only");
      return true;
    }
    for (const char* list : kLists) {
      if (!wait.contains(list)) continue;
      keep_what_counts(wait, list);
      return !wait.at(list).empty();
    }
    return false;
  }

  [[nodiscard]] json all_parameters() const {
    json all = {{"board", cell_.board}, {"data", cell_.data}, {"seed", cell_.seed}};
    all.update(parameters_);
    all.update(overrides_);
    return all;
  }

  [[nodiscard]] bool counts(const json& item) const {
    const json only = item.value("only", json::object());
    if (only.contains("data") && only.at("data") != cell_.data) return false;
    if (!only.contains("boards")) return true;
    return std::ranges::find(only.at("boards"), json(cell_.board)) != only.at("boards").end();
  }

  /// Where the patterns of a file are; `only` has a meaning in some of them.
  struct PatternPlace {
    json::json_pointer pointer;
    bool takes_only = true;
  };

  static void add_pattern_places(const json& list, const json::json_pointer& pointer,
                                 std::vector<PatternPlace>& places) {
    for (std::size_t i = 0; i < list.size(); ++i) places.push_back({pointer / i});
  }
  static void add_fault_places(const json& fault, const json::json_pointer& pointer,
                               std::vector<PatternPlace>& places) {
    for (const char* trigger : {"when", "until"}) {
      if (!fault.begin().value().contains(trigger)) continue;
      places.push_back({pointer / fault.begin().key() / trigger, /*takes_only=*/false});
    }
  }
  static std::vector<PatternPlace> pattern_places(const json& root) {
    std::vector<PatternPlace> places;
    const json steps = root.value("steps", json::array());
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const json::json_pointer at = json::json_pointer("/steps") / i;
      if (steps[i].contains("fault")) add_fault_places(steps[i].at("fault"), at / "fault", places);
      if (!steps[i].contains("wait")) continue;
      const json& wait = steps[i].at("wait");
      if (wait.contains("for")) places.push_back({at / "wait" / "for"});
      for (const char* list : {kLists[0], kLists[1], kUnless}) {
        add_pattern_places(wait.value(list, json::array()), at / "wait" / list, places);
      }
    }
    const json faults = root.value("faults", json::array());
    for (std::size_t i = 0; i < faults.size(); ++i) {
      add_fault_places(faults[i], json::json_pointer("/faults") / i, places);
    }
    const json expect = root.value("expect", json::object());
    for (const char* list : {"trace", "never"}) {
      add_pattern_places(expect.value(list, json::array()), json::json_pointer("/expect") / list, places);
    }
    return places;
  }

  static Result<void> check_patterns(const JsonText& text) {
    const json& root = text.value();
    for (const PatternPlace& place : pattern_places(root)) {
      const json& value = root.at(place.pointer);
      const auto pattern = place.takes_only ? EventPattern::parse(value) : EventPattern::parse_trigger(value);
      if (!pattern) {
        return tl::unexpected(
            text.error_at(place.pointer.to_string(), pattern.error().message, pattern.error().hint));
      }
      if (place.takes_only || !value.contains("only")) continue;
      return tl::unexpected(text.error_at((place.pointer / "only").to_string(),
                                          "'only' has no meaning in what begins or ends a fault",
                                          "Let the step that arms the fault have it."));
    }
    const json jobs = root.value("expect", json::object()).value("jobs", json::array());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const std::string problem = problem_with(jobs[i].value("reason", json()));
      if (!problem.empty()) {
        return tl::unexpected(text.error_at(fmt::format("/expect/jobs/{}/reason", i), problem));
      }
    }
    return {};
  }

  static Result<void> check_waits(const JsonText& text) {
    const json steps = text.value().value("steps", json::array());
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (!steps[i].contains("wait")) continue;
      const json& wait = steps[i].at("wait");
      const std::string pointer = fmt::format("/steps/{}/wait", i);
      if (wait.contains("for") + wait.contains("for_all") + wait.contains("for_any") != 1) {
        return tl::unexpected(
            text.error_at(pointer, "wait must have exactly one of for, for_all and for_any"));
      }
      if (wait.contains("times") && !wait.contains("for")) {
        return tl::unexpected(text.error_at(pointer + "/times", "'times' counts the events of 'for' only"));
      }
      for (const char* list : kLists) {
        if (!wait.contains(list) || !wait.at(list).empty()) continue;
        return tl::unexpected(text.error_at(fmt::format("{}/{}", pointer, list),
                                            fmt::format("'{}' names no event to wait for", list)));
      }
    }
    return {};
  }

  /// Every board that is named must be one.
  static Result<void> check_boards(const JsonText& text) {
    const json& root = text.value();
    if (auto checked = check_boards_at(text, json::json_pointer("/boards")); !checked) return checked;
    const std::size_t steps = root.value("steps", json::array()).size();
    for (std::size_t i = 0; i < steps; ++i) {
      const auto at = json::json_pointer("/steps") / i / "only" / "boards";
      if (auto checked = check_boards_at(text, at); !checked) return checked;
    }
    for (const PatternPlace& place : pattern_places(root)) {
      if (!place.takes_only) continue;
      if (auto checked = check_boards_at(text, place.pointer / "only" / "boards"); !checked) return checked;
    }
    return {};
  }
  static Result<void> check_boards_at(const JsonText& text, const json::json_pointer& pointer) {
    if (!text.value().contains(pointer)) return {};
    const json& boards = text.value().at(pointer);
    for (std::size_t i = 0; i < boards.size(); ++i) {
      if (lab::find_board(boards[i].get<std::string>()) != nullptr) continue;
      return tl::unexpected(text.error_at((pointer / i).to_string(),
                                          fmt::format("there is no board '{}'", boards[i].get<std::string>()),
                                          fmt::format("There is: {}.", fmt::join(lab::board_names(), ", "))));
    }
    return {};
  }

  Result<Scenario> finish(const JsonText& text) {
    const json& root = text.value();
    if (auto known = check_overrides(root.at("name")); !known) return tl::unexpected(known.error());
    Scenario scenario;
    scenario.file = text.name();
    scenario.name = root.at("name");
    scenario.title = root.at("title");
    scenario.source = root.value("source", "");
    scenario.kind = root.value("class", "own");
    scenario.is_slow = root.value("slow", false);
    scenario.boards = root.value("boards", std::vector<std::string>{});
    scenario.data = root.value("data", std::vector<std::string>{"mqtt", "http"});
    scenario.needs = root.value("needs", std::vector<std::string>{});
    scenario.limit_s = root.value("limit_s", scenario.limit_s);
    scenario.mqtt_port = root.value("mqtt_port", scenario.mqtt_port);
    scenario.images = merged_.value("images", json::object());
    scenario.devices = merged_.value("devices", json{{{"name", "thing-1"}, {"image", "factory"}}});
    scenario.groups = merged_.value("groups", json::object());
    scenario.expect = root.at("expect");
    scenario.faults = std::move(faults_);
    scenario.steps = std::move(steps_);
    if (auto names = check_names(scenario, text); !names) return tl::unexpected(names.error());
    for (const char* name : {"jobs", "devices", "trace", "never"}) keep_what_counts(scenario.expect, name);
    return scenario;
  }

  [[nodiscard]] Result<void> check_overrides(const std::string& scenario) const {
    for (const auto& [name, value] : overrides_.items()) {
      if (parameters_.contains(name)) continue;
      std::vector<std::string_view> names;
      for (const auto& [known, ignored] : parameters_.items()) names.emplace_back(known);
      const std::string near = nearest(name, names);
      return fail(ExitCode::kUsage, fmt::format("the scenario '{}' has no parameter '{}'", scenario, name),
                  names.empty()  ? "It has none."
                  : near.empty() ? fmt::format("It has: {}.", fmt::join(names, ", "))
                                 : fmt::format("Did you mean '{}'?", near));
    }
    return {};
  }

  void keep_what_counts(json& expect, const char* name) const {
    if (!expect.is_object() || !expect.contains(name)) return;
    json kept = json::array();
    for (json item : expect.at(name)) {
      if (!counts(item)) continue;
      item.erase("only");
      kept.push_back(std::move(item));
    }
    expect[name] = std::move(kept);
  }

  /// Every image, device and group that is named must be there.
  [[nodiscard]] Result<void> check_names(const Scenario& scenario, const JsonText& text) const {
    if (scenario.devices.empty()) {
      return tl::unexpected(devices_text_->error_at("/devices", "a scenario needs a device"));
    }
    const Names names(scenario);
    if (auto checked = check_devices(scenario, names, text); !checked) return checked;
    for (const auto& [name, group] : scenario.groups.items()) {
      if (auto known = names.check(group, "parent", "group", group_places_.at(name)); !known) return known;
    }
    for (std::size_t i = 0; i < scenario.faults.size(); ++i) {
      const json& arguments = scenario.faults[i].begin().value();
      if (auto known = names.check(arguments, "device", "device", fault_places_[i]); !known) return known;
    }
    for (const Step& step : scenario.steps) {
      if (auto known = names.check_step(step); !known) return known;
    }
    for (const char* list : {"jobs", "devices"}) {
      const json items = scenario.expect.value(list, json::array());
      for (std::size_t i = 0; i < items.size(); ++i) {
        for (const char* what : {"image", "device"}) {
          const auto at = json::json_pointer("/expect") / list / i / what;
          if (auto known = names.check(items[i], what, what, place(text, at)); !known) return known;
        }
      }
    }
    return {};
  }

  [[nodiscard]] Result<void> check_devices(const Scenario& scenario, const Names& names,
                                           const JsonText& own) const {
    const JsonText& text = devices_text_ == nullptr ? own : *devices_text_;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < scenario.devices.size(); ++i) {
      const json& device = scenario.devices[i];
      const auto at = json::json_pointer("/devices") / i;
      if (auto known = names.check(device, "image", "image", place(text, at / "image")); !known) return known;
      if (auto known = names.check_groups(device, place(text, at / "groups")); !known) return known;
      const std::string name = device.at("name");
      if (seen.insert(name).second) continue;
      return tl::unexpected(
          text.error_at((at / "name").to_string(), fmt::format("there are two devices named '{}'", name)));
    }
    return {};
  }

  const Cell& cell_;
  const json& overrides_;
  std::vector<JsonText> files_;  // included ones first
  json parameters_ = json::object();
  json merged_ = json::object();
  std::vector<Step> steps_;
  std::vector<json> faults_;
  std::vector<std::string> fault_places_;            // "FILE:LINE" of each
  std::map<std::string, std::string> group_places_;  // by name
  const JsonText* devices_text_ = nullptr;           // of the file that defines the devices
  std::set<std::string> seen_;
};

}  // namespace

Result<Scenario> Scenario::load(const std::string& path, const Cell& cell, const json& parameters) {
  return Loader(cell, parameters).load(path, std::nullopt);
}

Result<Scenario> Scenario::from_text(std::string_view text, const std::string& path, const Cell& cell,
                                     const json& parameters) {
  return Loader(cell, parameters).load(path, text);
}

Result<void> Scenario::check_fault_names(const json& fault, const std::string& where) const {
  return Names(*this).check(fault.begin().value(), "device", "device", where);
}

}  // namespace otasim::scenario
