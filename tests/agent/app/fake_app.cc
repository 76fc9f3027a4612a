#include "tests/agent/app/fake_app.h"

#include "qemu_boards/common/board.h"

namespace app::test {

World& world() {
  static World the_world;
  return the_world;
}

void reset_world() {
  world() = {};
}

}  // namespace app::test

void board::console_write(std::string_view text) {
  app::test::world().console += text;
}

std::uint32_t board::millis() {
  return app::test::world().now_ms;
}

bool OTA_SignalEvent(const OtaEventMsg_t* const event) {
  app::test::World& world = app::test::world();
  if (world.queue_is_full) return false;
  world.events.push_back(*event);
  return true;
}
