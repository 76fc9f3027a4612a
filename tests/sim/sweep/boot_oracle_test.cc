// The oracle of boots against boots that are made up: sound ones of the real bootloader, of which one thing
// is changed. Each rule has its tests, and none of the others may complain.
#include "sim/sweep/boot_oracle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "agent/boot/boot_control.h"
#include "agent/boot/key_revocation.h"
#include "agent/boot/security_counter.h"
#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/native/native_flash.h"
#include "sim/flash/flash_history.h"
#include "sim/image/image.h"
#include "sim/sweep/native_machine.h"
#include "tests/mutants/update_histories.h"

namespace otasim::sweep {
namespace {

using boot::Slot;
using boot::image::Kind;
using flash::LoggedOperation;
using flash::OpKind;
using mutants::kLoadAddress;
using mutants::kLoadSize;
using mutants::Rom;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Bytes = std::vector<std::uint8_t>;

/// A boot as the oracle is shown it.
struct Shown {
  Boot boot;
  Bytes before;
  Bytes after;
};

class BootOracleTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { rom_ = new Rom; }
  static void TearDownTestSuite() { delete rom_; }

  BootOracleTest()
      : machine_(rom_->keys, flash::kControllerPart, kLoadAddress, kLoadSize),
        oracle_(rom_->signer, flash::kControllerPart) {
    put(image_of(1, 2), flash::kSlotA);
    put(image_of(0, 1, Kind::kRecovery), flash::kRecovery);
  }

  static Bytes image_of(std::uint16_t revision, std::uint32_t counter, Kind kind = Kind::kApplication) {
    return image::sign(Bytes(700, static_cast<std::uint8_t>(revision)),
                       {.version = {1, 0, revision, 0},
                        .security_counter = counter,
                        .load_address = kLoadAddress,
                        .kind = kind},
                       rom_->signer)
        .value();
  }
  static boot::ImageIdentity identity_of(const Bytes& image) {
    const image::Info info = image::parse(image).value();
    boot::ImageIdentity identity;
    identity.version = info.version;
    identity.security_counter = info.security_counter.value_or(0);
    identity.size = info.total_size;
    std::ranges::copy(info.sha256.value(), identity.digest.begin());
    return identity;
  }
  void put(const Bytes& image, const flash::Partition& slot) {
    std::ranges::fill(flash_.window().subspan(slot.offset, 4096), std::uint8_t{0xFF});
    std::ranges::copy(image, flash_.window().begin() + slot.offset);
  }
  void record(const std::function<std::optional<boot::BootState>(const boot::BootState&)>& transition) {
    boot::BootControl control(flash_);
    ASSERT_EQ(control.load(), flash::Status::kOk);
    const auto next = transition(control.state());
    ASSERT_TRUE(next);
    ASSERT_EQ(control.append(*next), flash::Status::kOk);
  }
  /// An update to `image` that stands in slot B and has been verified.
  void stage(const Bytes& image) {
    put(image, flash::kSlotB);
    record([](const auto& state) { return boot::begin_receive(state, "job", Slot::kB); });
    record([&](const auto& state) { return boot::mark_verified(state, identity_of(image)); });
  }

  /// The real bootloader, once.
  Shown real_boot() {
    Shown shown{.boot = {}, .before = copy(), .after = {}};
    std::ranges::copy(shown.before, machine_.window().begin());
    flash::CellState cells;
    shown.boot = machine_.boot(cells, 1).value();
    std::ranges::copy(machine_.window(), flash_.window().begin());
    shown.after = copy();
    flash::clear_volatile_state(flash_.window());
    return shown;
  }
  /// As the committed image is started once everything has settled.
  Shown settled_boot() {
    (void)real_boot();
    (void)real_boot();
    return real_boot();
  }
  void begin(const Shown& shown) {
    const Standing standing = oracle_.standing(shown.before);
    oracle_.begin(standing, standing);
  }
  void judge(const Shown& shown) { oracle_.judge(shown.boot, shown.before, shown.after); }
  /// A case of one boot, that is at rest.
  const std::vector<std::string>& verdict(const Shown& shown) {
    begin(shown);
    judge(shown);
    oracle_.end(shown.after, true);
    return oracle_.violations();
  }

  [[nodiscard]] Bytes copy() {
    const auto window = flash_.window();
    return {window.begin(), window.end()};
  }
  static std::string& start_line(Shown& shown) {
    return *std::ranges::find_if(shown.boot.lines,
                                 [](const auto& line) { return line.starts_with("boot: start "); });
  }
  static void replace(std::string& line, std::string_view from, std::string_view to) {
    const std::size_t at = line.find(from);
    ASSERT_NE(at, std::string::npos) << line;
    line.replace(at, from.size(), to);
  }
  /// An operation that this boot has done as well, its effect on flash included.
  static void add(Shown& shown, LoggedOperation operation) {
    operation.length = operation.applied;
    flash_file::apply_logged(operation, shown.after);
    shown.boot.operations.push_back(std::move(operation));
  }
  /// Bits of the floor that are burned, of each step all four.
  static void set_floor(Bytes& window, std::uint32_t floor) {
    const auto bank = std::span(window).subspan(flash::kOtpOffset, boot::kFloorBankSize);
    std::ranges::fill(bank, std::uint8_t{0xFF});
    for (std::uint32_t step = 0; step < floor; ++step)
      bank[step / 2] = static_cast<std::uint8_t>(bank[step / 2] & (step % 2 == 0 ? 0xF0 : 0x0F));
  }

  static Rom* rom_;
  native::NativeFlash flash_;
  NativeMachine machine_;
  BootOracle oracle_;
};
Rom* BootOracleTest::rom_ = nullptr;

// ---- sound boots

TEST_F(BootOracleTest, ASoundDeviceBreaksNothing) {
  EXPECT_THAT(verdict(settled_boot()), IsEmpty());
}

TEST_F(BootOracleTest, AFirstBootBreaksNothing) {
  const Shown first = real_boot();
  ASSERT_GT(first.boot.operations.size(), 5U) << "it records and burns";
  begin(first);
  judge(first);
  const Shown second = real_boot();
  judge(second);
  oracle_.end(second.after, true);
  EXPECT_THAT(oracle_.violations(), IsEmpty());
}

TEST_F(BootOracleTest, ATrialThatDoesNotAcceptItselfBreaksNothing) {
  (void)settled_boot();
  stage(image_of(2, 3));
  const Shown trial = real_boot();
  begin(trial);
  judge(trial);
  const Shown back = real_boot();
  judge(back);
  oracle_.end(back.after, true);
  EXPECT_THAT(oracle_.violations(), IsEmpty());
  EXPECT_THAT(trial.boot.lines, Contains(HasSubstr("state=trial")));
  EXPECT_THAT(back.boot.lines, Contains(HasSubstr("state=committed")));
}

TEST_F(BootOracleTest, ACommitBreaksNothing) {
  (void)settled_boot();
  stage(image_of(2, 3));
  (void)real_boot();
  record([](const auto& state) { return boot::accept(state); });
  const Shown commit = real_boot();
  EXPECT_THAT(commit.boot.lines, Contains(HasSubstr("slot=B")));
  begin(commit);
  judge(commit);
  const Shown after = real_boot();
  judge(after);
  oracle_.end(after.after, true);
  EXPECT_THAT(oracle_.violations(), IsEmpty());
}

TEST_F(BootOracleTest, TheRecoveryImageIsTheFailSafeMode) {
  put({}, flash::kSlotA);
  const Shown shown = real_boot();
  EXPECT_THAT(shown.boot.lines, Contains(HasSubstr("slot=recovery")));
  EXPECT_THAT(verdict(shown), IsEmpty());
}

TEST_F(BootOracleTest, ANewCaseForgetsTheLast) {
  Shown silent = settled_boot();
  silent.boot.reached_application = false;
  EXPECT_THAT(verdict(silent), Contains(StartsWith("S1")));
  silent.boot.reached_application = true;
  EXPECT_THAT(verdict(silent), IsEmpty());
}

// ---- S1

TEST_F(BootOracleTest, S1AnImageThatSaysNothing) {
  Shown shown = settled_boot();
  shown.boot.reached_application = false;
  EXPECT_THAT(verdict(shown), ElementsAre(HasSubstr("S1: boot 1: an image was started and said nothing")));
}

TEST_F(BootOracleTest, S1NoImageStarts) {
  Shown shown = settled_boot();
  shown.boot.lines.assign({"boot: halt reason=no-image-may-start"});
  shown.boot.reached_application = false;
  EXPECT_THAT(verdict(shown), ElementsAre(StartsWith("S1: no image has started")));
}

TEST_F(BootOracleTest, S1AnotherImageThanTheApprovedOneRuns) {
  (void)settled_boot();
  put(image_of(5, 2), flash::kSlotB);
  Shown shown = real_boot();
  replace(start_line(shown), "slot=A", "slot=B");
  shown.boot.loaded = {};
  for (LoggedOperation& operation : shown.boot.operations) {
    // The lock of the running slot goes along.
    if (operation.offset == flash::kSlotA.offset) operation.offset = flash::kSlotB.offset;
  }
  EXPECT_THAT(verdict(shown), ElementsAre(StartsWith("S1: slot B runs (committed)")));
}

TEST_F(BootOracleTest, S1TheApprovalChangesByItself) {
  const Shown shown = settled_boot();
  Standing other;
  other.may_be_approved.insert(Digest{});
  oracle_.begin(other, other);
  judge(shown);
  oracle_.end(shown.after, true);
  EXPECT_THAT(oracle_.violations(), ElementsAre(HasSubstr("which was not when power was cut")));
  EXPECT_THAT(oracle_.violations(), ElementsAre(StartsWith("S1")));
}

TEST_F(BootOracleTest, S1ATrialIsStartedTwice) {
  (void)settled_boot();
  stage(image_of(2, 3));
  const Shown trial = real_boot();
  begin(trial);
  judge(trial);
  EXPECT_THAT(oracle_.violations(), IsEmpty());
  judge(trial);
  EXPECT_THAT(oracle_.violations(), ElementsAre(HasSubstr("S1: boot 2: an image on trial has started more")));
}

TEST_F(BootOracleTest, S1AnAttemptIsNotOnRecord) {
  (void)settled_boot();
  stage(image_of(2, 3));
  Shown trial = real_boot();
  trial.after = trial.before;
  begin(trial);
  judge(trial);
  EXPECT_THAT(oracle_.violations(), ElementsAre(HasSubstr("S1: boot 1: an image has started on trial, and")));
}

/// A trial resets the device before it has said anything. What runs is what the bootloader has started then.
TEST_F(BootOracleTest, WhatRunsIsWhatWasStartedAfterTheLastReset) {
  (void)settled_boot();
  stage(image_of(2, 3));
  const Shown trial = real_boot();
  const Shown back = real_boot();
  Shown both = back;
  both.before = trial.before;
  both.boot.lines = trial.boot.lines;
  both.boot.lines.insert(both.boot.lines.end(), back.boot.lines.begin(), back.boot.lines.end());
  begin(both);
  judge(both);
  oracle_.end(both.after, true);
  EXPECT_THAT(oracle_.violations(), IsEmpty());
  judge(trial);
  EXPECT_THAT(oracle_.violations(), Contains(HasSubstr("S1: boot 2: an image on trial has started more")))
      << "its attempt was before the reset";
}

/// Power was cut after the trial's attempt was recorded: it is used, whoever saw it.
TEST_F(BootOracleTest, S1AnAttemptThatWasUsedBeforeTheCutCounts) {
  (void)settled_boot();
  stage(image_of(2, 3));
  const Shown trial = real_boot();
  const Standing used = oracle_.standing(trial.after);
  ASSERT_TRUE(used.tried);
  oracle_.begin(used, used);
  judge(trial);
  EXPECT_THAT(oracle_.violations(), ElementsAre(HasSubstr("started more often")));
}

// ---- S2

TEST_F(BootOracleTest, S2WhatRunsDoesNotVerify) {
  Shown shown = settled_boot();
  shown.boot.loaded = {};
  shown.after[flash::kSlotA.offset + 600] ^= 1;
  begin(shown);
  judge(shown);
  EXPECT_THAT(oracle_.violations(), ElementsAre(HasSubstr("S2: boot 1: slot A has started, whose bytes do")));
}

TEST_F(BootOracleTest, S2MemoryHoldsOtherBytesThanTheSlot) {
  Shown shown = settled_boot();
  Bytes memory(shown.boot.loaded.begin(), shown.boot.loaded.end());
  ASSERT_FALSE(memory.empty());
  shown.boot.loaded = memory;
  EXPECT_THAT(verdict(shown), IsEmpty());
  memory.back() ^= 1;
  EXPECT_THAT(verdict(shown), ElementsAre(HasSubstr("S2: boot 1: what runs is not what slot A holds")));
}

/// What stands in it after a boot was put there by that boot.
TEST_F(BootOracleTest, S2LoadMemoryIsLostAtPowerOff) {
  const std::size_t size = settled_boot().boot.loaded.size();
  put({}, flash::kSlotA);
  put({}, flash::kRecovery);
  ASSERT_FALSE(real_boot().boot.reached_application);
  EXPECT_THAT(machine_.load_memory().first(size), ::testing::Each(NativeMachine::kLostByte));
}

TEST_F(BootOracleTest, S2NobodySaysWhatRuns) {
  Shown shown = settled_boot();
  std::erase(shown.boot.lines, start_line(shown));
  begin(shown);
  judge(shown);
  EXPECT_THAT(oracle_.violations(), ElementsAre(HasSubstr("S2: boot 1: something runs")));
}

TEST_F(BootOracleTest, S2AnImageOfNoSlot) {
  for (const char* slot : {"slot=C", "slot=", "slot=none"}) {
    Shown shown = settled_boot();
    replace(start_line(shown), "slot=A", slot);
    begin(shown);
    judge(shown);
    EXPECT_THAT(oracle_.violations(), ElementsAre(HasSubstr("S2: boot 1: an image of no slot"))) << slot;
  }
}

TEST_F(BootOracleTest, S2ARecoveryImageRunsAsAnApplication) {
  (void)settled_boot();
  put(image_of(9, 2, Kind::kRecovery), flash::kSlotA);
  Shown shown = real_boot();
  // The real bootloader has refused it; this one would not have.
  shown.boot.lines.assign({"boot: start slot=A version=1.0.9 state=committed"});
  shown.boot.loaded = {};
  begin(shown);
  judge(shown);
  EXPECT_THAT(oracle_.violations(), Contains(HasSubstr("S2: boot 1: slot A has started with an image of")));
}

// ---- S3

TEST_F(BootOracleTest, S3AnImageBelowTheFloorStarts) {
  Shown shown = settled_boot();
  set_floor(shown.before, 3);
  set_floor(shown.after, 3);
  const auto& violations = verdict(shown);
  EXPECT_THAT(violations, Contains("S3: boot 1: an image with security counter 2 has started, OTP says 3"));
  EXPECT_THAT(violations, Contains("S3: boot 1: OTP is burned to 3, and the approved image has 2"));
  EXPECT_THAT(violations, ::testing::Each(StartsWith("S3")));
}

/// The floor is not burned yet, but a boot has seen a higher image committed.
TEST_F(BootOracleTest, S3AnImageBelowTheHighestCommittedStarts) {
  const Shown shown = settled_boot();
  begin(shown);
  BootOracle::Case known = oracle_.known();
  known.highest_committed = 3;
  oracle_.resume(known);
  judge(shown);
  EXPECT_THAT(oracle_.violations(), ElementsAre(StartsWith("S3: boot 1: an image with security counter 2")));
}

TEST_F(BootOracleTest, S3TheCommittedCounterIsNotBurned) {
  Shown shown = settled_boot();
  set_floor(shown.before, 1);
  set_floor(shown.after, 1);
  EXPECT_THAT(verdict(shown), ElementsAre("S3: the committed image has security counter 2, OTP holds 1"));
}

/// One OTP bit, that this boot has burned.
LoggedOperation burn_of(std::uint32_t offset, std::uint8_t byte) {
  return {.kind = OpKind::kOtpProgram, .offset = offset, .applied = 1, .data = {byte}};
}

TEST_F(BootOracleTest, S3TheRecoveryFloorIsBurnedAndNoRecoveryImageStarts) {
  Shown shown = settled_boot();
  add(shown, burn_of(boot::kFloorBankSize, 0xFE));
  EXPECT_THAT(verdict(shown),
              ElementsAre("S3: boot 1: the floor of recovery images is burned, and none has started"));
}

TEST_F(BootOracleTest, S3TheRecoveryFloorIsBurnedBeyondTheRecoveryImage) {
  put({}, flash::kSlotA);
  Shown shown = real_boot();
  EXPECT_THAT(verdict(shown), IsEmpty()) << "to its counter, when it starts";
  add(shown, burn_of(boot::kFloorBankSize, 0x00));
  EXPECT_THAT(
      verdict(shown),
      ElementsAre("S3: boot 1: OTP is burned to 2 for recovery images, and the one that there is has 1"));
}

// ---- S5

TEST_F(BootOracleTest, S5ASignerIsRevokedThatNoImageAskedFor) {
  const Shown sound = settled_boot();
  for (const std::uint32_t signer : {0U, 1U, boot::kMaxSigners - 1}) {
    Shown shown = sound;
    add(shown, burn_of(boot::kRevocationOffset + 2 * signer + 1, 0xEF));
    EXPECT_THAT(verdict(shown), ElementsAre(HasSubstr("S5: boot 1: the bootloader revokes signer " +
                                                      std::to_string(signer) + ", which")));
  }
}

/// The image's commit revokes the second signer.
TEST_F(BootOracleTest, ARevocationThatTheApprovedImageAsksForBreaksNothing) {
  (void)settled_boot();
  stage(image::sign(Bytes(700, 3),
                    {.version = {1, 0, 3, 0},
                     .security_counter = 3,
                     .load_address = kLoadAddress,
                     .revoked_keys = 1U << 1},
                    rom_->signer)
            .value());
  (void)real_boot();
  record([](const auto& state) { return boot::accept(state); });
  const Shown commit = real_boot();
  ASSERT_EQ(commit.after[flash::kOtpOffset + boot::kRevocationOffset + 2], 0x00);
  begin(commit);
  judge(commit);
  EXPECT_THAT(oracle_.violations(), IsEmpty());
}

TEST_F(BootOracleTest, S5OtpIsBurnedThatNothingIsKeptIn) {
  const Shown sound = settled_boot();
  for (const std::uint32_t offset : {boot::kRevocationOffset + boot::kRevocationSize, flash::kOtpSize - 1}) {
    Shown shown = sound;
    add(shown, burn_of(offset, 0x7F));
    EXPECT_THAT(verdict(shown), ElementsAre(HasSubstr("S5: boot 1: the bootloader has burned OTP that")))
        << offset;
  }
}

TEST_F(BootOracleTest, S5TheBootloaderChangesWhatIsNotItsOwn) {
  const Shown sound = settled_boot();
  const auto verdict_with = [&](const LoggedOperation& operation) {
    Shown shown = sound;
    add(shown, operation);
    return verdict(shown);
  };
  const std::uint32_t free = flash::kSlotB.offset + 0x10000;
  EXPECT_THAT(verdict_with({.offset = free, .applied = 1, .data = {0}}),
              ElementsAre(HasSubstr("S5: boot 1: the bootloader has changed flash at 0x410000")));
  EXPECT_THAT(verdict_with({.kind = OpKind::kEraseSector,
                            .offset = flash::kProvisioning0.offset,
                            .applied = 4096,
                            .data = {}}),
              ElementsAre(StartsWith("S5")));
  EXPECT_THAT(
      verdict_with(
          {.kind = OpKind::kEraseBlock, .offset = flash::kSlotB.offset, .applied = 0x10000, .data = {}}),
      ElementsAre(StartsWith("S5")));
  EXPECT_THAT(verdict_with({.kind = OpKind::kEraseSector, .offset = free, .applied = 4096, .data = {}}),
              ElementsAre(StartsWith("S5")))
      << "of a slot only the first sector";
  EXPECT_THAT(
      verdict_with(
          {.kind = OpKind::kEraseSector, .offset = flash::kSlotB.offset, .applied = 4096, .data = {}}),
      IsEmpty());
  LoggedOperation refused{.offset = free, .applied = 0, .status = flash::Status::kProtected, .data = {0}};
  EXPECT_THAT(verdict_with(refused), IsEmpty()) << "it has changed nothing";
}

TEST_F(BootOracleTest, S5CellsThatAreNotErasedAreProgrammed) {
  const Shown sound = settled_boot();
  // The last page of a journal's sector is not in use yet.
  const std::uint32_t page = flash::kBootControl0.offset + flash::kJournalSize - flash::kPageSize;
  ASSERT_EQ(sound.after[page], 0xFF);
  Shown once = sound;
  add(once, {.offset = page, .applied = 1, .data = {0x0F}});
  EXPECT_THAT(verdict(once), IsEmpty());
  Shown twice = once;
  add(twice, {.offset = page, .applied = 1, .data = {0x03}});
  EXPECT_THAT(verdict(twice), ElementsAre(HasSubstr("S5: boot 1: the bootloader has programmed 0xf00")));
  Shown erased = once;
  add(erased,
      {.kind = OpKind::kEraseSector, .offset = flash::kBootControl0.offset, .applied = 4096, .data = {}});
  add(erased, {.offset = page, .applied = 1, .data = {0x03}});
  begin(erased);
  judge(erased);
  EXPECT_THAT(oracle_.violations(), ::testing::Not(Contains(StartsWith("S5"))));
}

TEST_F(BootOracleTest, S5ChangesAreBounded) {
  Shown shown = settled_boot();
  const LoggedOperation erase{
      .kind = OpKind::kEraseSector, .offset = flash::kSlotB.offset, .applied = 4096, .data = {}};
  for (std::size_t i = 0; i < kMaxChangesPerBoot; ++i) add(shown, erase);
  EXPECT_THAT(verdict(shown), IsEmpty());
  add(shown, erase);
  EXPECT_THAT(verdict(shown), ElementsAre("S5: boot 1: the bootloader has changed flash 129 times"));
}

// ---- S6

TEST_F(BootOracleTest, S6EachLockIsMissed) {
  const Shown sound = settled_boot();
  std::size_t locks = 0;
  for (std::size_t i = 0; i < sound.boot.operations.size(); ++i) {
    const OpKind kind = sound.boot.operations[i].kind;
    if (kind != OpKind::kLock && kind != OpKind::kOtpLock) continue;
    ++locks;
    Shown without = sound;
    without.boot.operations.erase(without.boot.operations.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_THAT(verdict(without), Contains(StartsWith("S6: boot 1"))) << i;
    EXPECT_THAT(verdict(without), ::testing::Each(StartsWith("S6"))) << i;
    Shown refused = sound;
    refused.boot.operations[i].status = flash::Status::kOutOfRange;
    EXPECT_THAT(verdict(refused), Contains(StartsWith("S6"))) << "a lock that was refused is none";
  }
  EXPECT_GE(locks, 4U) << "OTP, provisioning, recovery, the running slot";
}

TEST_F(BootOracleTest, S6ALockOfAPartIsNone) {
  Shown shown = settled_boot();
  for (LoggedOperation& operation : shown.boot.operations) {
    if (operation.kind == OpKind::kLock && operation.offset == flash::kSlotA.offset) operation.length -= 4096;
  }
  EXPECT_THAT(verdict(shown), ElementsAre("S6: boot 1: slot-a is not locked"));
}

TEST_F(BootOracleTest, S6APartWithoutLocksIsNotBlamed) {
  Shown shown = settled_boot();
  std::erase_if(shown.boot.operations, [](const LoggedOperation& operation) {
    return operation.kind == OpKind::kLock || operation.kind == OpKind::kOtpLock;
  });
  BootOracle lenient(rom_->signer, flash::kSpiNorPart);
  const Standing standing = lenient.standing(shown.before);
  lenient.begin(standing, standing);
  lenient.judge(shown.boot, shown.before, shown.after);
  EXPECT_THAT(lenient.violations(), IsEmpty());
}

TEST_F(BootOracleTest, S6TheBootRomIsWritten) {
  Shown shown = settled_boot();
  shown.boot.has_written_rom = true;
  EXPECT_THAT(verdict(shown), ElementsAre(HasSubstr("S6: boot 1: this boot or one before has written")));
}

// ---- L2

TEST_F(BootOracleTest, L2FlashNeverComesToRest) {
  const Shown shown = settled_boot();
  begin(shown);
  for (unsigned i = 0; i < kMaxBoots; ++i) judge(shown);
  oracle_.end(shown.after, false);
  EXPECT_THAT(oracle_.violations(), ElementsAre("L2: flash still changes after 3 boots"));
}

}  // namespace
}  // namespace otasim::sweep
