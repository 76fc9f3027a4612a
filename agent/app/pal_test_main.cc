// Start of the qualification program: the PAL on this board, and the tests that are enabled in
// agent/pal_test/test_execution_config.h. The network is not used, except by the end-to-end demo.
//
// The last line is "app: qualification over, N failures".
#include "agent/app/console.h"
#include "agent/app/crypto_memory.h"
#include "agent/app/deadline.h"
#include "agent/app/halt.h"
#include "agent/app/ota_demo.h"
#include "agent/app/start_up.h"
#include "agent/pal_test/ota_pal_test.h"
#include "agent/pal_test/pal_test_port.h"
#include "agent/pal_test/qualification_test.h"
#include "pal_sim/pal/pal_binding.h"
#include "qemu_boards/common/board.h"

namespace {

const app::RunningImage* running_image = nullptr;
const app::DeviceSettings* device_settings = nullptr;

void reset_board(void* /*context*/) {
  board::reset();
}

void bind_pal() {
  static pal::Pal pal({.flash = board::flash(),
                       .updates = board::update_service(),
                       .settings = device_settings->provisioned(),
                       .boot_info = board::boot_info(),
                       .code_signing_root = board::code_signing_root(),
                       .load_region = {board::load_region().address, board::load_region().size},
                       .reset = {reset_board, nullptr}});
  if (pal.start() != flash::Status::kOk) app::halt("boot control cannot be read");
  pal::bind(&pal);
}

}  // namespace

extern "C" void pal_test_output_char(char c) {
  board::console_write({&c, 1});
}

extern "C" void pal_test_delay_ms(uint32_t milliseconds) {
  const app::Deadline deadline(milliseconds);
  while (!deadline.passed()) board::wait_for_interrupt();
}

extern "C" void SetupOtaPalTestParam(OtaPalTestParam_t* pTestParam) {
  pTestParam->pageSize = board::flash().geometry().page_size;
}

/// Never returns: the demo is updated, and its next image takes over. It binds a PAL of its own.
extern "C" void RunOtaE2eDemo() {
  app::seed_random_numbers(*device_settings);
  static app::OtaDemo demo(*device_settings, *running_image);
  demo.run();
}

int main() {
  board::init();
  app::crypto_memory::init();
  static const app::RunningImage image = app::identify_image("otasim qualification");
  static app::DeviceSettings settings;
  app::load_settings(settings);
  running_image = &image;
  device_settings = &settings;
  bind_pal();

  const int failures = RunQualificationTest();
  app::console::log("qualification over, ", failures, " failures");
  for (;;) board::wait_for_interrupt();
}
