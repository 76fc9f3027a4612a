#include "agent/app/start_up.h"

#include <array>
#include <optional>

#include "agent/app/console.h"
#include "agent/app/halt.h"
#include "agent/app/random.h"
#include "agent/boot/boot_state.h"
#include "agent/boot/slots.h"
#include "agent/include/ota_appversion32.h"
#include "qemu_boards/common/board.h"

/// Set from the header of the image the bootloader verified, before the agent is initialised.
AppVersion32_t appFirmwareVersion{};

namespace app {

RunningImage identify_image(std::string_view program) {
  const std::optional<RunningImage> image = read_running_image();
  if (!image) halt("the bootloader left no valid hand-over");
  const boot::image::Version& version = image->header.version;
  appFirmwareVersion.u.x.major = version.major;
  appFirmwareVersion.u.x.minor = version.minor;
  appFirmwareVersion.u.x.build = version.revision;
  console::Line line;
  line << "app: " << program << ' ' << version.major << '.' << version.minor << '.' << version.revision
       << ", slot " << boot::slot_name(image->slot) << ", " << name_of(image->state);
  if (image->state == boot::ImageState::kTrial) line << ", attempt " << image->attempt;
  line << ", reset: " << boot::to_string(image->reset_reason);
  console::write(line);
  return *image;
}

void load_settings(DeviceSettings& settings) {
  static std::array<std::uint8_t, provisioning::kMaxBlobSize> blob;
  const provisioning::Status status = settings.load(board::identity(), blob);
  if (status != provisioning::Status::kOk) halt(provisioning::to_string(status));
}

void seed_random_numbers(const DeviceSettings& settings) {
  const auto status =
      random::seed(board::flash(), settings.provisioned().entropy_seed, board::boot_info().digest);
  if (status == random::Status::kNoEntropy) halt("no entropy source and no provisioned seed");
  if (status == random::Status::kSeedOnly) {
    console::log("the entropy source failed, random numbers come from the provisioned seed alone");
  }
}

}  // namespace app
