#include "sim/scenario/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "sim/scenario/event_pattern.h"

namespace otasim::scenario {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMaxFiles = 16;

/// A text with `${NAME}` in it: one that is nothing else becomes the value itself, with its type.
class Parameters {
 public:
  explicit Parameters(json values) : values_(std::move(values)) {}

  /// @returns the name of the parameter that does not exist
  /// @param pointer  becomes where it is asked for
  std::optional<std::string> put_into(json& value, std::string& pointer) const {
    if (value.is_string()) return put_into_text(value);
    if (!value.is_structured()) return std::nullopt;
    const std::string own = pointer;
    for (const auto& [name, inner] : value.items()) {
      pointer = (json::json_pointer(own) / name).to_string();
      if (auto missing = put_into(inner, pointer)) return missing;
    }
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

/// Reads a scenario's file and those it includes into one.
class Loader {
 public:
  Loader(const Cell& cell, const json& overrides) : cell_(cell), overrides_(overrides) {}

  Result<Scenario> load(const std::string& path) {
    if (auto collected = collect(path, nullptr, ""); !collected) return tl::unexpected(collected.error());
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

  /// Included files may leave out what only a whole scenario needs.
  static const Shape& fragment_shape() {
    static const Shape kFragment = [] {
      Shape shape = scenario_shape();
      shape.name = "included file";
      for (Member& member : shape.members) member.is_required = false;
      return shape;
    }();
    return kFragment;
  }

  /// Reads a file behind those it includes, and their parameters.
  Result<void> collect(const std::string& path, const JsonText* includer, const std::string& pointer) {
    const auto complain = [&](const std::string& message) -> Result<void> {
      if (includer == nullptr) return fail(ExitCode::kUsage, message);
      return tl::unexpected(
          includer->error_at(pointer, message, "Included files are named from the including file's folder."));
    };
    if (!seen_.insert(fs::weakly_canonical(path).string()).second) {
      return complain(fmt::format("'{}' is included twice", path));
    }
    if (seen_.size() > kMaxFiles) return complain(fmt::format("more than {} files are included", kMaxFiles));
    auto text = JsonText::read(path);
    if (!text) {
      if (includer == nullptr) return tl::unexpected(text.error());
      return complain(text.error().message);
    }
    if (auto checked = check(*text, "", head_shape()); !checked) return checked;
    const json includes = text->value().value("include", json::array());
    for (std::size_t i = 0; i < includes.size(); ++i) {
      const std::string file = (fs::path(path).parent_path() / includes[i].get<std::string>()).string();
      if (auto collected = collect(file, &*text, fmt::format("/include/{}", i)); !collected) return collected;
    }
    parameters_.update(text->value().value("parameters", json::object()));
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
    if (auto checked = check_patterns(root, text, ""); !checked) return checked;
    for (const char* name : {"images", "groups"}) {
      if (root.contains(name)) merged_[name].update(root.at(name));
    }
    if (root.contains("devices")) merged_["devices"] = root.at("devices");
    for (const json& fault : root.value("faults", json::array())) faults_.push_back(fault);
    take_steps(text);
    return {};
  }

  void take_steps(const JsonText& text) {
    const json steps = text.value().value("steps", json::array());
    for (std::size_t i = 0; i < steps.size(); ++i) {
      json step = steps[i];
      if (!counts(step)) continue;
      step.erase("only");
      const int line = text.line_of(fmt::format("/steps/{}", i));
      json arguments = step.begin().value();
      for (const char* list : {"for_all", "for_any"}) keep_what_counts(arguments, list);
      steps_.push_back({step.begin().key(), std::move(arguments), fmt::format("{}:{}", text.name(), line)});
    }
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

  /// Whatever has an `event` member is a pattern.
  static Result<void> check_patterns(const json& value, const JsonText& text, const std::string& pointer) {
    if (value.is_object() && value.contains("event")) {
      const auto pattern = EventPattern::parse(value);
      if (pattern) return {};
      return tl::unexpected(text.error_at(pointer, pattern.error().message, pattern.error().hint));
    }
    if (!value.is_structured()) return {};
    for (const auto& [name, inner] : value.items()) {
      const std::string child = (json::json_pointer(pointer) / name).to_string();
      if (auto checked = check_patterns(inner, text, child); !checked) return checked;
    }
    return {};
  }

  Result<Scenario> finish(const JsonText& text) {
    const json& root = text.value();
    for (const auto& [name, value] : overrides_.items()) {
      if (parameters_.contains(name)) continue;
      return fail(ExitCode::kUsage, fmt::format("the scenario '{}' has no parameter '{}'",
                                                root.at("name").get<std::string>(), name));
    }
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
    scenario.images = merged_.value("images", json::object());
    scenario.devices = merged_.value("devices", json{{{"name", "thing-1"}, {"image", "factory"}}});
    scenario.groups = merged_.value("groups", json::object());
    scenario.expect = root.at("expect");
    for (const char* name : {"jobs", "devices", "trace", "never"}) keep_what_counts(scenario.expect, name);
    scenario.faults = std::move(faults_);
    scenario.steps = std::move(steps_);
    if (auto names = check_names(scenario, text); !names) return tl::unexpected(names.error());
    return scenario;
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

  /// Every image and device that is named must be there.
  static Result<void> check_names(const Scenario& scenario, const JsonText& text) {
    std::vector<std::string> images;
    std::vector<std::string> devices;
    for (const auto& [name, image] : scenario.images.items()) images.push_back(name);
    for (const json& device : scenario.devices) devices.push_back(device.at("name"));
    const auto missing = [](const json& object, const char* member, const std::vector<std::string>& names) {
      return object.contains(member) &&
             std::ranges::find(names, object.at(member).get<std::string>()) == names.end();
    };
    const auto complaint = [](const std::string& where, const char* what, const json& object,
                              const char* member, const std::vector<std::string>& names) {
      return fail(ExitCode::kUsage,
                  fmt::format("{}: there is no {} '{}'", where, what, object.at(member).get<std::string>()),
                  names.empty() ? fmt::format("The scenario defines no {}.", what)
                                : fmt::format("There is: {}.", fmt::join(names, ", ")));
    };
    if (scenario.devices.empty()) {
      return tl::unexpected(text.error_at("/devices", "a scenario needs a device"));
    }
    for (std::size_t i = 0; i < scenario.devices.size(); ++i) {
      const std::string where =
          fmt::format("{}:{}", text.name(), text.line_of(fmt::format("/devices/{}/image", i)));
      const json& device = scenario.devices[i];
      if (missing(device, "image", images)) return complaint(where, "image", device, "image", images);
      if (std::ranges::count(devices, device.at("name").get<std::string>()) > 1) {
        return fail(ExitCode::kUsage, fmt::format("{}: there are two devices named '{}'", where,
                                                  device.at("name").get<std::string>()));
      }
    }
    for (const Step& step : scenario.steps) {
      if (missing(step.arguments, "image", images))
        return complaint(step.where, "image", step.arguments, "image", images);
      if (missing(step.arguments, "device", devices)) {
        return complaint(step.where, "device", step.arguments, "device", devices);
      }
    }
    for (const char* list : {"jobs", "devices"}) {
      for (const json& item : scenario.expect.value(list, json::array())) {
        const std::string where =
            fmt::format("{}:{}", text.name(), text.line_of(fmt::format("/expect/{}", list)));
        if (missing(item, "image", images)) return complaint(where, "image", item, "image", images);
        if (missing(item, "device", devices)) return complaint(where, "device", item, "device", devices);
      }
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
  std::set<std::string> seen_;
};

}  // namespace

Result<Scenario> Scenario::load(const std::string& path, const Cell& cell, const json& parameters) {
  return Loader(cell, parameters).load(path);
}

}  // namespace otasim::scenario
