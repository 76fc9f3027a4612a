// Start of the OTA demo application: who this device is, which image runs, then the demo.
#include "agent/app/console.h"
#include "agent/app/crypto_memory.h"
#include "agent/app/device_settings.h"
#include "agent/app/halt.h"
#include "agent/app/ota_demo.h"
#include "agent/app/random.h"
#include "agent/app/running_image.h"
#include "agent/include/ota_appversion32.h"
#include "qemu_boards/common/board.h"

/// Set from the header of the image the bootloader verified, before the agent is initialised.
AppVersion32_t appFirmwareVersion{};

namespace {

app::RunningImage identify_image() {
  const std::optional<app::RunningImage> image = app::read_running_image();
  if (!image) app::halt("the bootloader left no valid hand-over");
  const boot::image::Version& version = image->header.version;
  appFirmwareVersion.u.x.major = version.major;
  appFirmwareVersion.u.x.minor = version.minor;
  appFirmwareVersion.u.x.build = version.revision;
  app::console::log("otasim demo ", version.major, '.', version.minor, '.', version.revision, ", slot ",
                    app::name_of(image->slot), image->on_trial ? ", on trial" : "");
  return *image;
}

void load_settings(app::DeviceSettings& settings) {
  static std::array<std::uint8_t, provisioning::kMaxBlobSize> blob;
  const provisioning::Status status = settings.load(board::flash(), board::rom_trust().device_key, blob);
  if (status != provisioning::Status::kOk) app::halt(provisioning::to_string(status));
}

void seed_random_numbers(const app::DeviceSettings& settings) {
  const auto status =
      app::random::seed(board::flash(), settings.provisioned().entropy_seed, board::boot_info().digest);
  if (status == app::random::Status::kNoEntropy) app::halt("no entropy source and no provisioned seed");
  if (status == app::random::Status::kSeedOnly) {
    app::console::log("the entropy source failed, random numbers come from the provisioned seed alone");
  }
}

}  // namespace

int main() {
  board::init();
  app::crypto_memory::init();
  static const app::RunningImage image = identify_image();
  static app::DeviceSettings settings;
  load_settings(settings);
  seed_random_numbers(settings);

  static app::OtaDemo demo(settings, image);
  demo.run();
}
