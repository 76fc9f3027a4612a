// A self test that begins and never ends: the device is connected, the cloud knows that the image is being
// tested, and nothing more comes. Stands in the place of self_test.cc.
#include "agent/app/console.h"
#include "agent/app/self_test.h"
#include "qemu_boards/common/board.h"

namespace app {

const char* run_self_test(const mqtt::Client& /*client*/, flash::FlashDriver& /*flash*/,
                          const RunningImage& /*image*/) {
  console::log("self test hangs");
  for (;;) board::wait_for_interrupt();
}

}  // namespace app
