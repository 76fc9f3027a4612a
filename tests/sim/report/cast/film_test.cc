#include "sim/report/cast/film.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/report/cast/layout.h"
#include "tests/sim/report/cast/recorded_update.h"

namespace otasim::test {
namespace {

using report::cast::Film;
using report::cast::FilmMarker;
using report::cast::kLeastHeight;
using report::cast::kLeastWidth;
using report::cast::kMostHeight;
using report::cast::kMostWidth;
using report::cast::make_film;
using report::cast::RecordedRun;
using report::cast::to_utf8;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string text_of(const report::cast::Grid& grid) {
  std::string text;
  for (int y = 0; y < grid.height(); ++y) {
    for (int x = 0; x < grid.width(); ++x) text += to_utf8(grid.at(x, y).glyph);
    text += '\n';
  }
  return text;
}

RecordedRun short_update() {
  RunFolder folder;
  record_update(folder);
  return report::cast::read_recorded_run(folder.path()).value();
}

TEST(Film, EndsWithThePictureOfAllThatHappened) {
  const Film film = make_film(short_update(), {.title = "A short update", .version = "1.2.3"});
  const std::string text = text_of(film.frames.back().picture);
  EXPECT_THAT(text, StartsWith(" otasim 1.2.3  A short update"));
  for (const char* part : {"PASSED", "mps2-an385 over mqtt", "0.2.0 \u00b7 slot B \u00b7 trial",
                           "boot: verify slot=A version=0.1.0", "SUCCEEDED: accepted  v0.2.0", "AFR_OTA-u1",
                           "3/4 blocks", "1 programs, 1 erases", "disturbed"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(Film, ForeignTextStaysText) {
  const Film film = make_film(short_update(), {});
  EXPECT_THAT(text_of(film.frames.back().picture), HasSubstr("evil \u00b7]0;owned\u00b7\u00b7[2J \u00b7"));
}

TEST(Film, MarksTheSteps) {
  const Film film = make_film(short_update(), {});
  for (const char* label : {"power on", "update u1", "AFR_OTA-u1 SUCCEEDED", "0.2.0 on trial", "passed"})
    EXPECT_THAT(film.markers, Contains(Field(&FilmMarker::label, label)));
}

TEST(Film, ShowsNoMoreThanTenPicturesASecond) {
  const Film film = make_film(short_update(), {});
  ASSERT_GT(film.frames.size(), 10U);
  for (std::size_t i = 1; i < film.frames.size(); ++i)
    EXPECT_GE(film.frames[i].t_s - film.frames[i - 1].t_s, 0.0999);
}

TEST(Film, SpeedShortensIt) {
  const RecordedRun run = short_update();
  const Film normal = make_film(run, {});
  const Film fast = make_film(run, {.pace = {.speed = 2}});
  const auto moving = [](const Film& film) { return film.length_s - report::cast::kHoldSeconds; };
  EXPECT_NEAR(moving(fast), moving(normal) / 2, 0.2);
  EXPECT_LT(moving(make_film(run, {.pace = {.is_real_time = true}})), 0.3);
}

TEST(Film, FitsEverySize) {
  const RecordedRun run = short_update();
  for (const auto& [width, height] :
       {std::pair{kLeastWidth, kLeastHeight}, {kMostWidth, kMostHeight}, {80, 60}}) {
    const Film film = make_film(run, {.width = width, .height = height});
    EXPECT_EQ(film.frames.back().picture.width(), width);
    EXPECT_THAT(text_of(film.frames.back().picture), AllOf(HasSubstr("SUCCEEDED"), HasSubstr("slot B")));
  }
}

TEST(Film, OfARunThatDidNotEndSaysSo) {
  RunFolder folder;
  const auto run = report::cast::read_recorded_run(folder.path());
  ASSERT_TRUE(run.has_value());
  EXPECT_THAT(text_of(make_film(*run, {}).frames.back().picture), HasSubstr("NO RESULT"));
}

}  // namespace
}  // namespace otasim::test
