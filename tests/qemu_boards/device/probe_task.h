// What the probe application does once it runs: the misbehaviour that a test wants to see stopped.
//
// A test finds kTaskMarker in the application's payload, writes the task's number behind it, and signs the
// result: one program, as many images as there are tasks.
#pragma once

#include <array>
#include <cstdint>

namespace probe {

enum class Task : std::uint32_t {
  kIdle,              ///< stays alive and never accepts itself
  kCrash,             ///< faults
  kHang,              ///< loops with interrupts off
  kFeedWatchdog,      ///< serves the watchdog in a loop, without ever accepting
  kClearWatchdogNmi,  ///< serves it from an NMI handler of its own
  kWriteBootRom,
  kWriteRomTrust,
  kWriteFlashArray,  ///< a store into the flash window
  kEraseProvisioning,
  kEraseRecovery,
  kEraseRunningSlot,
  kEraseOtherSlot,
  kBurnOtp,
  kWriteBootRomMirror,  ///< where the board shows it a second time
  kEraseRecordOfTrial,  ///< the journal's sector that holds the record in force
  kEraseOtherJournal,   ///< the journal's other sector, which is the application's to write
  kAccept,              ///< accepts itself, ends the trial, serves the watchdog, and stays alive
  kAcceptAndReset,
  kFloatingPoint,  ///< holds values in the floating-point registers while interrupts use them, on trial or
                   ///< not
  kMustNotRun,  ///< says so at once, on trial or not: for images that are bad in a way of the test's choosing
};

inline constexpr std::array<char, 8> kTaskMarker{'P', 'R', 'O', 'B', 'E', 'T', 'S', 'K'};

struct TaskWord {
  std::array<char, 8> marker;
  Task task;
};

}  // namespace probe
