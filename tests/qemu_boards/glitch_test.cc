// One fault in the processor never starts a bad image.
//
// A bad image is in flash. Each instruction of the bootloader's decision code, each time it is about to run
// (the first sixteen times), is skipped in turn - by two bytes and by four, so also into the second half of a
// long instruction - and each call of the crypto functions is made to return at once with each of several
// values. Whatever comes of it, the bad image must not run. docs/threat-model.md says what this does not
// cover.
//
// OTASIM_GLITCH_STRIDE=N takes every Nth case only (the quick test does).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

#include "agent/boot/image.h"
#include "agent/boot/security_counter.h"
#include "agent/crypto/verdict.h"
#include "sim/base/file_io.h"
#include "tests/qemu_boards/glitch_rig.h"
#include "tests/qemu_boards/probe_device.h"

namespace otasim::test {
namespace {

using boot::Slot;
using probe::Task;

constexpr std::uint32_t kMaxOccurrences = 16;

std::size_t stride() {
  const char* text = std::getenv("OTASIM_GLITCH_STRIDE");
  return text == nullptr ? 1 : std::max<std::size_t>(1, std::strtoul(text, nullptr, 10));
}

bool begins_with_any(std::string_view name, std::initializer_list<std::string_view> beginnings) {
  return std::ranges::any_of(beginnings, [name](std::string_view text) { return name.starts_with(text); });
}

/// What decides: everything of the bootloader between the reset and the jump but its console and its
/// journal's writing.
bool is_decision_code(const Function& function) {
  if (begins_with_any(function.name,
                      {"boot::ConsoleLine", "boot::to_string", "boot::image::to_string", "boot::slot_name"}))
    return false;
  return begins_with_any(
      function.name, {"main", "boot::", "crypto::", "(anonymous namespace)::", "board::jump_to_application",
                      "board::clear_ram_and_start", "board::protect_memory", "board::open_memory"});
}

bool is_crypto(const Function& function) {
  return begins_with_any(function.name,
                         {"crypto::", "br_ecdsa_i31_vrfy_raw", "br_sha256_out", "br_sha224_update"});
}

/// One way of being bad.
struct Badness {
  const char* name;
  void (*prepare)(ProbeDevice& device);
};

ProbeImage must_not_run() {
  return {.task = Task::kMustNotRun, .version = {6, 6, 6, 0}, .security_counter = 1};
}

void unsigned_image(ProbeDevice& device) {
  Bytes image = device.make(must_not_run());
  image[image.size() - 5] ^= 1;  // the signature is the last TLV
  device.write(Slot::kA, image);
}

void modified_image(ProbeDevice& device) {
  Bytes image = device.make(must_not_run());
  image[image.size() / 2] ^= 1;
  device.write(Slot::kA, image);
}

void old_image(ProbeDevice& device) {
  device.write(Slot::kA, device.make(must_not_run()));
  device.flash().otp()[0] = 0;  // two steps of the floor
}

void recovery_image_in_a_slot(ProbeDevice& device) {
  ProbeImage image = must_not_run();
  image.kind = boot::image::Kind::kRecovery;
  device.write(Slot::kA, device.make(image));
}

void revoked_signer(ProbeDevice& device) {
  device.write(Slot::kA, device.make(must_not_run()));
  device.flash().otp()[2 * boot::kFloorBankSize] = 0;
  device.flash().otp()[2 * boot::kFloorBankSize + 1] = 0;
}

void staged_unsigned_image(ProbeDevice& device) {
  device.power_on();
  ASSERT_TRUE(device.says("probe: at rest"));
  device.power_off();
  Bytes image = device.make(must_not_run());
  image[image.size() - 5] ^= 1;
  device.stage(image);
}

class GlitchTest : public testing::TestWithParam<Badness> {
 protected:
  void SetUp() override {
    ProbeDevice device;
    GetParam().prepare(device);
    const auto products = lab::BuildProducts::find(board_name());
    ASSERT_TRUE(products) << products.error().message;
    const auto elf = read_file(products->bootloader_elf);
    ASSERT_TRUE(elf) << elf.error().message;
    functions_ = device::functions_of(*elf);
    const auto window = device.flash().bytes();
    rig_.emplace(products->bootloader_elf, products->flash_plugin,
                 std::vector<std::uint8_t>(window.begin(), window.end()));
  }

  [[nodiscard]] std::vector<Function> functions(bool (*wanted)(const Function&)) const {
    std::vector<Function> found;
    std::ranges::copy_if(functions_, std::back_inserter(found), wanted);
    return found;
  }

  [[nodiscard]] std::string place(std::uint32_t address) const {
    const auto next = std::ranges::upper_bound(functions_, address, {}, &Function::address);
    if (next == functions_.begin()) return fmt::format("{:#x}", address);
    const Function& function = *std::prev(next);
    return fmt::format("{:#x} ({}+{:#x})", address, function.name, address - function.address);
  }

  /// Runs every stride()th case, and fails for each that starts the bad image.
  void run(const std::vector<Glitch>& glitches) {
    std::map<Outcome, std::size_t> outcomes;
    for (std::size_t i = 0; i < glitches.size(); i += stride()) {
      const Glitch& glitch = glitches[i];
      const Outcome outcome = rig_->run(glitch);
      ++outcomes[outcome];
      if (outcome != Outcome::kBadImage) continue;
      ADD_FAILURE() << "the bad image runs after "
                    << (glitch.returned_value ? fmt::format("a return of {:#x} from", *glitch.returned_value)
                                              : fmt::format("a skip of {} bytes at", glitch.skipped_bytes))
                    << " " << place(glitch.moment.address) << ", time " << glitch.moment.occurrence << "\n"
                    << rig_->said();
    }
    fmt::print(
        "{}: {} cases of {}: halted {}, refused {}, good image {}, stuck {}, locked up {}, not reached {}, "
        "BAD IMAGE {}\n",
        GetParam().name, (glitches.size() + stride() - 1) / stride(), glitches.size(),
        outcomes[Outcome::kHalted], outcomes[Outcome::kRefused], outcomes[Outcome::kGoodImage],
        outcomes[Outcome::kStuck], outcomes[Outcome::kLockedUp], outcomes[Outcome::kNotReached],
        outcomes[Outcome::kBadImage]);
    // Most cases must reach their moment, or nothing was tried.
    EXPECT_LE(outcomes[Outcome::kNotReached] * 10, glitches.size() / stride() + 10);
  }

  std::vector<Function> functions_;
  std::optional<GlitchRig> rig_;
};

TEST_P(GlitchTest, NoSkippedInstructionStartsTheBadImage) {
  const std::vector<Moment> moments = rig_->moments(functions(is_decision_code), kMaxOccurrences);
  ASSERT_GT(moments.size(), 1000U);
  std::vector<Glitch> glitches;
  for (const Moment& moment : moments) {
    for (const std::uint32_t bytes : {2U, 4U}) glitches.push_back({.moment = moment, .skipped_bytes = bytes});
  }
  run(glitches);
}

TEST_P(GlitchTest, NoForcedReturnOfTheCryptoStartsTheBadImage) {
  const std::vector<Function> crypto = functions(is_crypto);
  std::vector<Glitch> glitches;
  for (const Moment& moment : rig_->moments(crypto, kMaxOccurrences)) {
    const bool is_entry =
        std::ranges::any_of(crypto, [&moment](const Function& f) { return f.address == moment.address; });
    if (!is_entry) continue;
    for (const std::uint32_t value :
         {0U, 1U, 0xFFFF'FFFFU, static_cast<std::uint32_t>(::crypto::Verdict::kYes),
          static_cast<std::uint32_t>(::crypto::Verdict::kNo),
          static_cast<std::uint32_t>(boot::image::VerifyStatus::kOk)}) {
      glitches.push_back({.moment = moment, .returned_value = value});
    }
  }
  ASSERT_GT(glitches.size(), 20U);
  run(glitches);
}

INSTANTIATE_TEST_SUITE_P(Each, GlitchTest,
                         testing::Values(Badness{"UnsignedImage", unsigned_image},
                                         Badness{"ModifiedImage", modified_image},
                                         Badness{"OldImage", old_image},
                                         Badness{"RecoveryImageInASlot", recovery_image_in_a_slot},
                                         Badness{"RevokedSigner", revoked_signer},
                                         Badness{"StagedUnsignedImage", staged_unsigned_image}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace otasim::test
