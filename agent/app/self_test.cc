#include "agent/app/self_test.h"

#include <array>
#include <cstring>

#include "agent/boot/slots.h"

namespace app {

const char* run_self_test(const mqtt::Client& client, flash::FlashDriver& flash, const RunningImage& image) {
  if (!client.is_connected()) return "not connected to the broker";

  const flash::Partition* slot = boot::slot_partition(image.slot);
  if (slot == nullptr) return "the bootloader did not say which slot this image is from";
  std::array<std::uint8_t, sizeof(boot::image::Header)> bytes{};
  if (flash.read(slot->offset, bytes) != flash::Status::kOk) return "the flash part cannot be read";
  boot::image::Header stored{};
  std::memcpy(&stored, bytes.data(), sizeof(stored));
  if (stored.magic != boot::image::kMagic || stored.version != image.header.version) {
    return "the slot does not hold the running version";
  }
  return nullptr;
}

}  // namespace app
