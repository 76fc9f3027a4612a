#include "agent/app/fatal.h"

#include "agent/app/console.h"
#include "qemu_boards/common/board.h"

namespace app {

void fatal(const char* reason) {
  console::log("stopped: ", reason, "; resetting");
  board::reset();
}

}  // namespace app
