// The threats of AWS's porting guide ("Threat modeling for the IoT device bootloader") against the real
// bootloader on the board. Each suite is one row of docs/threat-model.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "agent/boot/security_counter.h"
#include "tests/qemu_boards/probe_device.h"

namespace otasim::test {
namespace {

using boot::Slot;
using boot::StagedState;
using probe::Task;

/// Boot control is the secure world's then.
bool has_trustzone() {
  return std::ranges::count(board_under_test().capabilities, "trustzone") != 0;
}

class ThreatTest : public testing::Test {
 protected:
  explicit ThreatTest(PreviousImage previous_image = PreviousImage::kAsBuilt) : device_(previous_image) {}

  /// Slot A is committed, and `next` waits in slot B for its trial.
  void stage(const ProbeImage& next) {
    commit_first_image();
    device_.stage(device_.make(next));
  }

  void commit_first_image() {
    device_.power_on();
    ASSERT_TRUE(device_.says("probe: at rest"));
    device_.power_off();
  }

  /// Slot B holds a committed `next`, as after an update.
  void update_to(ProbeImage next) {
    next.task = Task::kAcceptAndReset;
    stage(next);
    device_.power_on();
    ASSERT_TRUE(device_.says("boot: start slot=B"));
    ASSERT_TRUE(device_.says("boot: commit slot=B"));
    ASSERT_TRUE(device_.says("probe: running slot=B state=committed attempt=0 reset=software"));
    device_.power_off();
  }

  /// docs/threat-model.md says what an application can do to a flash part that has none.
  [[nodiscard]] bool has_locks() { return device_.flash().part().has_locks; }
  /// What remains then: the operation goes through, and still the image that made it is not committed by it.
  /// @param ending  how the next boot ends: it starts an image, without locks, or none may start
  void expect_done_and_not_committed(std::string_view ending = "boot: unlocked") {
    EXPECT_TRUE(device_.says("probe: result ok"));
    EXPECT_TRUE(device_.says("boot: reset"));
    EXPECT_TRUE(device_.says(ending));
    EXPECT_FALSE(device_.has_said("boot: commit slot=B"));
    device_.power_off();
    EXPECT_NE(device_.boot_state().committed_slot, Slot::kB);
  }

  void expect_back_on_slot_a() {
    EXPECT_TRUE(device_.says("boot: reject slot=B"));
    EXPECT_TRUE(device_.says("boot: start slot=A version=1.0.0 state=committed"));
    EXPECT_TRUE(device_.says("probe: running slot=A"));
    device_.power_off();
    EXPECT_EQ(device_.boot_state().staged_state, StagedState::kRejected);
    EXPECT_EQ(device_.boot_state().committed_slot, Slot::kA);
  }

  [[nodiscard]] static ProbeImage update(Task task = Task::kIdle) {
    return {.task = task, .version = {1, 1, 0, 0}, .security_counter = 2};
  }

  [[nodiscard]] Bytes contents(const flash::Partition& partition) {
    const auto bytes = device_.flash().partition(partition);
    return {bytes.begin(), bytes.end()};
  }
  [[nodiscard]] std::uint32_t burned_bits() {
    std::uint32_t count = 0;
    for (const std::uint8_t byte : device_.flash().otp())
      count += static_cast<std::uint32_t>(8 - std::popcount(byte));
    return count;
  }

  ProbeDevice device_;
};

/// "An attacker hijacks the device's connection to the server to deliver a malicious firmware image."
class HijackedConnectionDeliversMaliciousImage : public ThreatTest {};

TEST_F(HijackedConnectionDeliversMaliciousImage, OfAnUnknownSignerRollsBack) {
  const auto stranger = crypto::P256Key::generate().value();
  ProbeImage malicious = update();
  malicious.stranger = &stranger;
  stage(malicious);
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: verify slot=B result=unknown-key code=12"));
  expect_back_on_slot_a();
}

TEST_F(HijackedConnectionDeliversMaliciousImage, WithABadSignatureRollsBack) {
  commit_first_image();
  Bytes image = device_.make(update());
  const auto signature_byte = image.size() - 5;  // the signature is the last TLV
  image[signature_byte] ^= 1;
  device_.stage(image);
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: verify slot=B result=bad-signature code=13"));
  expect_back_on_slot_a();
}

TEST_F(HijackedConnectionDeliversMaliciousImage, OfARevokedSignerRollsBack) {
  // Slot A runs, signed by the spare signer, and has revoked the first one.
  ProbeImage rotation{.by_spare_signer = true};
  rotation.revoked_keys = 0b01;
  device_.write(Slot::kA, device_.make(rotation));
  stage(update());
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: verify slot=B result=revoked-key code=18"));
  expect_back_on_slot_a();
}

/// "An attacker exploits a buffer overflow to introduce malicious behavior to the existing firmware image
/// stored in flash."
class ImageIsModifiedInFlash : public ThreatTest {
 protected:
  void modify(const flash::Partition& slot) { device_.flash().partition(slot)[0x300] ^= 0x80; }
};

TEST_F(ImageIsModifiedInFlash, WithoutAnotherImageHalts) {
  commit_first_image();
  modify(flash::kSlotA);
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: verify slot=A result=hash-mismatch code=11"));
  EXPECT_TRUE(device_.says("boot: halt reason=no-image-may-start"));
  EXPECT_FALSE(device_.has_said("boot: start"));
}

TEST_F(ImageIsModifiedInFlash, WithARecoveryImageEntersTheFailSafeMode) {
  commit_first_image();
  device_.write(Slot::kRecovery,
                device_.make({.version = {0, 9, 0, 0}, .kind = boot::image::Kind::kRecovery}));
  modify(flash::kSlotA);
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: start slot=recovery version=0.9.0 state=recovery"));
  EXPECT_TRUE(device_.says("probe: running slot=recovery state=recovery attempt=0 reset=power-on"));
}

TEST_F(ImageIsModifiedInFlash, OnTrialRollsBack) {
  stage(update());
  modify(flash::kSlotB);
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: verify slot=B result=hash-mismatch code=11"));
  expect_back_on_slot_a();
}

/// "An attacker boots the device to a previously stored image, which is exploitable."
class OldImageIsBooted : public ThreatTest {
 protected:
  /// As on a device that lost its records: any image may be tried.
  void erase_records() {
    std::ranges::fill(device_.flash().partition(flash::kBootControl0), std::uint8_t{0xFF});
    std::ranges::fill(device_.flash().partition(flash::kBootControl1), std::uint8_t{0xFF});
  }
};

TEST_F(OldImageIsBooted, TheOldSlotIsUnbootableAfterTheCommit) {
  update_to(update());
  EXPECT_EQ(contents(flash::kSlotA)[0], 0xFF);
  erase_records();
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: verify slot=A result=no-image code=2"));
  EXPECT_TRUE(device_.says("boot: start slot=B version=1.1.0"));
}

TEST_F(OldImageIsBooted, ItsSecurityCounterIsBelowTheFuses) {
  update_to(update());
  EXPECT_EQ(burned_bits(), 8U) << "two steps of four bits";
  device_.write(Slot::kA, device_.make({}));
  erase_records();
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: verify slot=A result=counter-too-low code=15"));
  EXPECT_TRUE(device_.says("boot: start slot=B version=1.1.0"));
}

TEST_F(OldImageIsBooted, AlsoIfItIsAllThereIs) {
  update_to(update());
  device_.write(Slot::kA, device_.make({}));
  device_.write(Slot::kB, {});
  erase_records();
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: halt reason=no-image-may-start"));
}

TEST_F(OldImageIsBooted, AnOldRecoveryImageIsRefusedAfterANewerOne) {
  device_.write(Slot::kA, {});
  const auto recovery = [this](std::uint32_t counter) {
    return device_.make({.security_counter = counter, .kind = boot::image::Kind::kRecovery});
  };
  device_.write(Slot::kRecovery, recovery(3));
  device_.power_on();
  ASSERT_TRUE(device_.says("boot: start slot=recovery"));
  device_.power_off();
  device_.write(Slot::kRecovery, recovery(2));
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: verify slot=recovery result=counter-too-low code=15"));
  EXPECT_TRUE(device_.says("boot: halt reason=no-image-may-start"));
}

/// The policy of OTASIM_KEEP_PREVIOUS_IMAGE: what of the same threat it lets happen, and what not.
class PreviousImageIsKept : public ThreatTest {
 protected:
  PreviousImageIsKept() : ThreatTest(PreviousImage::kKept) {}

  /// A committed update in slot B that asks for no higher counter than the image before it.
  void update_with_equal_counter() {
    const Bytes previous = contents(flash::kSlotA);
    update_to({.version = {1, 1, 0, 0}, .security_counter = 1});
    EXPECT_EQ(contents(flash::kSlotA), previous) << "the commit left the image before it alone";
  }
  void rot(const flash::Partition& slot) { device_.flash().partition(slot)[0x300] ^= 0x80; }
};

TEST_F(PreviousImageIsKept, AndStartsWhenTheCommittedOneRots) {
  update_with_equal_counter();
  rot(flash::kSlotB);
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: verify slot=B result=hash-mismatch code=11"));
  EXPECT_TRUE(device_.says("boot: verify slot=A version=1.0.0 counter=1 result=ok"));
  EXPECT_TRUE(device_.says("boot: start slot=A version=1.0.0 state=committed"));
  EXPECT_TRUE(device_.says("probe: running slot=A state=committed attempt=0"));
  device_.power_off();
  EXPECT_EQ(device_.boot_state().committed_slot, Slot::kA) << "it is the committed one from now on";
  update_to({.version = {1, 2, 0, 0}, .security_counter = 1});
}

TEST_F(PreviousImageIsKept, AndRestsWhileTheCommittedOneVerifies) {
  update_with_equal_counter();
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: start slot=B version=1.1.0 state=committed"));
  EXPECT_FALSE(device_.has_said("boot: verify slot=A"));
}

TEST_F(PreviousImageIsKept, ButStaysOffBelowTheFuses) {
  update_to(update());  // its counter is 2
  EXPECT_EQ(contents(flash::kSlotA)[0], 0x3D) << "an image's magic";
  rot(flash::kSlotB);
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: verify slot=A result=counter-too-low code=15"));
  EXPECT_TRUE(device_.says("boot: halt reason=no-image-may-start"));
  EXPECT_FALSE(device_.has_said("boot: start"));
}

TEST_F(PreviousImageIsKept, OnlyUntilTheNextUpdateIsReceived) {
  update_with_equal_counter();
  device_.begin_receive(Slot::kA);
  rot(flash::kSlotB);
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: verify slot=B result=hash-mismatch code=11"));
  EXPECT_TRUE(device_.says("boot: halt reason=no-image-may-start"));
  EXPECT_FALSE(device_.has_said("boot: verify slot=A"));
}

/// "An OTA update delivers a faulty or malicious image that bricks the device."
class FaultyImageBricksTheDevice : public ThreatTest {};

TEST_F(FaultyImageBricksTheDevice, ByCrashing) {
  stage(update(Task::kCrash));
  device_.power_on();
  EXPECT_TRUE(device_.says("board: fault at"));
  EXPECT_TRUE(device_.says("reason=software"));
  expect_back_on_slot_a();
}

TEST_F(FaultyImageBricksTheDevice, ByHanging) {
  stage(update(Task::kHang));
  device_.power_on(true);
  EXPECT_TRUE(device_.says("probe: running slot=B state=trial attempt=1"));
  EXPECT_TRUE(device_.says("reason=watchdog"));
  expect_back_on_slot_a();
}

TEST_F(FaultyImageBricksTheDevice, ByNeverAcceptingItselfWhileItLives) {
  stage(update(Task::kIdle));
  device_.power_on(true);
  EXPECT_TRUE(device_.says("probe: running slot=B state=trial attempt=1"));
  EXPECT_TRUE(device_.says("reason=watchdog"));
  expect_back_on_slot_a();
  EXPECT_TRUE(device_.has_said("probe: running slot=A state=committed attempt=0 reset=watchdog"));
}

TEST_F(FaultyImageBricksTheDevice, ByServingTheWatchdogWithoutEverAcceptingItself) {
  stage(update(Task::kFeedWatchdog));
  device_.power_on();
  EXPECT_TRUE(device_.says("board: fault at")) << "the watchdog is the bootloader's during a trial";
  expect_back_on_slot_a();
}

TEST_F(FaultyImageBricksTheDevice, ByServingTheWatchdogFromItsNmi) {
  stage(update(Task::kClearWatchdogNmi));
  device_.power_on(true);
  EXPECT_TRUE(device_.says("probe: running slot=B state=trial attempt=1"));
  const bool is_outside = board_under_test().watchdog == lab::Watchdog::kSerial;
  if (has_trustzone() || is_outside) {  // the NMI is the secure world's, or there is none
    EXPECT_TRUE(device_.says("reason=watchdog"));
    return expect_back_on_slot_a();
  }
  // A fault inside the NMI handler locks the processor up. A board's watchdog resets that with its second
  // expiry; QEMU ends, and what comes next is a power-on.
  EXPECT_THAT(device_.goes_off(), testing::HasSubstr("Lockup"));
  device_.power_on();
  expect_back_on_slot_a();
}

TEST_F(FaultyImageBricksTheDevice, ByErasingTheRecordOfItsTrial) {
  stage(update(Task::kEraseRecordOfTrial));
  device_.power_on();
  if (!has_locks()) return expect_done_and_not_committed();
  EXPECT_TRUE(device_.says("probe: result protected"));
  expect_back_on_slot_a();
}

TEST_F(FaultyImageBricksTheDevice, ByErasingTheJournalsOtherSector) {
  stage(update(Task::kEraseOtherJournal));
  device_.power_on();
  EXPECT_TRUE(device_.says(has_trustzone() ? "probe: result protected" : "probe: result ok"));
  expect_back_on_slot_a();
}

TEST_F(FaultyImageBricksTheDevice, NotWhenItAcceptsItselfInTime) {
  stage(update(Task::kAccept));
  device_.power_on(true);
  ASSERT_TRUE(device_.says("probe: accepted"));
  device_.reset();
  EXPECT_TRUE(device_.says("boot: commit slot=B version=1.1.0 counter=2 result=ok"));
  EXPECT_TRUE(device_.says("boot: start slot=B version=1.1.0 state=committed"));
  device_.power_off();
  EXPECT_EQ(burned_bits(), 8U) << "two steps of four bits";
}

/// "An attacker patches the bootloader to bypass image verification so the device will accept unsigned
/// images", and the rest of what an application must not write.
class ApplicationWritesWhatIsNotItsOwn : public ThreatTest,
                                         public testing::WithParamInterface<std::pair<const char*, Task>> {
 protected:
  /// What only the part's locks stop.
  [[nodiscard]] static bool is_flash_operation(Task task) {
    return task == Task::kEraseProvisioning || task == Task::kEraseRecovery ||
           task == Task::kEraseRunningSlot || task == Task::kEraseOtherSlot || task == Task::kBurnOtp;
  }

  [[nodiscard]] Bytes outside_boot_control() {
    const auto bytes = device_.flash().bytes();
    Bytes rest(bytes.begin() + flash::kBootControl1.end(), bytes.begin() + device_.flash().part().size);
    rest.insert(rest.end(), device_.flash().otp().begin(), device_.flash().otp().end());
    return rest;
  }
};

TEST_P(ApplicationWritesWhatIsNotItsOwn, IsStoppedAndRolledBack) {
  stage(update(GetParam().second));
  const Bytes before = outside_boot_control();
  device_.power_on();
  ASSERT_TRUE(device_.says("probe: running slot=B state=trial attempt=1"));
  if (is_flash_operation(GetParam().second) && !has_locks()) {
    const Task task = GetParam().second;
    const bool none_is_left = task == Task::kEraseOtherSlot || task == Task::kBurnOtp;
    return expect_done_and_not_committed(none_is_left ? "boot: halt" : "boot: unlocked");
  }
  expect_back_on_slot_a();
  EXPECT_FALSE(device_.has_said("probe: result ok"));
  EXPECT_FALSE(device_.has_said("probe: result written"));
  EXPECT_TRUE(device_.has_said("board: fault at") || device_.has_said("probe: result protected"));
  EXPECT_EQ(outside_boot_control(), before);
}

INSTANTIATE_TEST_SUITE_P(Each, ApplicationWritesWhatIsNotItsOwn,
                         testing::Values(std::pair{"BootRom", Task::kWriteBootRom},
                                         std::pair{"BootRomMirror", Task::kWriteBootRomMirror},
                                         std::pair{"RomTrust", Task::kWriteRomTrust},
                                         std::pair{"FlashArray", Task::kWriteFlashArray},
                                         std::pair{"Provisioning", Task::kEraseProvisioning},
                                         std::pair{"Recovery", Task::kEraseRecovery},
                                         std::pair{"RunningSlot", Task::kEraseRunningSlot},
                                         std::pair{"OtherSlot", Task::kEraseOtherSlot},
                                         std::pair{"Otp", Task::kBurnOtp}),
                         [](const auto& tested) { return std::string(tested.param.first); });

/// Confidentiality: slots hold ciphertext.
class EncryptedImageOnTheBoard : public ThreatTest {};

TEST_F(EncryptedImageOnTheBoard, RunsFromRamAndRestsEncrypted) {
  ProbeImage secret = update();
  secret.is_encrypted = true;
  update_to(secret);
  const Bytes slot = contents(flash::kSlotB);
  EXPECT_EQ(std::search(slot.begin(), slot.end(), probe::kTaskMarker.begin(), probe::kTaskMarker.end()),
            slot.end());
}

}  // namespace
}  // namespace otasim::test
