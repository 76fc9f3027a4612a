// What an application gets of boot control and of the device's identity on boards without a secure world:
// both are in its own program, over the flash part and the ROM.
#include "agent/boot/local_update_service.h"
#include "pal_sim/provisioning/stored_identity.h"
#include "qemu_boards/common/board.h"
#include "qemu_boards/common/rom_trust.h"

namespace board {

boot::UpdateService& update_service() {
  static boot::LocalUpdateService service(flash());
  return service;
}

provisioning::Identity& identity() {
  static provisioning::StoredIdentity stored(flash(), rom_trust().device_key);
  return stored;
}

std::span<const std::uint8_t> code_signing_root() {
  return rom_trust().root_certificate();
}

}  // namespace board
