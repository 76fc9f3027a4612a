// The tables of the scenario format: the schema has all of them, each shape is one thing under its name, and
// what comes with otasim is within them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "sim/base/file_io.h"
#include "sim/scenario/json_text.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/shape.h"

namespace otasim::scenario {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Every shape that can be reached, by name.
void collect(const Shape& shape, std::map<std::string, const Shape*>& shapes) {
  const auto [found, is_new] = shapes.emplace(shape.name, &shape);
  EXPECT_EQ(found->second, &shape) << "two shapes are called '" << shape.name << "'";
  if (!is_new) return;
  for (const auto* members : {&shape.members, &shape.common}) {
    for (const Member& member : *members) {
      if (member.shape != nullptr) collect(*member.shape, shapes);
    }
  }
}

std::map<std::string, const Shape*> all_shapes() {
  std::map<std::string, const Shape*> shapes;
  collect(scenario_shape(), shapes);
  return shapes;
}

TEST(Vocabulary, EveryMemberHasWhatItsKindNeeds) {
  for (const auto& [name, shape] : all_shapes()) {
    EXPECT_FALSE(shape->doc.empty()) << name;
    std::set<std::string_view> seen;
    for (const auto* members : {&shape->members, &shape->common}) {
      for (const Member& member : *members) {
        const std::string where = name + '.' + std::string(member.name);
        EXPECT_TRUE(seen.insert(member.name).second) << where << " stands there twice";
        EXPECT_FALSE(member.doc.empty()) << where;
        const bool needs_shape =
            member.kind == Kind::kObject || member.kind == Kind::kList || member.kind == Kind::kMap;
        EXPECT_EQ(member.shape != nullptr, needs_shape) << where;
        EXPECT_LE(member.min, member.max) << where;
        if (!member.values.empty()) {
          EXPECT_TRUE(member.kind == Kind::kText || member.kind == Kind::kTexts) << where;
        }
        EXPECT_FALSE(shape->is_choice && member.is_required) << where;
      }
    }
  }
}

TEST(Vocabulary, TheSchemaHasEveryMemberOfEveryTable) {
  const json schema = json_schema(scenario_shape());
  const auto shapes = all_shapes();
  for (const auto& [name, shape] : shapes) {
    const json& definition = shape == &scenario_shape() ? schema : schema.at("$defs").at(name);
    EXPECT_EQ(definition.at("properties").size(), shape->members.size() + shape->common.size()) << name;
    EXPECT_EQ(definition.at("additionalProperties"), shape->is_open) << name;
    for (const auto* members : {&shape->members, &shape->common}) {
      for (const Member& member : *members) {
        EXPECT_EQ(definition.at("properties").at(std::string(member.name)).at("description"), member.doc)
            << name;
      }
    }
  }
  EXPECT_EQ(schema.at("$defs").size(), shapes.size()) << "all but the root, and the parameter";
}

TEST(Vocabulary, AFaultsNameIsALayerAndAWord) {
  const auto faults = std::ranges::find(scenario_shape().members, "faults", &Member::name);
  ASSERT_NE(faults, scenario_shape().members.end());
  for (const Member& fault : faults->shape->members) {
    EXPECT_THAT(std::string(fault.name), testing::MatchesRegex("[a-z]+\\.[a-z0-9_]+"));
    ASSERT_NE(fault.shape, nullptr);
    const auto has = [&](std::string_view name) {
      return std::ranges::find(fault.shape->members, name, &Member::name) != fault.shape->members.end();
    };
    for (const char* common : {"id", "device", "when", "until", "after_ms"}) {
      EXPECT_TRUE(has(common)) << fault.name << ' ' << common;
    }
  }
}

/// A value against the schema, as far as ours goes: types, properties, additional ones, references, anyOf,
/// oneOf.
class SchemaCheck {
 public:
  explicit SchemaCheck(const json& root) : root_(root) {}

  [[nodiscard]] std::string problem(const json& value, const json& schema, const std::string& at = "") const {
    if (schema.contains("$ref")) return problem(value, resolved(schema.at("$ref")), at);
    if (schema.contains("anyOf")) return any_of(value, schema.at("anyOf"), at);
    if (schema.contains("type") && !has_type(value, schema.at("type"))) return at + " has another type";
    if (schema.contains("enum") && std::ranges::find(schema.at("enum"), value) == schema.at("enum").end()) {
      return at + " is none of the values";
    }
    if (value.is_object() && schema.contains("additionalProperties")) return object(value, schema, at);
    if (value.is_array() && schema.contains("items")) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        auto found = problem(value[i], schema.at("items"), at + '/' + std::to_string(i));
        if (!found.empty()) return found;
      }
    }
    return {};
  }

 private:
  [[nodiscard]] const json& resolved(const std::string& reference) const {
    constexpr std::string_view kPrefix = "#/$defs/";
    return root_.at("$defs").at(reference.substr(kPrefix.size()));
  }
  [[nodiscard]] std::string any_of(const json& value, const json& schemas, const std::string& at) const {
    for (const json& schema : schemas) {
      if (problem(value, schema, at).empty()) return {};
    }
    return at + " is none of what it may be";
  }
  static bool has_type(const json& value, const json& type) {
    if (type.is_array()) {
      return std::ranges::any_of(type, [&](const json& one) { return has_type(value, one); });
    }
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "boolean") return value.is_boolean();
    return type == "null" && value.is_null();
  }
  [[nodiscard]] std::string object(const json& value, const json& schema, const std::string& at) const {
    const json properties = schema.value("properties", json::object());
    for (const auto& [name, inner] : value.items()) {
      const std::string child = at + '/' + name;
      const json& more = schema.at("additionalProperties");
      if (!properties.contains(name) && more == false) return child + " is not in the schema";
      const json any = json::object();
      const json& own = properties.contains(name) ? properties.at(name) : more.is_object() ? more : any;
      if (auto found = problem(inner, own, child); !found.empty()) return found;
    }
    for (const json& name : schema.value("required", json::array())) {
      if (!value.contains(name.get<std::string>())) return at + " lacks " + name.get<std::string>();
    }
    if (!schema.contains("oneOf")) return {};
    const auto chosen = std::ranges::count_if(schema.at("oneOf"), [&](const json& one) {
      return value.contains(one.at("required").at(0).get<std::string>());
    });
    return chosen == 1 ? "" : at + " must have exactly one member";
  }

  const json& root_;
};

std::vector<std::string> library_files(const char* folder) {
  std::vector<std::string> files;
  for (const auto& file : fs::directory_iterator(fs::path(OTASIM_SCENARIOS) / folder)) {
    if (file.path().extension() == ".jsonc") files.push_back(file.path().string());
  }
  std::ranges::sort(files);
  return files;
}

TEST(Library, EachScenarioIsWhatAnEditorTakesForOne) {
  const json schema = json_schema(scenario_shape());
  const auto files = library_files(".");
  ASSERT_FALSE(files.empty());
  for (const std::string& file : files) {
    const auto text = JsonText::read(file);
    ASSERT_TRUE(text.has_value()) << text.error().message;
    EXPECT_EQ(SchemaCheck(schema).problem(text->value(), schema), "") << file;
    EXPECT_EQ(text->value().value("$schema", ""), "scenario.schema.json") << file;
  }
}

TEST(Library, TheSchemaCheckFindsWhatIsNotInTheSchema) {
  const json schema = json_schema(scenario_shape());
  const json sound =
      json::parse(R"({"name": "a", "title": "b", "limit_s": "${x}", "expect": {"refused_by": ["pal"]},
      "images": {"factory": {"version": "1.0.0"}}, "steps": [{"say": {"text": "x"}, "only": {"data": "mqtt"}}]})");
  const SchemaCheck check(schema);
  EXPECT_EQ(check.problem(sound, schema), "");
  const auto with = [&](const char* pointer, const json& value) {
    json changed = sound;
    changed[json::json_pointer(pointer)] = value;
    return check.problem(changed, schema);
  };
  EXPECT_EQ(with("/nmae", "a"), "/nmae is not in the schema");
  EXPECT_EQ(with("/limit_s", "x y"), "") << "that a text has a parameter in it is the pattern's to say";
  EXPECT_EQ(with("/slow", 5), "/slow is none of what it may be");
  EXPECT_EQ(with("/images/factory/verison", "a"), "/images/factory/verison is not in the schema");
  EXPECT_EQ(with("/steps/0/wait", json::object()), "/steps/0 must have exactly one member");
  EXPECT_EQ(with("/steps/0/say/text", 5), "/steps/0/say/text has another type");
}

TEST(Library, EachScenarioLoadsForEachOfItsProtocols) {
  for (const std::string& file : library_files(".")) {
    for (const char* data : {"mqtt", "http"}) {
      const auto scenario = Scenario::load(file, {.data = data});
      EXPECT_TRUE(scenario.has_value()) << scenario.error().message;
    }
  }
}

/// The names of events that a JSON value asks for.
void events_in(const json& value, std::set<std::string>& names) {
  if (value.is_object() && value.contains("event") && value.at("event").is_string())
    names.insert(value.at("event"));
  if (!value.is_structured()) return;
  for (const auto& inner : value) events_in(inner, names);
}

TEST(Library, EachEventThatAScenarioNamesIsDocumented) {
  const auto bytes = read_file(std::string(OTASIM_SCENARIOS) + "/../../docs/events.md");
  ASSERT_TRUE(bytes.has_value());
  const std::string document(bytes->begin(), bytes->end());
  std::set<std::string> names;
  for (const char* folder : {".", "include"}) {
    for (const std::string& file : library_files(folder)) events_in(JsonText::read(file)->value(), names);
  }
  ASSERT_FALSE(names.empty());
  for (const std::string& name : names) {
    const std::size_t dot = name.find('.');
    EXPECT_NE(document.find('`' + name.substr(0, dot) + '`'), std::string::npos) << name;
    EXPECT_NE(document.find('`' + name.substr(dot + 1) + '`'), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace otasim::scenario
