// Boards without a secure world.
#include "tests/qemu_boards/device/trustzone_attempts.h"

namespace probe {

void try_the_other_world(Task /*task*/, const boot::BootInfo& /*info*/) {}

}  // namespace probe
