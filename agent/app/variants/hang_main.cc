// An image that hangs as soon as it was started: it says who it is, and sleeps for ever.
#include "agent/app/start_up.h"
#include "qemu_boards/common/board.h"

int main() {
  board::init();
  static_cast<void>(app::identify_image("otasim demo that hangs"));
  for (;;) board::wait_for_interrupt();
}
