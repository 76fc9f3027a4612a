// The oracle reads what the bootloader's own boot control wrote, and is not fooled by flash that does not
// hold together.
#include "sim/scenario/oracle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "agent/boot/boot_control.h"
#include "agent/boot/boot_state.h"
#include "agent/boot/security_counter.h"
#include "qemu_boards/native/native_flash.h"
#include "sim/image/image.h"

namespace {

using boot::image::Kind;
using otasim::crypto::Bytes;
using otasim::crypto::P256Key;
using otasim::scenario::approved_image;
using otasim::scenario::fail_safe_image;
using testing::HasSubstr;

class Oracle : public testing::Test {
 protected:
  Bytes make_image(std::uint16_t revision, Kind kind = Kind::kApplication) {
    const Bytes payload(2000, static_cast<std::uint8_t>(revision));
    return otasim::image::sign(payload,
                               {.version = {1, 0, revision, 0},
                                .security_counter = 1,
                                .load_address = 0x100000,
                                .kind = kind},
                               key)
        .value();
  }
  static boot::ImageIdentity identity(const Bytes& image) {
    const otasim::image::Info info = otasim::image::parse(image).value();
    const Bytes digest = info.sha256.value_or(Bytes{});
    EXPECT_EQ(digest.size(), 32U);
    boot::ImageIdentity out;
    out.version = info.version;
    out.security_counter = info.security_counter.value_or(0);
    out.size = info.total_size;
    std::copy(digest.begin(), digest.end(), out.digest.begin());
    return out;
  }
  void put(const Bytes& image, const flash::Partition& slot) {
    std::copy(image.begin(), image.end(), flash.window().begin() + slot.offset);
  }
  void append(const std::optional<boot::BootState>& state) {
    ASSERT_TRUE(state.has_value());
    boot::BootControl control(flash);
    ASSERT_EQ(control.load(), flash::Status::kOk);
    ASSERT_EQ(control.append(*state), flash::Status::kOk);
    current = *state;
  }
  /// Factory image in A; an update in B taken as far as `accept`.
  void update_to(const Bytes& image) {
    put(factory, flash::kSlotA);
    put(image, flash::kSlotB);
    append(boot::commit_factory({}, boot::Slot::kA, identity(factory)));
    append(boot::begin_receive(current, "AFR_OTA-1", boot::Slot::kB));
    append(boot::mark_verified(current, identity(image)));
    append(boot::start_trial(current));
  }

  P256Key key = P256Key::generate().value();
  native::NativeFlash flash;
  boot::BootState current;
  Bytes factory = make_image(0);
};

TEST_F(Oracle, BlankFlashApprovesNothing) {
  const auto image = approved_image(flash.window(), key);
  ASSERT_FALSE(image.has_value());
  EXPECT_EQ(image.error().code, otasim::ExitCode::kFailed);
  EXPECT_THAT(image.error().message, HasSubstr("no valid boot control record"));
}

TEST_F(Oracle, AnImageOnTrialIsNotApprovedUntilItAcceptsItself) {
  const Bytes update = make_image(1);
  update_to(update);
  const auto during = approved_image(flash.window(), key);
  ASSERT_TRUE(during.has_value()) << during.error().message;
  EXPECT_EQ(during->slot, boot::Slot::kA);
  append(boot::accept(current));
  const auto after = approved_image(flash.window(), key);
  ASSERT_TRUE(after.has_value()) << after.error().message;
  EXPECT_EQ(after->slot, boot::Slot::kB);
  EXPECT_EQ(after->standing, "accepted");
  EXPECT_EQ(after->job_id, "AFR_OTA-1");
  EXPECT_TRUE(otasim::scenario::slot_holds(flash.window(), boot::Slot::kB, update));
  EXPECT_FALSE(otasim::scenario::slot_holds(flash.window(), boot::Slot::kA, update));
}

TEST_F(Oracle, OneChangedBitInTheApprovedImageIsSeen) {
  update_to(make_image(1));
  append(boot::accept(current));
  flash.window()[flash::kSlotB.offset + 1000] ^= 1;
  const auto image = approved_image(flash.window(), key);
  ASSERT_FALSE(image.has_value());
  EXPECT_THAT(image.error().message, HasSubstr("slot B"));
}

TEST_F(Oracle, AGenuineImageThatBootControlDidNotApproveIsSeen) {
  update_to(make_image(1));
  append(boot::accept(current));
  put(make_image(2), flash::kSlotB);
  const auto image = approved_image(flash.window(), key);
  ASSERT_FALSE(image.has_value());
  EXPECT_THAT(image.error().message, HasSubstr("another image than boot control approved"));
}

TEST_F(Oracle, AnImageOfAnotherKindIsNotApproved) {
  const Bytes recovery = make_image(1, Kind::kRecovery);
  update_to(recovery);
  append(boot::accept(current));
  const auto image = approved_image(flash.window(), key);
  ASSERT_FALSE(image.has_value());
  EXPECT_THAT(image.error().message, HasSubstr("slot B holds an image of another kind"));
}

TEST_F(Oracle, ARecordThatNamesTheRecoverySlotApprovesNothing) {
  put(make_image(1, Kind::kRecovery), flash::kRecovery);
  boot::BootState state;
  state.committed_slot = boot::Slot::kRecovery;
  boot::BootControl control(flash);
  ASSERT_EQ(control.load(), flash::Status::kOk);
  static_cast<void>(control.append(state));  // boot control itself does not take it back as sound
  EXPECT_FALSE(approved_image(flash.window(), key).has_value());
}

TEST_F(Oracle, WithoutAnApplicationTheRecoveryImageIsTheFailSafe) {
  put(make_image(1, Kind::kRecovery), flash::kRecovery);
  EXPECT_FALSE(approved_image(flash.window(), key).has_value());
  const auto image = fail_safe_image(flash.window(), key);
  ASSERT_TRUE(image.has_value()) << image.error().message;
  EXPECT_EQ(image->slot, boot::Slot::kRecovery);
  EXPECT_EQ(image->standing, "recovery");
  EXPECT_EQ(otasim::image::to_string(image->info.version), "1.0.1");
}

TEST_F(Oracle, AnApplicationIsNoFailSafeNorIsAStrangersImageOrAnOldOne) {
  const auto problem = [this] {
    const auto image = fail_safe_image(flash.window(), key);
    return image ? std::string("none") : image.error().message;
  };
  EXPECT_THAT(problem(), HasSubstr("slot recovery"));
  put(make_image(1), flash::kRecovery);
  EXPECT_THAT(problem(), HasSubstr("slot recovery holds an image of another kind"));
  Bytes damaged = make_image(1, Kind::kRecovery);
  damaged[1000] ^= 1;
  put(damaged, flash::kRecovery);
  EXPECT_THAT(problem(), HasSubstr("slot recovery"));
  put(make_image(1, Kind::kRecovery), flash::kRecovery);
  EXPECT_EQ(problem(), "none");
  ASSERT_EQ(boot::burn_floor(flash, Kind::kApplication, 5), flash::Status::kOk);
  EXPECT_EQ(problem(), "none") << "the applications' floor is not its own";
  ASSERT_EQ(boot::burn_floor(flash, Kind::kRecovery, 2), flash::Status::kOk);
  EXPECT_THAT(problem(), HasSubstr("counter is 1, below 2 in OTP"));
}

TEST_F(Oracle, ADamagedNewestRecordGivesWayToTheOneBefore) {
  update_to(make_image(1));
  append(boot::accept(current));
  // A state is written more than once; spoil every record of the last one.
  int spoiled = 0;
  for (std::uint32_t offset = flash::kBootControl0.offset; offset < flash::kBootControl1.end();
       offset += flash::kPageSize) {
    boot::BootRecord record;
    std::memcpy(&record, flash.window().data() + offset, sizeof record);
    if (record.magic != boot::BootRecord::kMagic || !(record.state == current)) continue;
    flash.window()[offset + offsetof(boot::BootRecord, state)] ^= 1;
    ++spoiled;
  }
  EXPECT_GE(spoiled, 2);
  const auto image = approved_image(flash.window(), key);
  ASSERT_TRUE(image.has_value()) << image.error().message;
  EXPECT_EQ(image->slot, boot::Slot::kA);
}

}  // namespace
