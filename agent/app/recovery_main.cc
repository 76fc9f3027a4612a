// Start of the recovery program: what runs when no application of the device may start. It is the OTA demo
// and nothing else: it asks for a job, receives an application into a slot, and restarts into it.
//
// Signed as a recovery image, it stands in the recovery slot from the factory on, and the bootloader lets it
// start from there only. Nothing it does can make it the application: a recovery image in an application's
// slot is refused, by the PAL and by the bootloader.
#include "agent/app/console.h"
#include "agent/app/crypto_memory.h"
#include "agent/app/ota_demo.h"
#include "agent/app/start_up.h"
#include "qemu_boards/common/board.h"

int main() {
  board::init();
  app::crypto_memory::init();
  static const app::RunningImage image = app::identify_image("otasim recovery");
  app::console::log("no application may start; this is the recovery image, which can only update the device");
  static app::DeviceSettings settings;
  app::load_settings(settings);
  app::seed_random_numbers(settings);

  static app::OtaDemo demo(settings, image);
  demo.run();
}
