// The agent's notes on the console: each kind once, and how often it came.
#include "agent/app/agent_notes.h"

#include <gtest/gtest.h>

#include "tests/agent/app/fake_app.h"

namespace app {
namespace {

using ota::Note;
using test::world;

class Notes : public testing::Test {
 protected:
  Notes() { test::reset_world(); }

  /// @returns what was logged since the last call.
  static std::string logged() { return std::exchange(world().console, {}); }

  AgentNotes notes;
};

constexpr const char* kMalformed = "app: agent: a stream message could not be decoded\n";

TEST_F(Notes, EachKindIsLoggedOnce) {
  for (int i = 0; i < 3; ++i) notes.on_note(Note::kBlockMalformed);
  EXPECT_EQ(logged(), kMalformed);
  notes.on_note(Note::kBlocksLate);
  notes.on_note(Note::kBlockMalformed);
  EXPECT_EQ(logged(), "app: agent: no block arrived in time; asking again\n");
  EXPECT_EQ(notes.count(Note::kBlockMalformed), 4U);
  EXPECT_EQ(notes.count(Note::kBlocksLate), 1U);
}

TEST_F(Notes, TheEndSaysHowOftenAKindThatCameAgainCame) {
  for (int i = 0; i < 4; ++i) notes.on_note(Note::kBlockMalformed);
  notes.on_note(Note::kBlocksLate);
  logged();
  notes.end();
  EXPECT_EQ(logged(), "app: agent: 4 times: a stream message could not be decoded\n");
}

TEST_F(Notes, WithoutRepetitionTheEndSaysNothing) {
  notes.end();
  notes.on_note(Note::kBlockMalformed);
  logged();
  notes.end();
  EXPECT_EQ(logged(), "");
}

TEST_F(Notes, AfterTheEndAKindIsLoggedAgain) {
  notes.on_note(Note::kBlockMalformed);
  notes.on_note(Note::kBlockMalformed);
  notes.end();
  EXPECT_EQ(notes.count(Note::kBlockMalformed), 0U);
  logged();
  notes.on_note(Note::kBlockMalformed);
  EXPECT_EQ(logged(), kMalformed);
}

TEST_F(Notes, ManyStayTwoLines) {
  constexpr std::uint32_t kMany = 100'000;
  for (std::uint32_t i = 0; i < kMany; ++i) notes.on_note(Note::kDocumentMalformed);
  notes.end();
  const std::string all = logged();
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2) << all;
  EXPECT_NE(all.find("100000 times"), std::string::npos) << all;
}

TEST_F(Notes, EveryKindHasItsPlace) {
  for (int kind = 0; kind <= UINT8_MAX; ++kind) notes.on_note(static_cast<Note>(kind));
  EXPECT_EQ(notes.count(Note::kDocumentMalformed), 1U);
  EXPECT_EQ(notes.count(Note::kBlockMisfit), 1U);
  const std::string all = logged();
  EXPECT_LE(std::count(all.begin(), all.end(), '\n'), 32) << "what has no place shares the last one";
}

}  // namespace
}  // namespace app
