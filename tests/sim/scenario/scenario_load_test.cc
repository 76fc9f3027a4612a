// Loading a scenario: parameters, includes, what counts where, and every name that must exist. What is wrong
// is said with the file and line it stands in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sim/base/file_io.h"
#include "sim/base/temp_dir.h"
#include "sim/scenario/scenario.h"

namespace otasim::scenario {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kHead = "\"name\": \"case\", \"title\": \"T\"";
constexpr const char* kImages = ", \"images\": {\"factory\": {\"version\": \"1.0.0\"}}";

class Load : public testing::Test {
 protected:
  /// @returns its path
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder.file(name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    EXPECT_TRUE(write_file_atomic(path, text).has_value());
    return path;
  }
  Result<Scenario> load(const std::string& text, const json& parameters = json::object()) {
    return Scenario::load(write("case.jsonc", text), cell, parameters);
  }
  /// A scenario with these members beside its head, each on lines of their own.
  Result<Scenario> with(const std::string& members, const json& parameters = json::object()) {
    const bool has_images = members.find("\"images\":") != std::string::npos;
    return load("{" + std::string(kHead) + (has_images ? "" : kImages) + ",\n" + members + "}", parameters);
  }
  Scenario good(const std::string& members, const json& parameters = json::object()) {
    auto scenario = with(members, parameters);
    EXPECT_TRUE(scenario.has_value()) << (scenario ? "" : scenario.error().message);
    return scenario ? std::move(*scenario) : Scenario{};
  }
  /// "FILE:LINE: MESSAGE | HINT" without the folder.
  std::string problem(const std::string& members, const json& parameters = json::object()) {
    return said(with(members, parameters));
  }
  [[nodiscard]] std::string said(const Result<Scenario>& scenario) const {
    if (scenario) return "none";
    EXPECT_EQ(scenario.error().code, ExitCode::kUsage);
    std::string text = scenario.error().message + " | " + scenario.error().hint;
    const std::string prefix = folder.path().string() + '/';
    for (std::size_t at; (at = text.find(prefix)) != std::string::npos;) text.erase(at, prefix.size());
    return text;
  }

  TempDir folder = TempDir::create().value();
  Cell cell{.board = "mps2-an385", .data = "mqtt", .seed = 7};
};

TEST_F(Load, WhatIsLeftOutHasItsDefault) {
  const Scenario scenario = good(R"("steps": [], "expect": {})");
  EXPECT_EQ(scenario.name, "case");
  EXPECT_EQ(scenario.title, "T");
  EXPECT_EQ(scenario.kind, "own");
  EXPECT_FALSE(scenario.is_slow);
  EXPECT_THAT(scenario.boards, IsEmpty());
  EXPECT_THAT(scenario.data, ElementsAre("mqtt", "http"));
  EXPECT_EQ(scenario.limit_s, 60);
  EXPECT_EQ(scenario.devices, json::parse(R"([{"name": "thing-1", "image": "factory"}])"));
  EXPECT_EQ(scenario.expect, json::object());
}

TEST_F(Load, WhatIsGivenIsTaken) {
  const Scenario scenario = good(R"("class": "aws", "slow": true, "boards": ["mps2-an385"], "data": ["http"],
      "source": "S", "needs": ["otp"], "limit_s": 2.5, "groups": {"g": {}},
      "devices": [{"name": "d", "image": "factory", "groups": ["g"]}],
      "faults": [{"device.reset": {"device": "d"}}],
      "steps": [{"say": {"text": "hello"}},
                {"power": {"device": "d", "to": "off"}}],
      "expect": {"refused_by": []})");
  EXPECT_EQ(scenario.kind, "aws");
  EXPECT_TRUE(scenario.is_slow);
  EXPECT_THAT(scenario.boards, ElementsAre("mps2-an385"));
  EXPECT_THAT(scenario.data, ElementsAre("http"));
  EXPECT_THAT(scenario.needs, ElementsAre("otp"));
  EXPECT_EQ(scenario.limit_s, 2.5);
  EXPECT_THAT(scenario.faults, ElementsAre(json::parse(R"({"device.reset": {"device": "d"}})")));
  ASSERT_EQ(scenario.steps.size(), 2U);
  EXPECT_EQ(scenario.steps[1].name, "power");
  EXPECT_EQ(scenario.steps[1].arguments, json::parse(R"({"device": "d", "to": "off"})"));
  EXPECT_EQ(scenario.steps[1].where, folder.file("case.jsonc") + ":7");
}

TEST_F(Load, ATextAtHandIsLoadedAsAFileIs) {
  const std::string text = "{" + std::string(kHead) + kImages + ", \"steps\": [], \"expect\": {}}";
  const auto scenario = Scenario::from_text(text, "/nowhere/case.jsonc", cell);
  ASSERT_TRUE(scenario.has_value()) << scenario.error().message;
  EXPECT_EQ(scenario->file, "/nowhere/case.jsonc");
}

// ---- the file itself

TEST_F(Load, TheNameIsTheFiles) {
  EXPECT_EQ(
      said(Scenario::load(
          write("other.jsonc", "{\"title\": \"T\",\n\"name\": \"case\", \"steps\": [], \"expect\": {}}"),
          cell)),
      "other.jsonc:2: the scenario is named 'case', but its file 'other' | Give both the same name: "
      "scenarios are "
      "found by their files' names.");
}

TEST_F(Load, WhatCannotBeReadIsSaid) {
  EXPECT_THAT(said(Scenario::load(folder.file("none.jsonc"), cell)), HasSubstr("none.jsonc"));
  EXPECT_THAT(said(Scenario::load(folder.path().string(), cell)), HasSubstr("is no file"));
  EXPECT_THAT(said(Scenario::load("/" + std::string(5'000, 'x'), cell)), HasSubstr("cannot be read"));
  EXPECT_THAT(said(load("{\n\"name\" 1}")), HasSubstr("case.jsonc:2: no JSON"));
  EXPECT_THAT(said(load("[]")), HasSubstr("case.jsonc:1: scenario must be an object"));
  EXPECT_EQ(said(load("{\"name\": \"case\", \"title\": \"T\", \"steps\": []}")),
            "case.jsonc:1: scenario needs the member 'expect' | expect: What must come of it");
}

TEST_F(Load, WhatTheTablesDoNotKnowIsSaidWithItsLine) {
  EXPECT_EQ(problem("\"steps\": [\n{\"wiat\": {}}], \"expect\": {}"),
            "case.jsonc:3: step has no member 'wiat' | Did you mean 'wait'?");
  EXPECT_EQ(problem("\"steps\": [],\n\"expect\": {\n\"refused_by\": [\"pall\"]}"),
            "case.jsonc:4: 'refused_by' cannot be 'pall' | Did you mean 'pal'?");
}

TEST_F(Load, WhatAFaultNamesWronglyIsSaidWithItsLineAndTheNearestName) {
  const auto with_fault = [this](const std::string& fault) {
    return problem("\"faults\": [\n{" + fault + "}], \"steps\": [], \"expect\": {}");
  };
  EXPECT_EQ(with_fault(R"("flash.powercut": {})"),
            "case.jsonc:3: fault has no member 'flash.powercut' | Did you mean 'flash.power_cut'?");
  EXPECT_EQ(with_fault("\"flash.power_cut\": {\n\"kind\": \"erased\"}"),
            "case.jsonc:4: 'kind' cannot be 'erased' | Did you mean 'erase'?");
  EXPECT_EQ(with_fault("\"flash.power_cut\": {\n\"phase\": \"with\"}"),
            "case.jsonc:4: 'phase' cannot be 'with' | Did you mean 'within'?");
  EXPECT_EQ(with_fault("\"flash.worn\": {\n\n\"partition\": \"slot-c\"}"),
            "case.jsonc:5: 'partition' cannot be 'slot-c' | Did you mean 'slot-a'?");
  EXPECT_EQ(with_fault("\"flash.bit_rot\": {\"partition\": \"boot-contrl-1\"}"),
            "case.jsonc:3: 'partition' cannot be 'boot-contrl-1' | Did you mean 'boot-control-1'?");
  EXPECT_EQ(with_fault("\"flash.power_cut\": {\n\"when\": {\"event\": \"boot.strat\"}}"),
            "case.jsonc:4: there is no stage of the boot 'boot.strat' | Did you mean 'boot.start'?");
  EXPECT_EQ(with_fault("\"flash.power_cut\": {\n\"when\": {\"event\": \"cloud.job_executoin\"}}"),
            "case.jsonc:4: there is no event 'cloud.job_executoin' | Did you mean 'cloud.job_execution'?");
  EXPECT_THAT(with_fault("\"device.reset\": {\"until\": {\"event\": \"boot.coffee-machine\"}}"),
              HasSubstr("There are boot.reset, boot.control, boot.verify, boot.start"));
}

TEST_F(Load, WhatAStepsFaultNamesWronglyIsSaidToo) {
  EXPECT_EQ(
      problem("\"steps\": [\n{\"fault\": {\"flash.silent_drop\": {\n\"kind\": \"lock\"}}}], \"expect\": {}"),
      "case.jsonc:4: 'kind' cannot be 'lock' | It may be: program, erase, otp_program.");
}

// ---- parameters

TEST_F(Load, AParameterAloneKeepsItsType) {
  const Scenario scenario =
      good(R"("parameters": {"limit": 12, "on": false, "version": "2.0.0", "nothing": null},
      "limit_s": "${limit}",
      "images": {"factory": {"version": "${version}"}},
      "devices": [{"name": "d", "image": "factory", "on": "${on}"}],
      "steps": [{"wait": {"for": {"event": "boot.b", "x": "${nothing}", "y": {"at_least": "${limit}"}}}}],
      "expect": {})");
  EXPECT_EQ(scenario.limit_s, 12);
  EXPECT_EQ(scenario.images.at("factory").at("version"), "2.0.0");
  EXPECT_EQ(scenario.devices[0].at("on"), false);
  EXPECT_EQ(scenario.steps[0].arguments,
            json::parse(R"({"for": {"event": "boot.b", "y": {"at_least": 12}}})"));
}

TEST_F(Load, AMemberWhoseParameterIsNullIsLeftOut) {
  constexpr const char* kText = R"("parameters": {"variant": null, "blocks": null, "word": null},
      "images": {"factory": {"version": "1.0.0", "variant": "${variant}"}},
      "devices": [{"name": "d", "image": "factory", "transfer": {"block_size": "${blocks}"}}],
      "steps": [{"say": {"text": "a ${word}"}}, {"wait": {"for": {"event": "boot.b", "x": null}}}],
      "expect": {})";
  const Scenario without = good(kText);
  EXPECT_EQ(without.images.at("factory"), json({{"version", "1.0.0"}}));
  EXPECT_EQ(without.devices[0].at("transfer"), json::object());
  EXPECT_EQ(without.steps[0].arguments.at("text"), "a null") << "within a text it is its text";
  EXPECT_TRUE(without.steps[1].arguments.at("for").at("x").is_null()) << "a null of the file's own stays";
  const Scenario given = good(kText, {{"variant", "crash"}, {"blocks", 512}});
  EXPECT_EQ(given.images.at("factory").at("variant"), "crash");
  EXPECT_EQ(given.devices[0].at("transfer").at("block_size"), 512);
}

TEST_F(Load, AnImagesFilesAreNamedFromTheFileThatNamesThem) {
  write("include/images.jsonc", R"({"images": {"update": {"file": "own.img"}}})");
  const Scenario scenario = good(R"("include": ["include/images.jsonc"],
      "images": {"factory": {"version": "1.0.0", "elf": "app.elf"}, "other": {"file": "/own/other.img"}},
      "steps": [], "expect": {})");
  EXPECT_EQ(scenario.images.at("factory").at("elf"), folder.file("app.elf"));
  EXPECT_EQ(scenario.images.at("update").at("file"), folder.file("include/own.img"));
  EXPECT_EQ(scenario.images.at("other").at("file"), "/own/other.img");
}

TEST_F(Load, ThePortIsTheScenarios) {
  EXPECT_EQ(good(R"("steps": [], "expect": {})").mqtt_port, 0);
  EXPECT_EQ(good(R"("mqtt_port": 8883, "steps": [], "expect": {})").mqtt_port, 8883);
  EXPECT_THAT(problem("\"mqtt_port\": 65536,\n\"steps\": [], \"expect\": {}"), HasSubstr("mqtt_port"));
}

TEST_F(Load, AParameterWithinATextIsItsText) {
  const Scenario scenario = good(R"("parameters": {"n": 5, "half": 0.5, "flag": true, "word": "x"},
      "steps": [{"say": {"text": "${n}${n} ${half} is ${flag} ${word} $n {n} ${"}}], "expect": {})");
  EXPECT_EQ(scenario.steps[0].arguments.at("text"), "55 0.5 is true x $n {n} ${");
}

TEST_F(Load, ParametersStandInListsAndExpectationsAndIncludedFiles) {
  write("part.jsonc",
        R"({"parameters": {"who": "thing-1"}, "steps": [{"say": {"text": "${who} ${late}"}}]})");
  const Scenario scenario = good(R"("include": ["part.jsonc"], "parameters": {"late": 3},
      "steps": [{"job": {"id": "j", "document": {"a": ["${late}", {"b": "${who}"}]}, "to": ["${who}"]}}],
      "expect": {"jobs": [{"job": "j", "status": "QUEUED", "reason": "${late}"}]})");
  EXPECT_EQ(scenario.steps[0].arguments.at("text"), "thing-1 3");
  EXPECT_EQ(scenario.steps[1].arguments.at("document"), json::parse(R"({"a": [3, {"b": "thing-1"}]})"));
  EXPECT_EQ(scenario.steps[1].arguments.at("to"), json({"thing-1"}));
  EXPECT_EQ(scenario.expect.at("jobs")[0].at("reason"), 3);
}

TEST_F(Load, BoardDataAndSeedAreAlwaysThere) {
  cell.data = "http";
  const Scenario scenario = good(R"("steps": [{"say": {"text": "${board} ${data} ${seed}"}}], "expect": {})");
  EXPECT_EQ(scenario.steps[0].arguments.at("text"), "mps2-an385 http 7");
  EXPECT_EQ(problem("\"parameters\": {\n\"data\": \"x\"}, \"steps\": [], \"expect\": {}"),
            "case.jsonc:3: the parameter 'data' is always there | It says what the run is of; give yours "
            "another name.");
}

TEST_F(Load, GivenParametersReplaceTheFiles) {
  const std::string members =
      R"("parameters": {"n": 1}, "steps": [{"say": {"text": "n=${n}"}}], "expect": {})";
  EXPECT_EQ(good(members, {{"n", 2}}).steps[0].arguments.at("text"), "n=2");
  EXPECT_EQ(problem(members, {{"m", 2}}), "the scenario 'case' has no parameter 'm' | Did you mean 'n'?");
  EXPECT_EQ(problem(members, {{"something", 2}}),
            "the scenario 'case' has no parameter 'something' | It has: n.");
  EXPECT_EQ(problem(members, {{"seed", 2}}), "the scenario 'case' has no parameter 'seed' | It has: n.");
  EXPECT_EQ(problem(R"("steps": [], "expect": {})", {{"n", 2}}),
            "the scenario 'case' has no parameter 'n' | It has none.");
}

TEST_F(Load, TheFilesOwnParametersReplaceAnIncludedFiles) {
  write("part.jsonc", R"({"parameters": {"n": 1, "m": 1}})");
  EXPECT_EQ(good(R"("include": ["part.jsonc"], "parameters": {"n": 2},
                    "steps": [{"say": {"text": "${n}${m}"}}], "expect": {})")
                .steps[0]
                .arguments.at("text"),
            "21");
}

TEST_F(Load, AParameterThatDoesNotExistIsSaidWhereItIsAskedFor) {
  EXPECT_EQ(problem("\"parameters\": {\"limit\": 1}, \"steps\": [\n{\"say\":\n{\"text\": \"a ${limitt}\"}}], "
                    "\"expect\": {}"),
            "case.jsonc:4: there is no parameter 'limitt' | Did you mean 'limit'?");
  EXPECT_EQ(
      problem("\"steps\": [], \"expect\": {\n\"never\": [{\"event\": \"boot.b\",\n\"x/y\": [\"${what}\"]}]}"),
      "case.jsonc:4: there is no parameter 'what' | Define it in 'parameters'; board, data and seed are "
      "always there.");
}

TEST_F(Load, AParameterOfTheWrongTypeIsSaidWhereItStands) {
  EXPECT_EQ(
      problem(
          "\"parameters\": {\"limit\": \"long\"},\n\"limit_s\": \"${limit}\", \"steps\": [], \"expect\": {}"),
      "case.jsonc:3: 'limit_s' must be a number | limit_s: The whole run's limit in seconds (default: 60)");
  EXPECT_THAT(problem("\"parameters\": {\"limit\": []}, \"steps\": [], \"expect\": {}"),
              HasSubstr("case.jsonc:2: 'parameters' must be an object"));
}

// ---- includes

TEST_F(Load, AnIncludedFileIsTakenOverFirst) {
  write("parts/base.jsonc", R"({"images": {"factory": {"version": "0.1.0"}, "old": {"version": "0.2.0"}},
      "devices": [{"name": "d", "image": "factory"}], "groups": {"g": {}},
      "faults": [{"device.reset": {"id": "base"}}], "steps": [{"say": {"text": "base"}}]})");
  write("parts/more.jsonc", R"({"include": ["base.jsonc"], "steps": [{"say": {"text": "more"}}]})");
  const Scenario scenario =
      good(R"("include": ["parts/more.jsonc"], "images": {"factory": {"version": "1.0.0"}},
      "faults": [{"device.reset": {"id": "own"}}],
      "steps": [{"say": {"text": "own"}}], "expect": {})");
  EXPECT_EQ(scenario.images.at("factory").at("version"), "1.0.0");
  EXPECT_EQ(scenario.images.at("old").at("version"), "0.2.0");
  EXPECT_EQ(scenario.devices[0].at("name"), "d");
  EXPECT_TRUE(scenario.groups.contains("g"));
  ASSERT_EQ(scenario.faults.size(), 2U);
  EXPECT_EQ(scenario.faults[0].at("device.reset").at("id"), "base");
  ASSERT_EQ(scenario.steps.size(), 3U);
  EXPECT_EQ(scenario.steps[0].where, folder.file("parts/base.jsonc") + ":3");
  EXPECT_EQ(scenario.steps[1].arguments.at("text"), "more");
  EXPECT_EQ(scenario.steps[2].arguments.at("text"), "own");
}

TEST_F(Load, AnIncludedFileThatIsWrongIsSaidWithItsOwnLine) {
  write("part.jsonc", "{\n\"steps\": [\n{\"say\": {}}]}");
  EXPECT_EQ(problem(R"("include": ["part.jsonc"], "steps": [], "expect": {})"),
            "part.jsonc:3: say needs the member 'text' | text: What");
  write("part.jsonc", "{\n\"steps\": [,]}");
  EXPECT_THAT(problem(R"("include": ["part.jsonc"], "steps": [], "expect": {})"),
              HasSubstr("part.jsonc:2: no JSON"));
}

TEST_F(Load, AnIncludedFileHoldsNothingThatWouldBePassedOver) {
  for (const char* member :
       {"\"expect\": {}", "\"limit_s\": 5", "\"boards\": []", "\"name\": \"x\"", "\"slow\": true"}) {
    write("part.jsonc", "{\n" + std::string(member) + "}");
    EXPECT_THAT(problem(R"("include": ["part.jsonc"], "steps": [], "expect": {})"),
                HasSubstr("part.jsonc:2: an included file has no member"))
        << member;
  }
}

TEST_F(Load, AnIncludeThatCannotBeReadIsSaidWhereItIsNamed) {
  EXPECT_THAT(problem("\"include\": [\n\"none.jsonc\"], \"steps\": [], \"expect\": {}"),
              HasSubstr("case.jsonc:3: "));
  EXPECT_THAT(problem("\"include\": [\n\"none.jsonc\"], \"steps\": [], \"expect\": {}"),
              HasSubstr("Included files are named from the including file's folder."));
  EXPECT_THAT(problem("\"include\": [\n\"/dev/zero\"], \"steps\": [], \"expect\": {}"),
              HasSubstr("case.jsonc:3: '/dev/zero' is no file"));
  EXPECT_THAT(problem("\"include\": [\n\"" + std::string(300, 'x') + "\"], \"steps\": [], \"expect\": {}"),
              HasSubstr("case.jsonc:3: "));
}

TEST_F(Load, FilesThatIncludeEachOtherAreRefused) {
  write("a.jsonc", "{\n\"include\": [\"b.jsonc\"]}");
  write("b.jsonc", "{\n\n\"include\": [\"./a.jsonc\"]}");
  EXPECT_THAT(problem(R"("include": ["a.jsonc"], "steps": [], "expect": {})"),
              AllOf(HasSubstr("b.jsonc:3: '"), HasSubstr("a.jsonc' is included twice")));
  EXPECT_THAT(problem(R"("include": ["case.jsonc"], "steps": [], "expect": {})"),
              HasSubstr("is included twice"));
}

TEST_F(Load, TheNumberOfFilesIsLimited) {
  for (int i = 0; i < 20; ++i) {
    write("f" + std::to_string(i) + ".jsonc", "{\"include\": [\"f" + std::to_string(i + 1) + ".jsonc\"]}");
  }
  EXPECT_THAT(problem(R"("include": ["f0.jsonc"], "steps": [], "expect": {})"),
              HasSubstr("more than 16 files are included"));
}

// ---- what counts where

TEST_F(Load, StepsAndPatternsCountWhereTheySay) {
  const std::string members = R"("steps": [
      {"say": {"text": "both"}},
      {"say": {"text": "http"}, "only": {"data": "http"}},
      {"say": {"text": "board"}, "only": {"boards": ["mps2-an385"]}},
      {"say": {"text": "no board"}, "only": {"boards": []}},
      {"wait": {"for_all": [{"event": "boot.b"}, {"event": "boot.c", "only": {"data": "http"}}]}},
      {"wait": {"for_any": [{"event": "boot.b", "only": {"data": "mqtt"}}, {"event": "boot.c", "only": {"data": "http"}}]}},
      {"wait": {"for": {"event": "boot.d", "only": {"data": "mqtt"}}}}],
    "expect": {"trace": [{"event": "boot.b", "only": {"data": "http"}}, {"event": "boot.c", "only": {"data": "mqtt"}}],
               "never": [{"event": "boot.b", "only": {"data": "mqtt"}}]})";
  const Scenario mqtt = good(members);
  ASSERT_EQ(mqtt.steps.size(), 5U);
  EXPECT_EQ(mqtt.steps[1].arguments.at("text"), "board");
  EXPECT_EQ(mqtt.steps[2].arguments, json::parse(R"({"for_all": [{"event": "boot.b"}]})"));
  EXPECT_EQ(mqtt.steps[3].arguments, json::parse(R"({"for_any": [{"event": "boot.b"}]})"));
  EXPECT_EQ(mqtt.steps[4].arguments, json::parse(R"({"for": {"event": "boot.d"}})"));
  EXPECT_EQ(mqtt.expect.at("trace"), json::parse(R"([{"event": "boot.c"}])"));
  EXPECT_EQ(mqtt.expect.at("never"), json::parse(R"([{"event": "boot.b"}])"));
  cell.data = "http";
  const Scenario http = good(members);
  ASSERT_EQ(http.steps.size(), 5U);
  EXPECT_EQ(http.steps[1].arguments.at("text"), "http");
  EXPECT_EQ(http.steps[3].arguments.at("for_all").size(), 2U);
  EXPECT_EQ(http.steps[4].arguments, json::parse(R"({"for_any": [{"event": "boot.c"}]})"));
  EXPECT_EQ(http.expect.at("never"), json::array());
}

TEST_F(Load, AWaitForNothingThatCountsIsPassedOver) {
  EXPECT_THAT(good(R"("steps": [{"wait": {"for_all": [{"event": "boot.b", "only": {"data": "http"}}]}},
                                {"wait": {"for": {"event": "boot.b", "only": {"boards": []}}}}], "expect": {})")
                  .steps,
              IsEmpty());
}

TEST_F(Load, WhatEndsAWaitAsWellIsCheckedAndCountsWhereItSays) {
  const Scenario scenario = good(R"("steps": [{"wait": {"for": {"event": "boot.b"}, "unless": [
      {"event": "boot.c"}, {"event": "boot.d", "only": {"data": "http"}}]}}], "expect": {})");
  EXPECT_EQ(scenario.steps[0].arguments.at("unless"), json::parse(R"([{"event": "boot.c"}])"));
  EXPECT_THAT(problem("\"steps\": [{\"wait\": {\"for\": {\"event\": \"boot.b\"}, \"unless\": "
                      "[{\"event\": \"cloud.jobb\"}]}}], \"expect\": {}"),
              HasSubstr("cloud.jobb"));
}

TEST_F(Load, AWaitNamesWhatItWaitsFor) {
  const auto wait = [this](const std::string& arguments) {
    return problem("\"steps\": [\n{\"wait\": {" + arguments + "}}], \"expect\": {}");
  };
  const std::string one_of = "case.jsonc:3: wait must have exactly one of for, for_all and for_any | ";
  EXPECT_EQ(wait(""), one_of);
  EXPECT_EQ(wait(R"("for": {"event": "boot.b"}, "for_any": [{"event": "boot.c"}])"), one_of);
  EXPECT_EQ(wait(R"("for_all": [])"), "case.jsonc:3: 'for_all' names no event to wait for | ");
  EXPECT_EQ(wait(R"("for_any": [{"event": "boot.b"}], "times": 2)"),
            "case.jsonc:3: 'times' counts the events of 'for' only | ");
}

TEST_F(Load, ABoardThatDoesNotExistIsSaid) {
  const std::string hint = " | There is: mps2-an385";
  EXPECT_THAT(problem("\"boards\": [\"mps2-an385\",\n\"mps2\"], \"steps\": [], \"expect\": {}"),
              HasSubstr("case.jsonc:3: there is no board 'mps2'" + hint));
  EXPECT_THAT(
      problem(
          "\"steps\": [{\"say\": {\"text\": \"x\"},\n\"only\": {\"boards\": [\"an385\"]}}], \"expect\": {}"),
      HasSubstr("case.jsonc:3: there is no board 'an385'" + hint));
  EXPECT_THAT(
      problem("\"steps\": [], \"expect\": {\"never\": [\n{\"event\": \"boot.b\", \"only\": {\"boards\": "
              "[\"x\"]}}]}"),
      HasSubstr("case.jsonc:3: there is no board 'x'" + hint));
}

// ---- patterns

TEST_F(Load, PatternsAreCheckedWhereverTheyStand) {
  const auto in = [this](const std::string& before, const std::string& after) {
    return problem(before + "\n{\"event\": \"boot.b\", \"x\": {\"at_least\": \"y\"}}" + after);
  };
  const std::string message = "case.jsonc:3: 'at_least' takes a number";
  EXPECT_THAT(in(R"("steps": [{"wait": {"for":)", R"(}}], "expect": {})"), HasSubstr(message));
  EXPECT_THAT(in(R"("steps": [{"wait": {"for_all": [)", R"(]}}], "expect": {})"), HasSubstr(message));
  EXPECT_THAT(in(R"("steps": [{"wait": {"for_any": [)", R"(]}}], "expect": {})"), HasSubstr(message));
  EXPECT_THAT(in(R"("steps": [{"fault": {"device.reset": {"when": )", R"(}}}], "expect": {})"),
              HasSubstr(message));
  EXPECT_THAT(in(R"("faults": [{"device.reset": {"until": )", R"(}}], "steps": [], "expect": {})"),
              HasSubstr(message));
  EXPECT_THAT(in(R"("steps": [], "expect": {"trace": [)", "]}"), HasSubstr(message));
  EXPECT_THAT(in(R"("steps": [], "expect": {"never": [)", "]}"), HasSubstr(message));
  EXPECT_THAT(problem("\"steps\": [], \"expect\": {\"never\": [\n{\"event\": \"reset\"}]}"),
              HasSubstr("case.jsonc:3: a pattern of events needs the member 'event'"));
}

TEST_F(Load, AReasonsOperatorIsChecked) {
  EXPECT_THAT(problem("\"steps\": [], \"expect\": {\"jobs\": [{\"job\": \"j\", \"status\": "
                      "\"FAILED\",\n\"reason\": {\"matches\": \"(\"}}]}"),
              HasSubstr("case.jsonc:3: 'matches' takes a regular expression"));
}

TEST_F(Load, OnlyHasNoMeaningInWhatTriggersAFault) {
  EXPECT_EQ(
      problem("\"faults\": [{\"device.reset\": {\"when\": {\"event\": \"boot.start\",\n\"only\": {\"data\": "
              "\"mqtt\"}}}}], \"steps\": [], \"expect\": {}"),
      "case.jsonc:3: 'only' has no meaning in what begins or ends a fault | Let the step that arms the "
      "fault have it.");
}

TEST_F(Load, WhatHappensToBeCalledEventIsNoPattern) {
  const Scenario scenario = good(R"("parameters": {"event": "x"}, "groups": {"event": {}},
      "images": {"factory": {"version": "1.0.0"}, "event": {"version": "1.0.1"}},
      "steps": [{"job": {"id": "j", "document": {"event": 5, "at_least": "all"}}}], "expect": {})");
  EXPECT_EQ(scenario.steps[0].arguments.at("document"), json::parse(R"({"event": 5, "at_least": "all"})"));
}

// ---- names

TEST_F(Load, NamesThatDoNotExistAreSaidWhereTheyStand) {
  const std::string images = " | There is: factory.";
  const std::string devices = " | There is: thing-1.";
  const std::string groups = " | The scenario defines no group.";
  EXPECT_EQ(problem("\"devices\": [{\"name\": \"d\",\n\"image\": \"new\"}], \"steps\": [], \"expect\": {}"),
            "case.jsonc:3: there is no image 'new'" + images);
  const auto step = [this](const std::string& text) {
    return problem("\"steps\": [\n" + text + "], \"expect\": {}");
  };
  EXPECT_EQ(step(R"({"update": {"id": "u", "image": "new"}})"),
            "case.jsonc:3: there is no image 'new'" + images);
  EXPECT_EQ(step(R"({"update": {"id": "u", "image": "factory", "to": ["thing-1", "thing-2"]}})"),
            "case.jsonc:3: there is no device 'thing-2'" + devices);
  EXPECT_EQ(step(R"({"job": {"id": "u", "document": 1, "to": ["group:all"]}})"),
            "case.jsonc:3: there is no group 'all'" + groups);
  EXPECT_EQ(step(R"({"power": {"device": "thing", "to": "on"}})"),
            "case.jsonc:3: there is no device 'thing'" + devices);
  EXPECT_EQ(step(R"({"fault": {"device.reset": {"device": "thing"}}})"),
            "case.jsonc:3: there is no device 'thing'" + devices);
  EXPECT_EQ(
      problem("\"faults\": [\n{\"device.reset\": {\"device\": \"thing\"}}], \"steps\": [], \"expect\": {}"),
      "case.jsonc:3: there is no device 'thing'" + devices);
  EXPECT_EQ(problem("\"steps\": [], \"expect\": {\"jobs\": [{\"job\": \"j\", \"status\": "
                    "\"QUEUED\"},\n{\"job\": \"j\", \"status\": \"QUEUED\",\n\"device\": \"thing\"}]}"),
            "case.jsonc:4: there is no device 'thing'" + devices);
  EXPECT_EQ(problem("\"steps\": [], \"expect\": {\"devices\": [{},\n{\"image\": \"new\"}]}"),
            "case.jsonc:3: there is no image 'new'" + images);
  EXPECT_EQ(problem("\"devices\": [{\"name\": \"d\", \"image\": \"factory\",\n\"groups\": [\"all\"]}], "
                    "\"steps\": [], \"expect\": {}"),
            "case.jsonc:3: there is no group 'all'" + groups);
  EXPECT_EQ(problem("\"groups\": {\"a\": {},\n\"b\": {\"parent\": \"c\"}}, \"steps\": [], \"expect\": {}"),
            "case.jsonc:3: there is no group 'c' | There is: a, b.");
}

TEST_F(Load, WithoutAFactoryImageTheDefaultDeviceHasNone) {
  EXPECT_EQ(said(load("{\"name\": \"case\", \"title\": \"T\", \"steps\": [], \"expect\": {}}")),
            "case.jsonc:1: there is no image 'factory' | The scenario defines no image.");
}

TEST_F(Load, NamesOfAnIncludedFileAreSaidWithItsLine) {
  write("part.jsonc", "{\"devices\": [\n{\"name\": \"d\",\n\"image\": \"new\"}]}");
  EXPECT_EQ(problem(R"("include": ["part.jsonc"], "steps": [], "expect": {})"),
            "part.jsonc:3: there is no image 'new' | There is: factory.");
}

TEST_F(Load, DevicesHaveNamesOfTheirOwn) {
  EXPECT_EQ(problem("\"devices\": [{\"name\": \"d\", \"image\": \"factory\"},\n{\"image\": "
                    "\"factory\",\n\"name\": \"d\"}], \"steps\": [], \"expect\": {}"),
            "case.jsonc:4: there are two devices named 'd' | ");
  EXPECT_EQ(problem("\n\"devices\": [], \"steps\": [], \"expect\": {}"),
            "case.jsonc:3: a scenario needs a device | ");
}

TEST_F(Load, AFaultFromElsewhereMustNameADevice) {
  const Scenario scenario = good(R"("steps": [], "expect": {})");
  EXPECT_TRUE(scenario.check_fault_names({{"device.reset", json::object()}}, "--fault").has_value());
  EXPECT_TRUE(scenario.check_fault_names({{"device.reset", {{"device", "thing-1"}}}}, "--fault").has_value());
  const auto checked = scenario.check_fault_names({{"device.reset", {{"device", "x"}}}}, "--fault");
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().message, "--fault: there is no device 'x'");
}

}  // namespace
}  // namespace otasim::scenario
