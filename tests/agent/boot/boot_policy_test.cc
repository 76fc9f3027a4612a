// The boot policy on a whole device: every scenario of an update, and power cut at every flash operation of
// those that write. However often power fails, the device converges and never starts what it must not.
#include "agent/boot/boot_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "agent/boot/boot_control.h"
#include "agent/boot/security_counter.h"
#include "agent/boot/slots.h"
#include "qemu_boards/native/native_flash.h"
#include "tests/agent/boot/image_builder.h"

namespace {

using boot::BootControl;
using boot::BootDecision;
using boot::BootState;
using boot::Slot;
using boot::StagedState;
using boot_test::Bytes;
using boot_test::ImageSpec;
using flash::Status;
using testing::HasSubstr;

const boot_test::SigningKey& signer() {
  static const boot_test::SigningKey key;
  return key;
}

// Signatures differ from one signing to the next, so each image is made once.
const Bytes& image_1() {
  static const Bytes image = build_image({.version = {1, 0, 0, 0}, .security_counter = 1}, signer());
  return image;
}
const Bytes& image_2() {
  static const Bytes image = build_image({.version = {1, 1, 0, 0}, .security_counter = 2}, signer());
  return image;
}

class BootPolicyTest : public testing::Test {
 protected:
  void SetUp() override {
    // 16 MiB are slow to make; what tests write to is wiped instead.
    flash().model().power_on();
    std::fill_n(flash().window().begin(), 2 * flash::kSectorSize, std::uint8_t{0xFF});
    for (const Slot slot : {Slot::kA, Slot::kB, Slot::kRecovery})
      write(slot, Bytes(4 * flash::kSectorSize, 0xFF));
    std::fill_n(flash().window().begin() + flash::kOtpOffset, flash::kOtpSize, std::uint8_t{0xFF});
  }

  static native::NativeFlash& flash() {
    static native::NativeFlash flash;
    return flash;
  }

  static void write(Slot slot, const Bytes& image) {
    std::copy(image.begin(), image.end(), flash().window().begin() + boot::slot_partition(slot)->offset);
  }

  /// One boot after a reset; the console's text is in console_.
  BootDecision boot_up() {
    flash().model().reset();
    console_.clear();
    const std::array keys{signer().public_key()};
    const boot::Console console{
        [](void* context, std::string_view text) { static_cast<std::string*>(context)->append(text); },
        &console_};
    return boot::decide({.flash = flash(),
                         .keys = keys,
                         .load_memory = load_memory_,
                         .load_address = boot_test::kLoadAddress,
                         .console = console});
  }

  static BootState state() {
    BootControl control(flash());
    EXPECT_EQ(control.load(), Status::kOk);
    return control.state();
  }

  using Transition = std::function<std::optional<BootState>(const BootState&)>;

  /// What the application does to boot control. @returns the journal's status
  static Status change(const Transition& transition) {
    BootControl control(flash());
    const Status loaded = control.load();
    if (loaded != Status::kOk) return loaded;
    const auto next = transition(control.state());
    EXPECT_TRUE(next) << "transition not allowed";
    return next ? control.append(*next) : Status::kOutOfRange;
  }

  static std::uint32_t floor_now() {
    std::uint32_t floor = 0;
    EXPECT_EQ(boot::read_floor(flash(), boot::image::Kind::kApplication, floor), Status::kOk);
    return floor;
  }

  /// A device that runs image 1 from slot A.
  void make_device() {
    write(Slot::kA, image_1());
    const BootDecision first = boot_up();
    ASSERT_TRUE(first.start);
    ASSERT_EQ(first.slot, Slot::kA);
    ASSERT_TRUE(boot_up().start);
  }

  /// The application received `image` for "job-1" into slot B and verified it.
  static void stage(const Bytes& image) {
    ASSERT_EQ(change([](const BootState& s) { return begin_receive(s, "job-1", Slot::kB); }), Status::kOk);
    write(Slot::kB, image);
    boot::image::Info info;
    ASSERT_EQ(boot::image::peek(flash(), Slot::kB, info), boot::image::VerifyStatus::kOk);
    const boot::ImageIdentity identity{.version = info.version,
                                       .security_counter = info.security_counter,
                                       .size = info.total_size,
                                       .digest = info.digest,
                                       .job_id = {}};
    ASSERT_EQ(change([&](const BootState& s) { return mark_verified(s, identity); }), Status::kOk);
  }

  static Status accept_trial() {
    return change([](const BootState& s) { return accept(s); });
  }

  void expect_runs(const BootDecision& decision, Slot slot, const Bytes& image, bool is_trial = false) {
    ASSERT_TRUE(decision.start) << console_;
    EXPECT_EQ(decision.slot, slot) << console_;
    EXPECT_EQ(decision.is_trial, is_trial) << console_;
    ASSERT_EQ(decision.image.total_size, image.size());
    EXPECT_TRUE(std::equal(image.begin(), image.end(), load_memory_.begin())) << "another image is in RAM";
  }

  std::string console_;
  std::vector<std::uint8_t> load_memory_ = std::vector<std::uint8_t>(16 * 1024);
};

TEST_F(BootPolicyTest, NewDeviceStartsSlotAAndCommitsIt) {
  write(Slot::kA, image_1());
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: slot A 1.0.0 verified, starting for the first time\n"));
  EXPECT_EQ(state().committed_slot, Slot::kA);
  EXPECT_EQ(floor_now(), 1U);
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(console_, "boot: slot A 1.0.0 verified, starting\n");
}

TEST_F(BootPolicyTest, DeviceThatLostItsRecordStartsWhatIsLeft) {
  write(Slot::kB, image_1());
  expect_runs(boot_up(), Slot::kB, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: slot A cannot start: no image\n"));
  EXPECT_EQ(state().committed_slot, Slot::kB);
}

TEST_F(BootPolicyTest, BlankDeviceHalts) {
  EXPECT_FALSE(boot_up().start);
  EXPECT_THAT(console_, HasSubstr("boot: halted: no image may be started"));
}

TEST_F(BootPolicyTest, UnsignedImageDoesNotStart) {
  const boot_test::SigningKey stranger;
  write(Slot::kA, build_image({}, stranger));
  EXPECT_FALSE(boot_up().start);
  EXPECT_THAT(console_, HasSubstr("boot: slot A cannot start: unknown key\n"));
}

TEST_F(BootPolicyTest, DeviceWithoutFlashHalts) {
  flash().model().cut_power_now();
  // reset() does not bring power back, so this boot finds no part.
  EXPECT_FALSE(boot_up().start);
  EXPECT_THAT(console_, HasSubstr("boot: halted: the flash part does not answer\n"));
}

TEST_F(BootPolicyTest, DamagedCommittedImageHaltsWithoutRecovery) {
  make_device();
  flash().window()[flash::kSlotA.offset + 0x210] ^= 1;
  EXPECT_FALSE(boot_up().start);
  EXPECT_THAT(console_, HasSubstr("boot: slot A cannot start: hash mismatch\n"));
}

TEST_F(BootPolicyTest, DamagedCommittedImageStartsRecovery) {
  make_device();
  flash().window()[flash::kSlotA.offset + 0x210] ^= 1;
  const Bytes recovery =
      build_image({.version = {0, 1, 0, 0}, .kind = boot::image::Kind::kRecovery}, signer());
  write(Slot::kRecovery, recovery);
  expect_runs(boot_up(), Slot::kRecovery, recovery);
  EXPECT_THAT(console_, HasSubstr("recovery image 0.1.0 verified, starting\n"));
}

TEST_F(BootPolicyTest, ApplicationNeverStartsAsRecoveryNorRecoveryAsApplication) {
  const Bytes recovery = build_image({.kind = boot::image::Kind::kRecovery}, signer());
  write(Slot::kA, recovery);
  write(Slot::kRecovery, image_1());
  EXPECT_FALSE(boot_up().start);
  EXPECT_THAT(console_, HasSubstr("boot: slot A cannot start: wrong kind of image\n"));
  EXPECT_THAT(console_, HasSubstr("boot: slot recovery cannot start: wrong kind of image\n"));
}

TEST_F(BootPolicyTest, SignedImageThatIsNotOnRecordDoesNotReplaceTheCommittedOne) {
  make_device();
  write(Slot::kA, image_2());
  EXPECT_FALSE(boot_up().start);
  EXPECT_THAT(console_, HasSubstr("boot: slot A cannot start: not the image on record\n"));
}

TEST_F(BootPolicyTest, ImageBelowTheFloorNeverStarts) {
  ASSERT_EQ(boot::burn_floor(flash(), boot::image::Kind::kApplication, 2), Status::kOk);
  write(Slot::kA, image_1());
  EXPECT_FALSE(boot_up().start);
  EXPECT_THAT(console_, HasSubstr("security counter below the floor"));
  write(Slot::kA, image_2());
  EXPECT_TRUE(boot_up().start);
}

TEST_F(BootPolicyTest, ImageThatCouldNeverBeCommittedNeverStarts) {
  write(Slot::kA, build_image({.security_counter = boot::kMaxSecurityCounter + 1}, signer()));
  EXPECT_FALSE(boot_up().start);
  EXPECT_THAT(console_, HasSubstr("security counter beyond the OTP bank"));
}

TEST_F(BootPolicyTest, ImageLargerThanTheLoadRegionDoesNotStart) {
  write(Slot::kA, build_image({.payload_size = 17 * 1024}, signer()));
  EXPECT_FALSE(boot_up().start);
  EXPECT_THAT(console_, HasSubstr("boot: slot A cannot start: bad size\n"));
}

TEST_F(BootPolicyTest, UpdateIsTriedAcceptedAndCommitted) {
  make_device();
  stage(image_2());
  expect_runs(boot_up(), Slot::kB, image_2(), true);
  EXPECT_EQ(console_, "boot: slot B 1.1.0 on trial (attempt 1 of 1)\n");
  EXPECT_EQ(state().staged_state, StagedState::kTrial);
  EXPECT_EQ(floor_now(), 1U);

  ASSERT_EQ(accept_trial(), Status::kOk);
  expect_runs(boot_up(), Slot::kB, image_2());
  EXPECT_EQ(console_, "boot: slot B 1.1.0 committed\nboot: slot B 1.1.0 verified, starting\n");
  EXPECT_EQ(state().committed_slot, Slot::kB);
  EXPECT_EQ(state().committed.job_id.view(), "job-1");
  EXPECT_EQ(state().staged_state, StagedState::kEmpty);
  EXPECT_EQ(floor_now(), 2U);
  EXPECT_EQ(flash().window()[flash::kSlotA.offset], 0xFF) << "the old image can still be started";

  expect_runs(boot_up(), Slot::kB, image_2());
  EXPECT_EQ(console_, "boot: slot B 1.1.0 verified, starting\n");
}

TEST_F(BootPolicyTest, TrialThatIsNotAcceptedFallsBack) {
  make_device();
  stage(image_2());
  expect_runs(boot_up(), Slot::kB, image_2(), true);
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: slot B rejected: not accepted in its trial; back to slot A\n"));
  EXPECT_EQ(state().staged_state, StagedState::kRejected);
  EXPECT_EQ(state().reject_reason, boot::RejectReason::kTrialFailed);
  EXPECT_EQ(state().staged.job_id.view(), "job-1");
  EXPECT_EQ(floor_now(), 1U);
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(console_, "boot: slot A 1.0.0 verified, starting\n");
}

TEST_F(BootPolicyTest, ImageThatRejectsItselfFallsBack) {
  make_device();
  stage(image_2());
  expect_runs(boot_up(), Slot::kB, image_2(), true);
  ASSERT_EQ(change([](const BootState& s) { return reject(s, boot::RejectReason::kRefused); }), Status::kOk);
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(state().reject_reason, boot::RejectReason::kRefused);
}

TEST_F(BootPolicyTest, StagedImageDamagedSinceItWasVerifiedIsRejected) {
  make_device();
  stage(image_2());
  flash().window()[flash::kSlotB.offset + 0x220] ^= 4;
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: slot B rejected: hash mismatch; back to slot A\n"));
  EXPECT_EQ(state().reject_reason, boot::RejectReason::kBadImage);
}

TEST_F(BootPolicyTest, StagedImageExchangedForAnotherSignedOneIsRejected) {
  make_device();
  stage(image_2());
  write(Slot::kB, build_image({.version = {6, 6, 6, 0}, .security_counter = 2}, signer()));
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: slot B rejected: not the image on record; back to slot A\n"));
}

TEST_F(BootPolicyTest, StagedImageBelowTheFloorIsRejected) {
  make_device();
  stage(image_1());
  flash().model().reset();
  ASSERT_EQ(boot::burn_floor(flash(), boot::image::Kind::kApplication, 2), Status::kOk);
  boot_up();
  EXPECT_THAT(console_, HasSubstr("boot: slot B rejected: security counter below the floor"));
}

TEST_F(BootPolicyTest, ReceivingAndRejectedImagesAreNotStarted) {
  make_device();
  ASSERT_EQ(change([](const BootState& s) { return begin_receive(s, "job-1", Slot::kB); }), Status::kOk);
  write(Slot::kB, image_2());
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(state().staged_state, StagedState::kReceiving) << "a download goes on after a restart";
  ASSERT_EQ(change([](const BootState& s) { return reject(s, boot::RejectReason::kRefused); }), Status::kOk);
  expect_runs(boot_up(), Slot::kA, image_1());
}

TEST_F(BootPolicyTest, AcceptedImageThatIsDamagedIsNotCommitted) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial);
  ASSERT_EQ(accept_trial(), Status::kOk);
  flash().window()[flash::kSlotB.offset + 0x220] ^= 4;
  expect_runs(boot_up(), Slot::kA, image_1());
  EXPECT_EQ(state().staged_state, StagedState::kRejected);
  EXPECT_EQ(floor_now(), 1U);
}

TEST_F(BootPolicyTest, NextUpdateGoesToTheOtherSlot) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial);
  ASSERT_EQ(accept_trial(), Status::kOk);
  ASSERT_TRUE(boot_up().start);
  EXPECT_EQ(receive_slot(state()), Slot::kA);
  EXPECT_EQ(change([](const BootState& s) { return begin_receive(s, "job-2", Slot::kA); }), Status::kOk);
}

TEST_F(BootPolicyTest, RunningSlotAndSettledPartitionsAreLocked) {
  make_device();
  EXPECT_EQ(flash().erase_sector(flash::kSlotA.offset), Status::kProtected);
  EXPECT_EQ(flash().erase_sector(flash::kRecovery.offset), Status::kProtected);
  EXPECT_EQ(flash().erase_sector(flash::kProvisioning0.offset), Status::kProtected);
  EXPECT_EQ(flash().erase_sector(flash::kProvisioning1.offset), Status::kProtected);
  EXPECT_EQ(boot::burn_floor(flash(), boot::image::Kind::kApplication, 9), Status::kProtected);
  EXPECT_EQ(flash().erase_sector(flash::kSlotB.offset), Status::kOk);
}

TEST_F(BootPolicyTest, BothSlotsAreLockedDuringATrial) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial);
  EXPECT_EQ(flash().erase_sector(flash::kSlotA.offset), Status::kProtected);
  EXPECT_EQ(flash().erase_sector(flash::kSlotB.offset), Status::kProtected);
  EXPECT_EQ(accept_trial(), Status::kOk) << "boot control must stay writable";
}

/// A flash part some operation of which fails without a power cut.
class FailingFlash : public flash::FlashDriver {
 public:
  explicit FailingFlash(flash::FlashDriver& part) : part_(part) {}

  std::function<bool(std::uint32_t offset)> program_fails = [](std::uint32_t) { return false; };
  bool otp_program_fails = false;
  bool lock_fails = false;

  [[nodiscard]] flash::Geometry geometry() const override { return part_.geometry(); }
  [[nodiscard]] Status read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    return part_.read(offset, out);
  }
  [[nodiscard]] Status program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    return program_fails(offset) ? Status::kProgramFailed : part_.program(offset, data);
  }
  [[nodiscard]] Status erase_sector(std::uint32_t offset) override { return part_.erase_sector(offset); }
  [[nodiscard]] Status lock(std::uint32_t offset, std::uint32_t length) override {
    return lock_fails ? Status::kBadCommand : part_.lock(offset, length);
  }
  [[nodiscard]] Status otp_read(std::uint32_t offset, std::span<std::uint8_t> out) override {
    return part_.otp_read(offset, out);
  }
  [[nodiscard]] Status otp_program(std::uint32_t offset, std::span<const std::uint8_t> data) override {
    return otp_program_fails ? Status::kProgramFailed : part_.otp_program(offset, data);
  }
  [[nodiscard]] Status otp_lock() override { return part_.otp_lock(); }
  [[nodiscard]] Status entropy(std::span<std::uint8_t> out) override { return part_.entropy(out); }

 private:
  flash::FlashDriver& part_;
};

class FailingFlashTest : public BootPolicyTest {
 protected:
  BootDecision boot_on_failing_flash() {
    flash().model().reset();
    console_.clear();
    const std::array keys{signer().public_key()};
    const boot::Console console{
        [](void* context, std::string_view text) { static_cast<std::string*>(context)->append(text); },
        &console_};
    return boot::decide({.flash = failing_,
                         .keys = keys,
                         .load_memory = load_memory_,
                         .load_address = boot_test::kLoadAddress,
                         .console = console});
  }

  FailingFlash failing_{flash()};
};

TEST_F(FailingFlashTest, TrialThatCannotBeRecordedIsNotStarted) {
  make_device();
  stage(image_2());
  failing_.program_fails = [](std::uint32_t) { return true; };
  expect_runs(boot_on_failing_flash(), Slot::kA, image_1());
  EXPECT_THAT(console_, HasSubstr("boot: recording the trial failed: program failed\n"));
  expect_runs(boot_up(), Slot::kB, image_2(), true);
}

TEST_F(FailingFlashTest, CommitWhoseBurnFailsIsDoneAtALaterBoot) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial);
  ASSERT_EQ(accept_trial(), Status::kOk);
  failing_.otp_program_fails = true;
  expect_runs(boot_on_failing_flash(), Slot::kB, image_2());
  EXPECT_THAT(console_, HasSubstr("boot: burning the security counter failed: program failed\n"));
  EXPECT_EQ(state().staged_state, StagedState::kAccepted);
  EXPECT_EQ(flash().erase_sector(flash::kSlotA.offset), Status::kProtected) << "the commit is still open";
  expect_runs(boot_up(), Slot::kB, image_2());
  EXPECT_EQ(state().committed_slot, Slot::kB);
  EXPECT_EQ(floor_now(), 2U);
}

TEST_F(FailingFlashTest, NothingIrreversibleHappensUnlessTheAcceptanceIsSettled) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial);
  ASSERT_EQ(accept_trial(), Status::kOk);
  // The acceptance's last confirmation is damaged, and boot control cannot be written to.
  BootControl control(flash());
  ASSERT_EQ(control.load(), Status::kOk);
  ASSERT_TRUE(control.is_settled());
  auto journal = flash().window().first(2 * flash::kSectorSize);
  std::uint32_t newest = 0;
  std::uint32_t newest_page = 0;
  for (std::uint32_t page = 0; page < 2 * BootControl::kPages; ++page) {
    boot::BootRecord record;
    std::memcpy(&record, journal.data() + page * flash::kPageSize, sizeof(record));
    if (record.magic != boot::BootRecord::kMagic || record.sequence < newest) continue;
    newest = record.sequence;
    newest_page = page;
  }
  journal[newest_page * flash::kPageSize + 100] ^= 1;
  failing_.program_fails = [](std::uint32_t) { return true; };
  expect_runs(boot_on_failing_flash(), Slot::kB, image_2());
  EXPECT_THAT(console_, HasSubstr("boot: commit put off: the acceptance is not durable yet\n"));
  EXPECT_EQ(floor_now(), 1U);
  EXPECT_NE(flash().window()[flash::kSlotA.offset], 0xFF);
  expect_runs(boot_up(), Slot::kB, image_2());
  EXPECT_EQ(state().committed_slot, Slot::kB);
}

TEST_F(FailingFlashTest, NothingStartsUnlocked) {
  make_device();
  failing_.lock_fails = true;
  EXPECT_FALSE(boot_on_failing_flash().start);
  EXPECT_THAT(console_, HasSubstr("boot: halted: the application would run unlocked\n"));
}

/// Cuts power before, in and after every flash operation of a step, and looks what the next boots do. Cuts at
/// every byte are boot_control_test's; here each case costs several signature checks.
class PowerCutTest : public BootPolicyTest {
 protected:
  void save() { saved_ = snapshot(); }

  /// @param step     what power is cut in; starts from the saved flash each time
  /// @param recover  boots the device and checks it
  void cut_everywhere(const std::function<void()>& step, const std::function<void()>& recover) {
    for (std::uint32_t operation = 1;; ++operation) {
      for (const std::uint32_t bytes : {0U, 100U, flash::kSectorSize}) {
        restore(saved_);
        flash().model().cut_power_at({flash().model().sequence() + operation, bytes});
        step();
        const bool was_cut = !flash().model().powered();
        flash().model().power_on();
        if (!was_cut) {
          EXPECT_GT(operation, 1U) << "the step writes nothing";
          return;
        }
        recover();
        ASSERT_FALSE(HasFailure()) << "operation " << operation << " byte " << bytes << "\n" << console_;
      }
    }
  }

 private:
  /// The parts of the window that a boot can change.
  static constexpr std::array<std::array<std::uint32_t, 2>, 4> kChanging{
      {{0, 2 * flash::kSectorSize},
       {flash::kSlotA.offset, flash::kSectorSize},
       {flash::kSlotB.offset, flash::kSectorSize},
       {flash::kOtpOffset, flash::kWindowSize - flash::kOtpOffset}}};

  static std::vector<Bytes> snapshot() {
    std::vector<Bytes> parts;
    for (const auto& [offset, size] : kChanging) {
      const auto part = flash().window().subspan(offset, size);
      parts.emplace_back(part.begin(), part.end());
    }
    return parts;
  }
  static void restore(const std::vector<Bytes>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      std::copy(parts[i].begin(), parts[i].end(), flash().window().begin() + kChanging[i][0]);
    }
  }

  std::vector<Bytes> saved_;

 protected:
  std::uint32_t second_cut_ = 0;
};

TEST_F(PowerCutTest, FirstBootConverges) {
  write(Slot::kA, image_1());
  save();
  cut_everywhere([&] { boot_up(); },
                 [&] {
                   expect_runs(boot_up(), Slot::kA, image_1());
                   expect_runs(boot_up(), Slot::kA, image_1());
                   EXPECT_EQ(state().committed_slot, Slot::kA);
                   EXPECT_EQ(floor_now(), 1U);
                 });
}

TEST_F(PowerCutTest, TrialIsStartedAtMostOnce) {
  make_device();
  stage(image_2());
  save();
  cut_everywhere([&] { boot_up(); },
                 [&] {
                   int trials = 0;
                   for (int boots = 0; boots < 3; ++boots) {
                     const BootDecision decision = boot_up();
                     ASSERT_TRUE(decision.start);
                     trials += decision.is_trial ? 1 : 0;
                   }
                   EXPECT_LE(trials, 1);
                   expect_runs(boot_up(), Slot::kA, image_1());
                   EXPECT_EQ(state().staged_state, StagedState::kRejected);
                 });
}

TEST_F(PowerCutTest, RejectionConverges) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial);
  save();
  cut_everywhere([&] { boot_up(); },
                 [&] {
                   expect_runs(boot_up(), Slot::kA, image_1());
                   EXPECT_EQ(state().staged_state, StagedState::kRejected);
                 });
}

TEST_F(PowerCutTest, AcceptanceIsAllOrNothing) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial);
  save();
  cut_everywhere([&] { static_cast<void>(accept_trial()); },
                 [&] {
                   const BootDecision decision = boot_up();
                   ASSERT_TRUE(decision.start);
                   EXPECT_FALSE(decision.is_trial);
                   const bool accepted = decision.slot == Slot::kB;
                   for (int boots = 0; boots < 2; ++boots) {
                     expect_runs(boot_up(), accepted ? Slot::kB : Slot::kA, accepted ? image_2() : image_1());
                   }
                   EXPECT_EQ(state().committed_slot, accepted ? Slot::kB : Slot::kA);
                   EXPECT_EQ(floor_now(), accepted ? 2U : 1U);
                 });
}

TEST_F(PowerCutTest, CommitIsFinishedAtTheNextBoot) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial);
  ASSERT_EQ(accept_trial(), Status::kOk);
  save();
  cut_everywhere([&] { boot_up(); },
                 [&] {
                   expect_runs(boot_up(), Slot::kB, image_2());
                   EXPECT_EQ(state().committed_slot, Slot::kB);
                   EXPECT_EQ(state().staged_state, StagedState::kEmpty);
                   EXPECT_EQ(floor_now(), 2U);
                   EXPECT_EQ(flash().window()[flash::kSlotA.offset], 0xFF);
                 });
}

TEST_F(PowerCutTest, CommitIsFinishedEvenIfTheBootAfterIsCutToo) {
  make_device();
  stage(image_2());
  ASSERT_TRUE(boot_up().is_trial);
  ASSERT_EQ(accept_trial(), Status::kOk);
  save();
  cut_everywhere([&] { boot_up(); },
                 [&] {
                   // The second cut strikes a few operations into the recovery, a different one each time.
                   const std::uint32_t operation = ++second_cut_ % 7;
                   flash().model().cut_power_at({flash().model().sequence() + operation, 50});
                   boot_up();
                   flash().model().power_on();
                   expect_runs(boot_up(), Slot::kB, image_2());
                   EXPECT_EQ(state().committed_slot, Slot::kB);
                   EXPECT_EQ(floor_now(), 2U);
                 });
}

}  // namespace
