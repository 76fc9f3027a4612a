// The probe: an application that misbehaves in one chosen way (probe_task.h) and says what came of it.
//
//   probe: running slot=B state=trial attempt=1 reset=software     what the bootloader handed over
//   probe: result protected                                        an operation's status, then a reset
#include <array>
#include <cstdint>

#include "agent/boot/boot_control.h"
#include "agent/boot/boot_info_seal.h"
#include "agent/boot/security_counter.h"
#include "agent/boot/slots.h"
#include "attack_targets.h"
#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/common/board.h"
#include "tests/qemu_boards/device/floating_point.h"
#include "tests/qemu_boards/device/probe_task.h"
#include "tests/qemu_boards/device/trustzone_attempts.h"

extern "C" void reset_handler();

namespace {

using probe::Task;

// Volatile: the compiler must not know which task it is.
volatile const probe::TaskWord chosen = {probe::kTaskMarker, Task::kIdle};

void say(std::string_view key, std::string_view value) {
  board::console_write(key);
  board::console_write(value);
}

/// A bootloader gone astray may print memory, this program's texts among it. What proves that the program
/// itself runs stands nowhere as it is printed.
constexpr char kMask = 0x15;

template <std::size_t N>
constexpr std::array<char, N - 1> masked(const char (&text)[N]) {
  std::array<char, N - 1> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(text[i] ^ kMask);
  return out;
}

void say_that_it_runs() {
  static constexpr auto kMasked = masked("probe: a bad image runs\n");
  const volatile char* text = kMasked.data();
  for (std::size_t i = 0; i < kMasked.size(); ++i) {
    const std::array<char, 1> character{static_cast<char>(text[i] ^ kMask)};
    board::console_write({character.data(), character.size()});
  }
}

void say_what_was_handed_over() {
  const boot::BootInfo& info = board::boot_info();
  if (!boot::is_sealed(info)) return say("probe: no hand-over", "\n");
  constexpr std::array<std::string_view, 3> kReasons{"power-on", "software", "watchdog"};
  const std::array<char, 1> attempt{static_cast<char>('0' + info.attempt)};
  say("probe: running slot=", boot::slot_name(info.slot));
  say(" state=", boot::to_string(info.image_state));
  say(" attempt=", {attempt.data(), attempt.size()});
  say(" reset=", kReasons[static_cast<std::size_t>(info.reset_reason)]);
  say("", "\n");
}

/// Says what became of it, and resets: the trial is over without an acceptance.
[[noreturn]] void end_with(flash::Status status) {
  say("probe: result ", flash::to_string(status));
  say("", "\n");
  board::reset();
}

[[noreturn]] void idle() {
  for (;;) board::wait_for_interrupt();
}

void store(std::uint32_t address) {
  *reinterpret_cast<volatile std::uint32_t*>(address) = 0;  // NOLINT(performance-no-int-to-ptr)
}

[[noreturn]] void store_and_boast(std::uint32_t address) {
  store(address);
  __asm volatile("dsb" ::: "memory");
  say("probe: result ", "written\n");
  idle();
}

flash::Status accept() {
  boot::UpdateService& updates = board::update_service();
  const flash::Status status = updates.start();
  if (status != flash::Status::kOk) return status;
  const boot::Transition accepted = updates.accept();
  return accepted.is_allowed ? accepted.status : flash::Status::kOutOfRange;
}

boot::Slot other_slot() {
  return board::boot_info().slot == boot::Slot::kA ? boot::Slot::kB : boot::Slot::kA;
}

flash::Status erase(const flash::Partition& partition) {
  return board::flash().erase_sector(partition.offset);
}

void serve_watchdog() {
  store(probe::kWatchdog);  // any access will do
}

void nmi_that_serves() {
  serve_watchdog();
}

/// Puts a vector table of its own into RAM, whose NMI handler serves the watchdog instead of resetting.
void take_over_nmi() {
  constexpr std::uint32_t kVtor = 0xE000'ED08;
  static std::array<std::uint32_t, 64> table __attribute__((aligned(256)));
  const auto* current =
      *reinterpret_cast<std::uint32_t* const volatile*>(kVtor);  // NOLINT(performance-no-int-to-ptr)
  for (std::size_t i = 0; i < 48; ++i) table[i] = current[i];
  table[2] = reinterpret_cast<std::uint32_t>(&nmi_that_serves);
  *reinterpret_cast<volatile std::uint32_t*>(kVtor) =
      reinterpret_cast<std::uint32_t>(table.data());  // NOLINT(performance-no-int-to-ptr)
  __asm volatile("dsb\n\tisb" ::: "memory");
}

[[noreturn]] void run(Task task) {
  flash::FlashDriver& flash = board::flash();
  switch (task) {
    case Task::kIdle:
      idle();
    case Task::kCrash:
      store_and_boast(probe::kNowhere);
    case Task::kHang:
      __asm volatile("cpsid i" ::: "memory");
      for (;;) {
      }
    case Task::kFeedWatchdog:
      for (;;) {
        board::watchdog_feed();
        board::wait_for_interrupt();
      }
    case Task::kClearWatchdogNmi:
      take_over_nmi();
      idle();
    case Task::kWriteBootRom:
      store_and_boast(probe::kBootRom);
    case Task::kWriteRomTrust:
      store_and_boast(probe::kRomTrust);
    case Task::kWriteFlashArray:
      store_and_boast(probe::kFlashArray);
    case Task::kEraseProvisioning:
      end_with(erase(flash::kProvisioning0));
    case Task::kEraseRecovery:
      end_with(erase(flash::kRecovery));
    case Task::kEraseRunningSlot:
      end_with(erase(*boot::slot_partition(board::boot_info().slot)));
    case Task::kEraseOtherSlot:
      end_with(erase(*boot::slot_partition(other_slot())));
    case Task::kBurnOtp:
      end_with(boot::burn_floor(flash, boot::image::Kind::kApplication, boot::kMaxSecurityCounter));
    case Task::kWriteBootRomMirror:
      store_and_boast(probe::kBootRomMirror);
    case Task::kEraseRecordOfTrial:
    case Task::kEraseOtherJournal: {
      boot::BootControl control(flash);
      const flash::Status loaded = control.load();
      if (loaded != flash::Status::kOk) end_with(loaded);
      const bool first_is_in_force = control.in_force_partition().offset == flash::kBootControl0.offset;
      const bool erase_first = first_is_in_force == (task == Task::kEraseRecordOfTrial);
      end_with(erase(erase_first ? flash::kBootControl0 : flash::kBootControl1));
    }
    case Task::kAccept:
      if (accept() != flash::Status::kOk) end_with(flash::Status::kBadCommand);
      board::end_trial();
      board::watchdog_start(1000);
      say("probe: ", "accepted\n");
      for (;;) {
        board::watchdog_feed();
        board::wait_for_interrupt();
      }
    case Task::kAcceptAndReset:
      end_with(accept());
    case Task::kFloatingPoint:
    case Task::kMustNotRun:
      break;
  }
  idle();
}

}  // namespace

int main() {
  board::init();
  if (chosen.task == Task::kMustNotRun) {
    say_that_it_runs();
    idle();
  }
  say_what_was_handed_over();
  if (chosen.task == Task::kFloatingPoint) {
    say("probe: floating-point registers ", probe::try_floating_point());
    say("", "\n");
    idle();
  }
  const boot::BootInfo& info = board::boot_info();
  probe::try_the_other_world(chosen.task, info);
  // Only on trial: the image that was there before shall not do it too.
  if (info.image_state == boot::ImageState::kTrial) run(chosen.task);
  say("probe: ", "at rest\n");
  idle();
}
