#include "agent/app/halt.h"

#include "agent/app/console.h"
#include "qemu_boards/common/board.h"

namespace app {

void halt(const char* reason) {
  console::log("cannot start: ", reason);
  for (;;) board::wait_for_interrupt();
}

}  // namespace app
