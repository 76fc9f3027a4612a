// The stored floor: a time that is over for good, kept in flash, so that a device that finds no time server
// does not fall back to its build time and take expired certificates for valid ones.
//
//   TimeFloor floor(board::flash());
//   time.raise_floor(floor.load());
//   floor.raise(time.now())          // once a server's certificate was found valid at that time; seldom
//   writes
//
// A journal of pages in two sectors that the bootloader leaves open, except to an image on trial. Every whole
// record counts, and the latest time of all is the floor: records need no order. A sector is erased only
// while the other one holds the floor, and a page that is not blank is never written again. So a power cut
// costs the record that was being written, and the floor before it holds. What is lost by bit rot is a floor,
// not the device.
//
// An image that was accepted can set it to any time, and so keep all images that ask it, the recovery image
// too, off the network; nothing here protects against that.
#pragma once

#include <array>
#include <cstdint>

#include "agent/app/calendar_time.h"
#include "pal_sim/flash/flash_driver.h"

namespace app {

class TimeFloor {
 public:
  /// What raise() does not write for: the flash wears.
  static constexpr EpochSeconds kStep = 24 * 60 * 60;

  explicit TimeFloor(flash::FlashDriver& flash) : flash_(flash) {}

  /// Reads the journal. @returns the floor, 0 if there is none; pages that cannot be read are passed over
  [[nodiscard]] EpochSeconds load();

  /// Keeps `time`, if it is at least kStep after the floor and the last try, and a time that a calendar has
  /// (crypto::kLastCivilSecond). Call after load().
  /// @returns kOk if there is nothing to write or it is written, else what the flash part returned: the floor
  ///          is the one before
  [[nodiscard]] flash::Status raise(EpochSeconds time);

 private:
  struct Sector {
    std::uint32_t offset = 0;
    std::uint32_t used = 0;  ///< pages up to the last one that is not known to be blank
  };

  void look_at(Sector& sector);
  [[nodiscard]] flash::Status make_room(Sector*& sector);

  flash::FlashDriver& flash_;
  std::array<Sector, 2> sectors_{};
  EpochSeconds floor_ = 0;
  EpochSeconds tried_ = 0;          ///< to keep; whether it succeeded or not
  const Sector* holder_ = nullptr;  ///< of the floor; null: none has it
};

}  // namespace app
