// Random histories of a device: updates good and bad, power cuts with marginal bits, flash that fails, an
// outsider who rewrites slots and journal. Whatever happens, the invariants S1 to S3, S5, S6 and L2 of the
// design hold, as an oracle sees them that shares no code with the bootloader (boot_oracle.h).
//
// A history is a setup and a list of steps. A step that makes no sense where it stands is skipped, so that
// any list is a history and RapidCheck can shrink it. It ends without faults: within three boots the device
// is where it should be, two more change nothing, and it takes one more update.
//
// Others, or more: RC_PARAMS="max_success=100000 seed=7" build/sanitize/tests/boot_history_property_test
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "tests/agent/boot/history_device.h"

namespace boot_test {
namespace {

rc::Gen<Setup> any_setup() {
  return rc::gen::build<Setup>(
      rc::gen::set(&Setup::previous_image, rc::gen::element(PreviousImage::kErase, PreviousImage::kKeep)),
      rc::gen::set(&Setup::slot_a,
                   rc::gen::weightedElement<int>({{8, 0}, {2, 3}, {1, 5}, {1, 12}, {1, kNothing}})),
      rc::gen::set(&Setup::slot_b, rc::gen::weightedElement<int>({{8, kNothing}, {2, 0}, {1, 1}, {1, 5}})),
      rc::gen::set(&Setup::recovery, rc::gen::weightedElement<int>({{4, 0}, {2, 1}, {1, 2}, {4, kNothing}})),
      rc::gen::set(&Setup::luck, rc::gen::inRange<std::uint32_t>(0, 1000)));
}

rc::Gen<Step> any_step() {
  const auto what = rc::gen::weightedElement<Do>({{5, Do::kReset},
                                                  {3, Do::kPowerCycle},
                                                  {7, Do::kStage},
                                                  {1, Do::kReceivePart},
                                                  {7, Do::kAccept},
                                                  {1, Do::kRefuse},
                                                  {6, Do::kCutPower},
                                                  {2, Do::kFail},
                                                  {1, Do::kForgetFailures},
                                                  {1, Do::kDamageSlot},
                                                  {1, Do::kReplaceImage},
                                                  {1, Do::kDamageJournal},
                                                  {1, Do::kForgeJournal}});
  return rc::gen::build<Step>(rc::gen::set(&Step::what, what),
                              rc::gen::set(&Step::a, rc::gen::inRange<std::uint32_t>(0, 200)),
                              rc::gen::set(&Step::b, rc::gen::inRange<std::uint32_t>(0, 1000)));
}

RC_GTEST_PROP(BootHistory, KeepsTheInvariants, ()) {
  const Setup setup = *any_setup().as("setup");
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step()).as("steps");
  Device device(setup);
  try {
    device.take({.what = Do::kReset});
    for (const Step& step : steps) device.take(step);
    device.end_well();
  } catch (...) {
    RC_LOG() << device.story();
    throw;
  }
}

}  // namespace
}  // namespace boot_test
