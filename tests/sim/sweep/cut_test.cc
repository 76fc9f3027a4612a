// Cuts: their names, which ones an operation has, and how often what they leave marginal is drawn.
#include "sim/sweep/cut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "pal_sim/flash/flash_map.h"

namespace otasim::sweep {
namespace {

using flash::LoggedOperation;
using flash::OpKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Tear = FlashState::Tear;

constexpr std::uint32_t kSector = flash::kControllerPart.sector_size;
constexpr std::uint32_t kBlock = flash::kControllerPart.block_size;

LoggedOperation program(std::uint32_t offset, std::uint32_t length) {
  return {.sequence = 1,
          .kind = OpKind::kProgram,
          .offset = offset,
          .length = length,
          .applied = length,
          .data = std::vector<std::uint8_t>(length)};
}
LoggedOperation erase(OpKind kind, std::uint32_t offset) {
  const std::uint32_t length = kind == OpKind::kEraseBlock ? kBlock : kSector;
  return {.sequence = 1, .kind = kind, .offset = offset, .length = length, .applied = length, .data = {}};
}
LoggedOperation lock(OpKind kind) {
  return {.sequence = 1, .kind = kind, .offset = flash::kSlotA.offset, .length = kSector, .data = {}};
}
LoggedOperation refused(LoggedOperation operation, flash::Status status) {
  operation.applied = 0;
  operation.status = status;
  return operation;
}

// ---- names

TEST(CutName, IsThatOfTheHeader) {
  const Cut first{.operation = 123, .tear = {.bytes = 17}};
  EXPECT_EQ(to_string({first}), "123:17");
  EXPECT_EQ(to_string({{.operation = 123, .tear = {17, 239}}}), "123:17+239");
  EXPECT_EQ(to_string({{.operation = 123, .tear = {0, 256}, .draw = 2}}), "123:0+256#2");
  EXPECT_EQ(to_string({first, {.boot = 1, .operation = 4}}), "123:17/1.4:0");
}

TEST(CutName, IsReadBack) {
  EXPECT_EQ(parse_cut_path("123:17"), (CutPath{{.operation = 123, .tear = {17, 0}}}));
  EXPECT_EQ(parse_cut_path("5:0+256#2/3.4:65536"),
            (CutPath{{.operation = 5, .tear = {0, 256}, .draw = 2},
                     {.boot = 3, .operation = 4, .tear = {65536, 0}}}));
}

TEST(CutName, OtherTextIsNone) {
  for (const char* text :
       {"",      "5",       "5:",        ":0",      "5:0+",    "5:0#",         "5:0#256",
        "5:0/",  "5:0/4:0", "5:0/0.4:0", "5:0/1.4", "1.5:0",   "5:0 ",         " 5:0",
        "5:-1",  "-5:0",    "+5:0",      "5:0x10",  "5:0#1+2", "5:4294967296", "99999999999999999999999:0",
        "5:0\n", "5:0,6:0"}) {
    EXPECT_EQ(parse_cut_path(text), std::nullopt) << "'" << text << "'";
  }
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(parse_cut_path("5:0\0"sv), std::nullopt);
}

TEST(CutName, HasAsManyCutsAsASweepMakes) {
  std::string text = "5:0";
  for (std::size_t i = 1; i < kMaxCuts; ++i) text += "/1.0:0";
  ASSERT_TRUE(parse_cut_path(text));
  EXPECT_THAT(*parse_cut_path(text), SizeIs(kMaxCuts));
  EXPECT_EQ(parse_cut_path(text + "/1.0:0"), std::nullopt) << "one more than kMaxCuts";
}

CutPath any_path() {
  const auto count = *rc::gen::inRange<std::size_t>(1, kMaxCuts + 1);
  CutPath path;
  for (std::size_t i = 0; i < count; ++i) {
    path.push_back({.boot = i == 0 ? 0 : *rc::gen::inRange(1U, 1000U),
                    .operation = *rc::gen::arbitrary<std::size_t>(),
                    .tear = {*rc::gen::arbitrary<std::uint32_t>(), *rc::gen::arbitrary<std::uint32_t>()},
                    .draw = *rc::gen::inRange(0U, 256U)});
  }
  return path;
}

RC_GTEST_PROP(CutName, EveryPathIsReadBackAsItWas, ()) {
  const CutPath path = any_path();
  RC_ASSERT(parse_cut_path(to_string(path)) == path);
}

/// Text of the right letters, and a sound name with one of them changed.
RC_GTEST_PROP(CutName, WhateverIsTakenHasOneMeaning, ()) {
  std::string text =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789:+#/.- \0x", 19)));
  if (*rc::gen::arbitrary<bool>()) {
    text = to_string(any_path());
    text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
  }
  const auto path = parse_cut_path(text);
  if (!path) return;
  RC_ASSERT(path->size() >= 1U && path->size() <= kMaxCuts);
  RC_ASSERT(path->front().boot == 0U);
  RC_ASSERT(parse_cut_path(to_string(*path)) == path);
}

// ---- cuts of an operation

TEST(TearsOf, ByOperationThereIsBeforeAndAfter) {
  EXPECT_THAT(tears_of(program(0, 256), Granularity::kOperation), ElementsAre(Tear{0, 0}, Tear{256, 0}));
  EXPECT_THAT(tears_of(erase(OpKind::kEraseBlock, 0), Granularity::kOperation),
              ElementsAre(Tear{0, 0}, Tear{kBlock, 0}));
}

TEST(TearsOf, TornThereAreItsEdgesItsMiddleAndMarginalCells) {
  EXPECT_THAT(tears_of(program(0, 256), Granularity::kTorn),
              ElementsAre(Tear{0, 0}, Tear{1, 0}, Tear{128, 0}, Tear{255, 0}, Tear{0, 256}, Tear{128, 128},
                          Tear{256, 0}));
  EXPECT_THAT(tears_of(erase(OpKind::kEraseSector, flash::kSlotB.offset), Granularity::kTorn),
              ElementsAre(Tear{0, 0}, Tear{1, 0}, Tear{2048, 0}, Tear{4095, 0}, Tear{0, 4096},
                          Tear{2048, 2048}, Tear{4096, 0}));
  EXPECT_THAT(tears_of(erase(OpKind::kEraseBlock, flash::kSlotB.offset), Granularity::kTorn),
              ElementsAre(Tear{0, 0}, Tear{1, 0}, Tear{32768, 0}, Tear{65535, 0}, Tear{0, 65536},
                          Tear{32768, 32768}, Tear{65536, 0}));
}

TEST(TearsOf, NoCutIsMadeTwice) {
  EXPECT_THAT(tears_of(program(0, 1), Granularity::kTorn), ElementsAre(Tear{0, 0}, Tear{0, 1}, Tear{1, 0}));
  EXPECT_THAT(tears_of(program(0, 2), Granularity::kTorn),
              ElementsAre(Tear{0, 0}, Tear{1, 0}, Tear{0, 2}, Tear{1, 1}, Tear{2, 0}));
}

TEST(TearsOf, ByByteThereIsEveryByte) {
  const std::uint32_t length = 100;
  const auto tears = tears_of(program(0, length), Granularity::kByte);
  ASSERT_THAT(tears, SizeIs(length + 1 + 2)) << "before, after each byte, and two that leave cells marginal";
  for (std::uint32_t bytes = 0; bytes < length; ++bytes) EXPECT_EQ(tears[bytes], (Tear{bytes, 0}));
  EXPECT_EQ(tears.back(), (Tear{length, 0}));
  EXPECT_THAT(tears_of(erase(OpKind::kEraseBlock, 0), Granularity::kByte), SizeIs(kBlock + 1 + 2));
}

TEST(TearsOf, WhatChangesNoCellsHasNone) {
  for (const Granularity granularity : {Granularity::kOperation, Granularity::kTorn, Granularity::kByte}) {
    EXPECT_THAT(tears_of(lock(OpKind::kLock), granularity), IsEmpty());
    EXPECT_THAT(tears_of(lock(OpKind::kOtpLock), granularity), IsEmpty());
    for (const flash::Status status :
         {flash::Status::kProtected, flash::Status::kOutOfRange, flash::Status::kUnaligned}) {
      EXPECT_THAT(tears_of(refused(program(0, 256), status), granularity), IsEmpty());
      EXPECT_THAT(tears_of(refused(erase(OpKind::kEraseBlock, 0), status), granularity), IsEmpty());
    }
  }
}

/// In the recording power was cut before the first byte: had it not been, all of them were to come.
TEST(TearsOf, AnOperationThatARecordedCutStruckHasAllOfThem) {
  const auto cut = refused(program(0, 256), flash::Status::kNoDevice);
  EXPECT_EQ(cell_bytes(cut), 256U);
  EXPECT_THAT(tears_of(cut, Granularity::kTorn), SizeIs(7));
}

TEST(KindOf, TellsCutsApart) {
  EXPECT_EQ(kind_of({0, 0}, 256), CutKind::kBefore);
  EXPECT_EQ(kind_of({1, 0}, 256), CutKind::kTorn);
  EXPECT_EQ(kind_of({255, 0}, 256), CutKind::kTorn);
  EXPECT_EQ(kind_of({0, 256}, 256), CutKind::kMarginal);
  EXPECT_EQ(kind_of({128, 128}, 256), CutKind::kMarginal);
  EXPECT_EQ(kind_of({256, 0}, 256), CutKind::kAfter);
  EXPECT_EQ(kind_of({kBlock - 1, 0}, kBlock), CutKind::kTorn);
  EXPECT_EQ(kind_of({kBlock, 0}, kBlock), CutKind::kAfter);
}

TEST(DrawsOf, ThereAreMoreWhereTheBootloaderReadsRecordsAndHeaders) {
  const unsigned once = draws_of(program(flash::kSlotA.offset + 256, 256));
  EXPECT_EQ(once, 1U);
  EXPECT_EQ(draws_of(erase(OpKind::kEraseSector, flash::kSlotB.offset + 4096)), once);
  EXPECT_GT(draws_of(program(flash::kSlotA.offset, 256)), once);
  EXPECT_GT(draws_of(erase(OpKind::kEraseBlock, flash::kSlotB.offset)), once);
  EXPECT_EQ(draws_of(program(flash::kProvisioning0.offset, 256)), once);
  for (const LoggedOperation& operation :
       {program(flash::kBootControl0.offset, 256), program(flash::kBootControl1.end() - 256, 256),
        erase(OpKind::kEraseSector, flash::kBootControl1.offset),
        erase(OpKind::kEraseBlock, flash::kBootControl0.offset)}) {
    EXPECT_GT(draws_of(operation), once) << operation.offset;
  }
  LoggedOperation burn = program(flash::kOtpSize - 4, 4);
  burn.kind = OpKind::kOtpProgram;
  EXPECT_GT(draws_of(burn), once) << "its offset counts from the bank's start";
}

}  // namespace
}  // namespace otasim::sweep
