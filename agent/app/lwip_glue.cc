// What lwIP asks of its port: a clock, random numbers, and where to go when an invariant breaks.
#include <lwip/opt.h>
#include <lwip/sys.h>

#include "agent/app/fatal.h"
#include "agent/app/random.h"
#include "qemu_boards/common/board.h"

extern "C" {

u32_t sys_now() {
  return board::millis();
}

std::uint32_t app_lwip_random() {
  return app::random::next_u32();
}

void app_lwip_assertion_failed(const char* message) {
  app::fatal(message);
}

}  // extern "C"
