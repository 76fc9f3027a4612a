// A device whose history is played, step by step: its bootloader runs at each boot, an application and others
// do what the step says, and after every boot the invariants are asserted (RC_ASSERT).
//
//   Device device(setup);
//   for (const Step& step : steps) device.take(step);
//   device.end_well();
//
// history_device.cc has the bootloader's side and the invariants, history_steps.cc what everybody else does.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "tests/agent/boot/history_part.h"

namespace boot_test {

using boot::ImageState;
using boot::PreviousImage;
using boot::image::Kind;

/// A device's beginning. An image is an index into its list, or kNothing.
struct Setup {
  PreviousImage previous_image = PreviousImage::kErase;
  int slot_a = 0;
  int slot_b = kNothing;
  int recovery = 0;
  std::uint32_t luck = 0;  ///< decides what marginal bits read
};

inline std::ostream& operator<<(std::ostream& out, const Setup& setup) {
  return out << "{previous " << static_cast<int>(setup.previous_image) << ", A " << setup.slot_a << ", B "
             << setup.slot_b << ", recovery " << setup.recovery << ", luck " << setup.luck << "}";
}

enum class Do {
  kReset,
  kPowerCycle,
  kStage,
  kReceivePart,
  kAccept,
  kRefuse,
  kCutPower,
  kFail,
  kForgetFailures,
  kDamageSlot,
  kReplaceImage,
  kDamageJournal,
  kForgeJournal,
};

struct Step {
  Do what = Do::kReset;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr std::array kNames{
      "reset", "power cycle", "stage",       "receive part",  "accept",         "refuse",       "cut power",
      "fail",  "no failures", "damage slot", "replace image", "damage journal", "forge journal"};
  return out << kNames.at(static_cast<std::size_t>(step.what)) << " " << step.a << " " << step.b;
}

class Device {
 public:
  explicit Device(const Setup& setup);

  void take(const Step& step);
  /// No more faults: it settles, and can be updated.
  void end_well();

  [[nodiscard]] const std::string& story() const { return story_; }

 private:
  // The bootloader, and what must hold whenever it has run.
  void boot();
  void power_cycle() {
    model().power_on();
    boot();
  }
  [[nodiscard]] boot::Environment environment(flash::FlashDriver& driver);
  void check_started(const BootDecision& decision, const std::optional<JournalEntry>& after);
  void check_trial(const BootDecision& decision, const std::optional<JournalEntry>& after);
  void check_locks(const BootDecision& decision, const std::optional<JournalEntry>& after);
  void check_commit(const std::optional<JournalEntry>& before);
  void check_otp(const Bytes& before, bool was_burnt);
  [[nodiscard]] std::optional<Slot> surest_slot(Slot staged);
  void check_where_it_should_be(const JournalEntry& entry);
  void learn(const BootDecision& decision, const std::optional<JournalEntry>& after);

  // The application, and others.
  bool is_running();
  using Transition = std::function<std::optional<BootState>(const BootState&)>;
  bool change(const Transition& transition);
  bool receive(const Bytes& image, std::size_t size);
  void stage(const CatalogImage& image);
  void accept();
  void cut_power(const Step& step);
  void fail(const Step& step);
  void damage_slot(const Step& step);
  void damage_journal(const Step& step);
  void forge_journal(const Step& step);
  void slot_changed(Slot slot);
  void journal_changed();

  static Bytes& load_memory() {
    static Bytes memory(kLoadMemory);
    return memory;
  }

  Setup setup_;
  std::optional<BootDecision> running_;
  bool has_failures_ = false;          ///< some are planned
  std::optional<Digest> approved_;     ///< what must run, outside trials; nothing while that cannot be said
  std::optional<Digest> accepted_;     ///< or this: its acceptance may or may not have become durable
  bool trial_started_ = false;         ///< of what was staged last
  std::uint32_t highest_counter_ = 0;  ///< that was committed
  Bytes burnt_ = Bytes(flash::kOtpSize, 0);  ///< OTP bits that are 0 for good
  std::string story_;
};

}  // namespace boot_test
