// Start of the OTA demo application: who this device is, which image runs, then the demo.
#include "agent/app/crypto_memory.h"
#include "agent/app/ota_demo.h"
#include "agent/app/start_up.h"
#include "qemu_boards/common/board.h"

int main() {
  board::init();
  app::crypto_memory::init();
  static const app::RunningImage image = app::identify_image("otasim demo");
  static app::DeviceSettings settings;
  app::load_settings(settings);
  app::seed_random_numbers(settings);

  static app::OtaDemo demo(settings, image);
  demo.run();
}
