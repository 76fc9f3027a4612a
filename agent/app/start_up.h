// The first steps of every application: which image runs, who this device is, random numbers.
//
//   board::init(); crypto_memory::init();
//   const RunningImage image = identify_image("otasim demo");
//   load_settings(settings);
//   seed_random_numbers(settings);
//
// What is missing stops the device with a line that says so (halt.h): on trial, the watchdog then brings the
// previous image back.
#pragma once

#include <string_view>

#include "agent/app/device_settings.h"
#include "agent/app/running_image.h"

namespace app {

/// Reads the bootloader's hand-over, gives the agent its version (appFirmwareVersion), and prints the
/// program's first line, with all that the hand-over says:
///
///   app: otasim demo 1.1.0, slot B, on trial, attempt 1, reset: software
[[nodiscard]] RunningImage identify_image(std::string_view program);

/// Reads the provisioned settings. Call once: they refer to memory that is kept here.
void load_settings(DeviceSettings& settings);

void seed_random_numbers(const DeviceSettings& settings);

}  // namespace app
