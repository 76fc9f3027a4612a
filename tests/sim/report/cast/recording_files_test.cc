// The files: asciicast, SVG, and the cast for GIFs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <set>
#include <sstream>

#include "sim/base/json.h"
#include "sim/report/cast/cast_writer.h"
#include "sim/report/cast/recording.h"
#include "sim/report/cast/svg.h"
#include "tests/sim/report/cast/recorded_update.h"
#include "tests/sim/report/cast/terminal.h"

namespace otasim::test {
namespace {

using nlohmann::json;
using report::cast::Film;
using report::cast::make_film;
using report::cast::RecordingKind;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

Film short_film() {
  RunFolder folder;
  record_update(folder);
  const auto run = report::cast::read_recorded_run(folder.path());
  return make_film(run.value(), {.title = "Of <one> & \"two\""});
}

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

TEST(Cast, IsAnAsciicastOfVersionTwo) {
  const auto lines = lines_of(write_cast(short_film()));
  EXPECT_EQ(lines.front().at("version"), 2);
  EXPECT_EQ(lines.front().at("width"), 100);
  EXPECT_EQ(lines.front().at("height"), 30);
  EXPECT_EQ(lines.front().at("timestamp"), RunFolder::kEpochUs / 1'000'000);
  double last = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    ASSERT_EQ(lines[i].size(), 3U);
    EXPECT_GE(lines[i][0].get<double>(), last);
    last = lines[i][0].get<double>();
    EXPECT_TRUE(lines[i][1] == "o" || lines[i][1] == "m");
  }
}

TEST(Cast, PlaysToTheLastPicture) {
  const Film film = short_film();
  Terminal terminal(film.width, film.height);
  const auto lines = lines_of(write_cast(film));
  for (std::size_t i = 1; i < lines.size(); ++i)
    if (lines[i][1] == "o") terminal.write(lines[i][2].get<std::string>());
  EXPECT_TRUE(terminal.shows(film.frames.back().picture));
  EXPECT_TRUE(terminal.shows_cursor());
}

TEST(Cast, HasItsMarkersUnlessToolsDoNotKnowThem) {
  const Film film = short_film();
  EXPECT_THAT(write_cast(film), HasSubstr("\"m\",\"update u1\""));
  EXPECT_THAT(write_cast(film, {.markers = false}), Not(HasSubstr("\"m\",")));
}

/// Every element, with its depth first.
void for_each_element(const pugi::xml_node& node, const std::function<void(const pugi::xml_node&)>& take) {
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() != pugi::node_element) continue;
    take(child);
    for_each_element(child, take);
  }
}

TEST(Svg, IsWellFormedAndNeedsNothingElse) {
  const std::string text = write_svg(short_film());
  pugi::xml_document document;
  const auto parsed = document.load_string(text.c_str());
  ASSERT_TRUE(parsed) << parsed.description() << " at " << parsed.offset;
  EXPECT_STREQ(document.child("svg").attribute("aria-label").value(), "Of <one> & \"two\"");
  std::set<std::string> ids;
  std::set<std::string> used;
  for_each_element(document, [&](const pugi::xml_node& element) {
    if (element.attribute("id")) ids.insert(element.attribute("id").value());
    const std::string href = element.attribute("href").value();
    if (!href.empty()) used.insert(href);
    EXPECT_STRNE(element.name(), "script");
    EXPECT_STRNE(element.name(), "image");
  });
  EXPECT_FALSE(used.empty());
  for (const std::string& href : used) EXPECT_THAT(ids, Contains(href.substr(1)));
  EXPECT_THAT(text, Not(HasSubstr("url(")));
}

TEST(Svg, ShowsTheLastPictureWithoutMotion) {
  pugi::xml_document document;
  const std::string text = write_svg(short_film());
  ASSERT_TRUE(document.load_string(text.c_str()));
  EXPECT_THAT(text, HasSubstr("@media(prefers-reduced-motion:reduce){.k{animation:none!important}}"));
  const auto holds = [](const pugi::xml_node& group, const char* part) {
    std::ostringstream out;
    group.print(out);
    return out.str().find(part) != std::string::npos;
  };
  bool passed_at_the_end = false;
  for_each_element(document, [&](const pugi::xml_node& element) {
    const std::string classes = element.attribute("class").value();
    const bool stays = classes.find(" z") != std::string::npos;
    if (classes.starts_with("k") && holds(element, "PASSED")) passed_at_the_end = stays;
    if (classes.starts_with("k") && holds(element, "RUNNING")) {
      EXPECT_FALSE(stays);
    }
  });
  EXPECT_TRUE(passed_at_the_end);
}

TEST(Recording, IsWhatItsNameSays) {
  EXPECT_EQ(report::cast::kind_of("a/b.svg"), RecordingKind::kSvg);
  EXPECT_EQ(report::cast::kind_of("gif-ready"), RecordingKind::kGifReady);
  EXPECT_EQ(report::cast::kind_of("x/demo.gif-ready"), RecordingKind::kGifReady);
  EXPECT_EQ(report::cast::kind_of("demo.cast"), RecordingKind::kCast);
  EXPECT_EQ(report::cast::kind_of("x.y/demo"), RecordingKind::kCast);
}

TEST(Recording, IsNoFileOfAnotherKind) {
  for (const char* name : {"demo.gif", "demo.mp4", "demo.SVG"}) {
    const auto kind = report::cast::kind_of(name);
    ASSERT_FALSE(kind.has_value()) << name;
    EXPECT_EQ(kind.error().code, ExitCode::kUsage);
    EXPECT_THAT(kind.error().hint, HasSubstr("For a GIF record gif-ready"));
  }
  RunFolder folder;
  record_update(folder);
  EXPECT_FALSE(report::cast::write_recording(folder.path(), folder.path() + "/demo.gif", {}).has_value());
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/demo.gif"));
}

TEST(Recording, IsLeftInTheRunsFolder) {
  RunFolder folder;
  record_update(folder);
  const auto written = report::cast::leave_recording(folder.path(), {});
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(written->path, folder.path() + "/demo.cast");
  EXPECT_EQ(std::filesystem::file_size(written->path), written->bytes);
}

TEST(Recording, OfAFolderWithoutEventsIsAnError) {
  const auto folder = TempDir::create();
  const auto written = report::cast::leave_recording(folder->path().string(), {});
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ExitCode::kEnvironment);
}

}  // namespace
}  // namespace otasim::test
