#include "agent/app/running_image.h"

#include <cstring>

#include "agent/boot/boot_info_seal.h"
#include "qemu_boards/common/board.h"

namespace app {
namespace {

bool lies_in_load_region(const boot::BootInfo& info) {
  const board::LoadRegion region = board::load_region();
  if (info.image_address < region.address) return false;
  const std::uint32_t offset = info.image_address - region.address;
  return info.image_size >= boot::image::kHeaderStructSize && offset <= region.size &&
         info.image_size <= region.size - offset;
}

}  // namespace

std::optional<RunningImage> read_running_image() {
  const boot::BootInfo info = board::boot_info();
  if (!boot::is_sealed(info) || !lies_in_load_region(info)) return std::nullopt;
  RunningImage image{};
  std::memcpy(&image.header, reinterpret_cast<const void*>(info.image_address), sizeof(image.header));
  if (image.header.magic != boot::image::kMagic) return std::nullopt;
  image.slot = info.slot;
  image.state = info.image_state;
  image.attempt = info.attempt;
  image.reset_reason = info.reset_reason;
  return image;
}

std::string_view name_of(boot::ImageState state) {
  switch (state) {
    case boot::ImageState::kCommitted:
      return "committed";
    case boot::ImageState::kTrial:
      return "on trial";
    case boot::ImageState::kAccepted:
      return "accepted";
    case boot::ImageState::kRecovery:
      return "recovery";
  }
  return "unknown";
}

}  // namespace app
