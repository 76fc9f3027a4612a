// The new image's test of itself, run before it is accepted.
//
// It passes if the device can be updated again from here: it is connected to the broker, the flash part
// answers, and the slot it was started from holds this image.
#pragma once

#include "agent/app/mqtt_client.h"
#include "agent/app/running_image.h"
#include "pal_sim/flash/flash_driver.h"

namespace app {

/// @returns nullptr if all is well, else what is not.
[[nodiscard]] const char* run_self_test(const mqtt::Client& client, flash::FlashDriver& flash,
                                        const RunningImage& image);

}  // namespace app
