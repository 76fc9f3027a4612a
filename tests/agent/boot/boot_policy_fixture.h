// A device for boot policy tests: flash, a boot at a time, and what the application would do in between.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/boot/boot_control.h"
#include "agent/boot/boot_policy.h"
#include "agent/boot/security_counter.h"
#include "agent/boot/slots.h"
#include "qemu_boards/native/native_flash.h"
#include "tests/agent/boot/image_builder.h"
#include "tests/agent/boot/journal_bytes.h"

namespace boot_test {

using boot::BootControl;
using boot::BootDecision;
using boot::BootState;
using boot::Slot;
using boot::StagedState;
using crypto::Verdict;
using flash::Status;

inline const SigningKey& signer() {
  static const SigningKey key;
  return key;
}

inline const SigningKey& second_signer() {
  static const SigningKey key;
  return key;
}
inline const SigningKey& recipient() {  // of encrypted images
  static const SigningKey key;
  return key;
}

// Signatures differ from one signing to the next, so each image is made once.
inline const Bytes& image_1() {
  static const Bytes image = build_image({.version = {1, 0, 0, 0}, .security_counter = 1}, signer());
  return image;
}
inline const Bytes& image_2() {
  static const Bytes image = build_image({.version = {1, 1, 0, 0}, .security_counter = 2}, signer());
  return image;
}

class BootPolicyTest : public testing::Test {
 protected:
  void SetUp() override { begin_on(flash::kControllerPart); }

  /// A blank device with this part.
  static void begin_on(const flash::Geometry& part) {
    // 16 MiB are slow to make; what tests write to is wiped instead.
    is_spi_nor_ = part == flash::kSpiNorPart;
    flash().model().power_on();
    std::fill_n(flash().window().begin(), kBothPartitions, std::uint8_t{0xFF});
    for (const Slot slot : {Slot::kA, Slot::kB, Slot::kRecovery}) write(slot, Bytes(0x4000, 0xFF));
    std::fill_n(flash().window().begin() + flash::kOtpOffset, flash::kOtpSize, std::uint8_t{0xFF});
  }

  static native::NativeFlash& flash() {
    static native::NativeFlash controller_part(1, flash::kControllerPart);
    static native::NativeFlash spi_nor_part(1, flash::kSpiNorPart);
    return is_spi_nor_ ? spi_nor_part : controller_part;
  }

  static void write(Slot slot, const Bytes& image) {
    std::copy(image.begin(), image.end(), flash().window().begin() + boot::slot_partition(slot)->offset);
  }

  /// One boot after a reset; the console's text is in console_.
  BootDecision boot_up() { return boot_up_on(flash()); }

  /// The same with another driver in front of the part.
  BootDecision boot_up_on(flash::FlashDriver& driver) {
    flash().model().reset();
    console_.clear();
    const boot::BootDecision decision = boot::decide(environment(driver));
    if (decision.start == Verdict::kYes) {
      EXPECT_EQ(boot::confirm(environment(driver), decision), Verdict::kYes) << console_;
    }
    return decision;
  }

  boot::Environment environment(flash::FlashDriver& driver) {
    static const std::array signers{signer().public_key(), second_signer().public_key()};
    static const crypto::P256PrivateKey decryption_key = recipient().scalar();
    const boot::Console console{
        [](void* context, std::string_view text) { static_cast<std::string*>(context)->append(text); },
        &console_};
    return {.flash = driver,
            .signers = signers,
            .decryption_key = decryption_key,
            .load_memory = load_memory_,
            .load_address = kLoadAddress,
            .console = console,
            .previous_image = previous_image_};
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
    ASSERT_EQ(first.start, Verdict::kYes);
    ASSERT_EQ(first.slot, Slot::kA);
    ASSERT_EQ(boot_up().start, Verdict::kYes);
  }

  /// The application received `image` for "job-1" into slot B and verified it.
  static void stage(const Bytes& image) {
    ASSERT_EQ(change([](const BootState& s) { return begin_receive(s, "job-1", Slot::kB); }), Status::kOk);
    write(Slot::kB, image);
    boot::image::Info info;
    ASSERT_EQ(boot::image::peek(flash(), Slot::kB, {kLoadAddress, 16 * 1024}, info),
              boot::image::VerifyStatus::kOk);
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
    ASSERT_EQ(decision.start, Verdict::kYes) << console_;
    EXPECT_EQ(decision.slot, slot) << console_;
    EXPECT_EQ(decision.is_trial(), is_trial) << console_;
    ASSERT_EQ(decision.image.total_size, image.size());
    EXPECT_TRUE(std::equal(image.begin(), image.end(), load_memory_.begin())) << "another image is in RAM";
  }

  inline static bool is_spi_nor_ = false;
  std::string console_;
  boot::PreviousImage previous_image_ = boot::PreviousImage::kErase;
  std::vector<std::uint8_t> load_memory_ = std::vector<std::uint8_t>(16 * 1024);
};

}  // namespace boot_test
