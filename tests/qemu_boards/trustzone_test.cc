// What an application cannot do to the secure world, on the boards that have one: the real secure image
// against a hostile application (device/mps2/trustzone_attempts.cc) that tries it. Whatever it is, the device
// ends in the good image, and nothing but boot control has changed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "agent/crypto/crypto.h"
#include "pal_sim/provisioning/provisioning_builder.h"
#include "sim/crypto/key.h"
#include "tests/qemu_boards/device/trustzone_attempts.h"
#include "tests/qemu_boards/memory_reader.h"
#include "tests/qemu_boards/probe_device.h"

namespace otasim::test {
namespace {

using boot::Slot;
using boot::StagedState;
using probe::Attempt;
using probe::Task;

bool has_trustzone() {
  return std::ranges::count(board_under_test().capabilities, "trustzone") != 0;
}

class TrustZoneTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(has_trustzone()) << board_name() << " has none: name a board in OTASIM_TEST_BOARD";
  }

  static ProbeImage update(std::uint32_t task) {
    return {.task = static_cast<Task>(task), .version = {1, 1, 0, 0}, .security_counter = 2};
  }
  static ProbeImage update(Attempt attempt) { return update(static_cast<std::uint32_t>(attempt)); }

  void commit_first_image(Attempt attempt = {}) {
    if (attempt != Attempt{}) {
      device_.write(Slot::kA, device_.make({.task = static_cast<Task>(attempt)}));
    }
    device_.power_on();
    ASSERT_TRUE(device_.says("probe: running slot=A state=committed"));
    device_.power_off();
  }

  /// Slot A is committed, and an image on trial in slot B makes the attempt.
  void try_on_trial(std::uint32_t task) {
    commit_first_image();
    device_.stage(device_.make(update(task)));
    before_ = outside_boot_control();
    device_.power_on();
    ASSERT_TRUE(device_.says("probe: running slot=B state=trial attempt=1"));
  }
  void try_on_trial(Attempt attempt) { try_on_trial(static_cast<std::uint32_t>(attempt)); }

  void expect_fault_and_rollback() {
    EXPECT_TRUE(device_.says("board: fault at"));
    expect_rollback();
    EXPECT_FALSE(device_.has_said("probe: result"));
  }

  void expect_rollback() {
    EXPECT_TRUE(device_.says("boot: reject slot=B"));
    EXPECT_TRUE(device_.says("boot: start slot=A version=1.0.0 state=committed"));
    EXPECT_TRUE(device_.says("probe: running slot=A"));
    device_.power_off();
    EXPECT_EQ(device_.boot_state().staged_state, StagedState::kRejected);
    EXPECT_EQ(device_.boot_state().committed_slot, Slot::kA);
    EXPECT_EQ(outside_boot_control(), before_);
  }

  /// It was refused; the deadline would end the trial, and so does a reset.
  void expect_refusal_and_rollback(const std::string& result) {
    EXPECT_TRUE(device_.says("probe: result " + result));
    EXPECT_FALSE(device_.has_said("board: fault"));
    device_.reset();
    expect_rollback();
  }

  /// @param private_key  of the device, DER
  void provision(const Bytes& private_key) {
    const Bytes certificate(300, 0xC5);
    provisioning::Builder builder;
    builder.add_text(provisioning::kTagThingName, "thing-of-the-test")
        .add_text(provisioning::kTagEndpointHost, "otasim.localhost")
        .add_u16(provisioning::kTagMqttPort, 8883)
        .add(provisioning::kTagRootCa, certificate)
        .add(provisioning::kTagDeviceCertificate, certificate)
        .add(provisioning::kTagDeviceKey, private_key)
        .add_code_signer("/lab/signer", certificate);
    const std::array<std::uint8_t, provisioning::kNonceSize> nonce{1};
    const Bytes blob = builder.build(1, device_key(), nonce);
    std::ranges::copy(blob, device_.flash().partition(flash::kProvisioning0).begin());
  }
  [[nodiscard]] lab::DeviceKey device_key() const {
    return lab::load_device_key(device_.products().device_key).value();
  }

  template <typename Part>
  static bool holds(const Bytes& memory, const Part& part) {
    return !std::ranges::search(memory, part, {}, {}, [](auto c) {
              return static_cast<std::uint8_t>(c);
            }).empty();
  }
  static std::string hex(std::span<const std::uint8_t> bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
    return text;
  }

  [[nodiscard]] Bytes outside_boot_control() {
    const auto bytes = device_.flash().bytes();
    Bytes rest(bytes.begin() + flash::kBootControl1.end(), bytes.begin() + flash::kControllerPart.size);
    rest.insert(rest.end(), device_.flash().otp().begin(), device_.flash().otp().end());
    return rest;
  }

  ProbeDevice device_;
  Bytes before_;
};

class ForbiddenPlace : public TrustZoneTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(ForbiddenPlace, CannotBeRead) {
  try_on_trial(probe::kFirstRead + static_cast<std::uint32_t>(GetParam()));
  expect_fault_and_rollback();
}

TEST_P(ForbiddenPlace, CannotBeWritten) {
  try_on_trial(probe::kFirstWrite + static_cast<std::uint32_t>(GetParam()));
  expect_fault_and_rollback();
}

INSTANTIATE_TEST_SUITE_P(Each, ForbiddenPlace, testing::Range(std::size_t{0}, probe::kForbidden.size()),
                         [](const auto& tested) {
                           return std::string(probe::kForbidden[tested.param].name);
                         });

struct Fault {
  std::string_view name;
  Attempt attempt;
};

class WayIn : public TrustZoneTest, public testing::WithParamInterface<Fault> {};

TEST_P(WayIn, FaultsAndIsRolledBack) {
  try_on_trial(GetParam().attempt);
  expect_fault_and_rollback();
}

INSTANTIATE_TEST_SUITE_P(Each, WayIn,
                         testing::Values(Fault{"PastTheGateway", Attempt::kCallPastTheGateway},
                                         Fault{"BehindTheGatewaysFirstInstruction", Attempt::kCallBehindSg},
                                         Fault{"StackInSecureMemory", Attempt::kStackInSecureMemory},
                                         Fault{"ForgedExceptionReturn", Attempt::kForgedExceptionReturn},
                                         Fault{"StoppingTheTrialsWatchdog", Attempt::kStopWatchdog},
                                         Fault{"EndingTheTrial", Attempt::kEndTrial},
                                         Fault{"RestartingTheTrialsWatchdog", Attempt::kStartWatchdog}),
                         [](const auto& tested) { return std::string(tested.param.name); });

/// Nobody can be told, and nobody waits to be heard.
TEST_F(TrustZoneTest, AFaultWithTheConsoleOffIsRolledBack) {
  try_on_trial(Attempt::kSilenceTheConsole);
  expect_rollback();
  EXPECT_TRUE(device_.has_said("boot: reset board=" + board_name() + " reason=software"));
}

TEST_F(TrustZoneTest, BootControlThatWasNotReadIsNotWritten) {
  commit_first_image(Attempt::kChangeWithoutStart);
  const auto journal = [this] {
    const auto bytes = device_.flash().bytes().first(flash::kBootControl1.end());
    return Bytes(bytes.begin(), bytes.end());
  };
  const boot::BootState state = device_.boot_state();
  device_.power_on();  // the second start settles the journal
  EXPECT_TRUE(device_.says("probe: result refused"));
  device_.power_off();
  const Bytes before = journal();
  device_.power_on();
  EXPECT_TRUE(device_.says("probe: result refused"));
  device_.power_off();
  EXPECT_EQ(journal(), before);
  EXPECT_EQ(device_.boot_state(), state);
}

/// The secure world's own call is what it returns to; that says so, and resets.
TEST_F(TrustZoneTest, AForgedFunctionReturnEndsTheTrial) {
  try_on_trial(Attempt::kForgedFunctionReturn);
  EXPECT_TRUE(device_.says("board: the application returned"));
  expect_rollback();
}

TEST_F(TrustZoneTest, DevicesThatAreNotGivenAwayReadZero) {
  try_on_trial(Attempt::kReadWhatReadsZero);
  expect_refusal_and_rollback("zero");
}

TEST_F(TrustZoneTest, OnlyTheSecureWorldResets) {
  try_on_trial(Attempt::kRequestReset);
  expect_refusal_and_rollback("still here");
}

TEST_F(TrustZoneTest, NoServiceTakesPointersIntoTheOtherWorld) {
  try_on_trial(Attempt::kPointersIntoOtherWorld);
  expect_refusal_and_rollback("refused");
}

TEST_F(TrustZoneTest, AnImageOnTrialWritesNothing) {
  try_on_trial(Attempt::kWriteWhatIsNotReceived);
  expect_refusal_and_rollback("refused");
}

TEST_F(TrustZoneTest, NoServiceReadsWhatIsSecret) {
  try_on_trial(Attempt::kReadSecrets);
  expect_refusal_and_rollback("refused");
}

TEST_F(TrustZoneTest, ACommittedImageWritesNothingButTheCalendar) {
  commit_first_image(Attempt::kWriteWhatIsNotReceived);
  const Bytes before = outside_boot_control();
  device_.power_on();
  EXPECT_TRUE(device_.says("probe: result refused"));
  device_.power_off();
  EXPECT_EQ(outside_boot_control(), before);
}

TEST_F(TrustZoneTest, ACommittedImageAcceptsNothing) {
  commit_first_image(Attempt::kAcceptWhileCommitted);
  device_.stage(device_.make(update(Attempt::kCallPastTheGateway)));
  device_.power_on();  // the trial fails, and the committed image tries to accept what was on trial
  EXPECT_TRUE(device_.says("boot: start slot=A version=1.0.0 state=committed"));
  EXPECT_TRUE(device_.says("probe: result refused"));
  device_.power_off();
  EXPECT_EQ(device_.boot_state().staged_state, StagedState::kRejected);
}

/// What stands in the slot being received is recorded only if the secure world finds that it may start.
class Finishing : public TrustZoneTest {
 protected:
  void finish(const Bytes& received) {
    commit_first_image(Attempt::kFinishWhatIsThere);
    device_.begin_receive(Slot::kB);
    device_.write(Slot::kB, received);
    device_.power_on();
  }
  void expect_refused(const std::string& why) {
    EXPECT_TRUE(device_.says("probe: check " + why));
    EXPECT_TRUE(device_.says("probe: result refused"));
    device_.power_off();
    EXPECT_EQ(device_.boot_state().staged_state, StagedState::kReceiving);
  }
};

TEST_F(Finishing, ASoundImageIsRecorded) {
  finish(device_.make({.version = {1, 1, 0, 0}, .security_counter = 2}));
  EXPECT_TRUE(device_.says("probe: check ok"));
  EXPECT_TRUE(device_.says("probe: result recorded"));
  device_.power_off();
  const boot::BootState state = device_.boot_state();
  EXPECT_EQ(state.staged_state, StagedState::kVerified);
  EXPECT_EQ(state.staged.version, (boot::image::Version{1, 1, 0, 0}));
  EXPECT_EQ(state.staged.security_counter, 2U);
  EXPECT_EQ(state.staged.job_id.view(), "job-1");
}

TEST_F(Finishing, AnEncryptedImageIsOpenedAndRecorded) {
  finish(device_.make({.version = {1, 1, 0, 0}, .security_counter = 2, .is_encrypted = true}));
  EXPECT_TRUE(device_.says("probe: check ok"));
  EXPECT_TRUE(device_.says("probe: result recorded"));
}

TEST_F(Finishing, AStrangersImageIsNot) {
  const auto stranger = crypto::P256Key::generate().value();
  finish(device_.make({.version = {1, 1, 0, 0}, .stranger = &stranger}));
  expect_refused("unknown-key");
}

TEST_F(Finishing, ADamagedImageIsNot) {
  Bytes image = device_.make({.version = {1, 1, 0, 0}});
  image[0x300] ^= 1;
  finish(image);
  expect_refused("hash-mismatch");
}

TEST_F(Finishing, ARecoveryImageIsNot) {
  finish(device_.make({.version = {1, 1, 0, 0}, .kind = boot::image::Kind::kRecovery}));
  expect_refused("wrong-kind");
}

TEST_F(Finishing, NothingIsNot) {
  finish({});
  expect_refused("no-image");
}

/// The device's TLS key signs, and stands nowhere in what the application's world can see: not in load
/// memory, not in its RAM. The rest of the address space cannot be read from there.
TEST_F(TrustZoneTest, ThePrivateKeyIsNowhereInTheApplicationsMemory) {
  const auto key = crypto::P256Key::generate().value();
  const auto der = key.private_der();
  provision(der);
  commit_first_image(Attempt::kUseIdentity);
  const std::string monitor = device_.file("reader.sock");
  device_.power_on(false, MemoryReader::arguments(monitor));
  ASSERT_TRUE(device_.says("probe: result signed"));
  const auto scalar = ::crypto::parse_p256_private_key(der).value();
  ::crypto::Sha256Digest digest;
  digest.fill(0x5C);
  EXPECT_TRUE(device_.has_said("probe: signature " + hex(::crypto::ecdsa_p256_sign(scalar, digest).value())));

  MemoryReader reader(monitor);
  const auto load_memory = reader.read(0x0010'0000, 0x0030'0000, device_.file("load.bin"));
  const auto ram = reader.read(0x2820'0000, 0x0020'0000, device_.file("ram.bin"));
  ASSERT_TRUE(load_memory && ram);
  EXPECT_TRUE(holds(*load_memory, probe::kTaskMarker)) << "it was read while it runs";
  EXPECT_TRUE(holds(*ram, std::string_view("thing-of-the-test"))) << "the settings are there";
  const std::vector<std::uint8_t> reversed(scalar.rbegin(), scalar.rend());
  for (const Bytes& memory : {*load_memory, *ram}) {
    EXPECT_FALSE(holds(memory, std::span(scalar).first(16)));
    EXPECT_FALSE(holds(memory, std::span(scalar).last(16)));
    EXPECT_FALSE(holds(memory, std::span(reversed).first(16)));
    EXPECT_FALSE(holds(memory, std::span(reversed).last(16)));
    EXPECT_FALSE(holds(memory, device_key()));
  }
  for (const std::uint32_t secure : {0x3800'0000U, 0x1000'0000U, 0x8004'0000U, 0x2800'0000U})
    EXPECT_FALSE(reader.read(secure, 4096, device_.file("secure.bin"))) << secure;
}

/// Twenty thousand calls with arguments of all kinds; what they ask for may be granted, but the image that
/// runs stays, and so does what is the secure world's alone.
TEST_F(TrustZoneTest, TheGatewayStandsRandomCalls) {
  commit_first_image(Attempt::kFuzz);
  const auto contents = [&](const flash::Partition& partition) {
    const auto bytes = device_.flash().partition(partition);
    return Bytes(bytes.begin(), bytes.end());
  };
  const std::array owned{flash::kProvisioning0, flash::kProvisioning1, flash::kSlotA, flash::kRecovery};
  std::vector<Bytes> before;
  for (const auto& partition : owned) before.push_back(contents(partition));
  const Bytes otp(device_.flash().otp().begin(), device_.flash().otp().end());
  device_.power_on();
  EXPECT_TRUE(device_.says("probe: result survived"));
  EXPECT_FALSE(device_.has_said("board: fault"));
  device_.power_off();
  for (std::size_t i = 0; i < owned.size(); ++i) EXPECT_EQ(contents(owned[i]), before[i]) << owned[i].name;
  EXPECT_TRUE(std::ranges::equal(device_.flash().otp(), otp));
  EXPECT_EQ(device_.boot_state().committed_slot, Slot::kA);
  device_.power_on();
  EXPECT_TRUE(device_.says("boot: start slot=A version=1.0.0 state=committed"));
}

}  // namespace
}  // namespace otasim::test
