#include "tests/sim/scenario/sound_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "agent/boot/boot_control.h"
#include "agent/boot/boot_state.h"
#include "agent/boot/security_counter.h"
#include "pal_sim/flash/flash_map.h"
#include "qemu_boards/native/native_flash.h"
#include "sim/image/image.h"

namespace otasim::scenario::test {
namespace {

using boot::image::Kind;
using nlohmann::json;

constexpr std::uint32_t kUpdateCounter = 2;

Bytes make_image(const crypto::P256Key& key, image::Version version, std::uint32_t counter, Kind kind) {
  const Bytes payload(2000, static_cast<std::uint8_t>(version.revision + 1));
  return image::sign(
             payload,
             {.version = version, .security_counter = counter, .load_address = 0x100000, .kind = kind}, key)
      .value();
}

boot::ImageIdentity identity(const Bytes& image) {
  const image::Info info = image::parse(image).value();
  boot::ImageIdentity out;
  out.version = info.version;
  out.security_counter = info.security_counter.value_or(0);
  out.size = info.total_size;
  std::ranges::copy(info.sha256.value(), out.digest.begin());
  return out;
}

class Recorder : public flash::OpObserver {
 public:
  void on_operation(const flash::Operation& operation) override {
    log.operations.push_back({.sequence = operation.sequence,
                              .kind = operation.kind,
                              .offset = operation.offset,
                              .length = operation.length,
                              .applied = operation.applied,
                              .status = operation.status,
                              .data = {operation.data.begin(), operation.data.end()}});
  }
  flash::OpLog log;
};

/// The part, and what is done to it.
class Part {
 public:
  Part() { flash_.model().set_observer(&recorder_); }

  void append(const std::optional<boot::BootState>& state) {
    ASSERT_TRUE(state.has_value());
    boot::BootControl control(flash_);
    ASSERT_EQ(control.load(), flash::Status::kOk);
    ASSERT_EQ(control.append(*state), flash::Status::kOk);
    state_ = *state;
  }
  void receive(const Bytes& image, const flash::Partition& slot) {
    for (std::uint32_t at = 0; at < image.size(); at += flash::kPageSize) {
      if (at % flash::kControllerPart.sector_size == 0) {
        ASSERT_EQ(flash_.erase_sector(slot.offset + at), flash::Status::kOk);
      }
      const std::size_t length = std::min<std::size_t>(flash::kPageSize, image.size() - at);
      ASSERT_EQ(flash_.program(slot.offset + at, std::span(image).subspan(at, length)), flash::Status::kOk);
    }
  }
  void burn(std::uint32_t counter) {
    ASSERT_EQ(boot::burn_floor(flash_, Kind::kApplication, counter), flash::Status::kOk);
  }
  [[nodiscard]] Bytes window() { return {flash_.window().begin(), flash_.window().end()}; }
  [[nodiscard]] const boot::BootState& state() const { return state_; }
  void begin_log() { recorder_.log = {}; }
  [[nodiscard]] const flash::OpLog& log() const { return recorder_.log; }

 private:
  Recorder recorder_;
  native::NativeFlash flash_;
  boot::BootState state_;
};

}  // namespace

json boot_event(const char* name, json members) {
  json event{{"source", "boot"}, {"event", name}, {"device", kDevice}};
  event.update(members);
  return event;
}

json execution_event(const std::string& status, const std::string& reason, const std::string& job) {
  return {{"source", "cloud"}, {"event", "job_execution"}, {"job", job},
          {"thing", kDevice},  {"status", status},         {"details", {{"reason", reason}}}};
}

SoundRun::SoundRun() {
  images["factory"] = make_image(key, {1, 0, 0, 0}, 1, Kind::kApplication);
  images["update"] = make_image(key, {1, 0, 1, 0}, kUpdateCounter, Kind::kApplication);
  images["recovery"] = make_image(key, {0, 0, 1, 0}, 1, Kind::kRecovery);
  Part part;
  part.receive(images["factory"], flash::kSlotA);
  part.receive(images["recovery"], flash::kRecovery);
  part.receive(Bytes(500, 0x5A), flash::kProvisioning0);
  part.receive(Bytes(500, 0x5A), flash::kProvisioning1);
  part.burn(1);
  part.append(boot::commit_factory({}, boot::Slot::kA, identity(images["factory"])));
  part.begin_log();
  DeviceEvidence device{.name = kDevice, .factory_flash = part.window()};
  part.append(boot::begin_receive(part.state(), kJob, boot::Slot::kB));
  part.receive(images["update"], flash::kSlotB);
  part.append(boot::mark_verified(part.state(), identity(images["update"])));
  part.append(boot::start_trial(part.state()));
  part.append(boot::accept(part.state()));
  device.flash_at_end = part.window();
  part.burn(kUpdateCounter);
  part.append(boot::promote(part.state()));
  device.flash = part.window();
  device.op_log = part.log();
  device.boots = {{.slot = "B", .version = "1.0.1", .state = "committed"},
                  {.slot = "B", .version = "1.0.1", .state = "committed"}};
  evidence.devices.push_back(std::move(device));
  evidence.updates = {{kJob, "update"}};
  evidence.images = &images;
  evidence.boot_key = &key;
  evidence.events = {
      boot_event("reset", {{"reason", "power-on"}}),
      boot_event("verify", {{"slot", "A"}, {"version", "1.0.0"}, {"counter", 1}, {"result", "ok"}}),
      boot_event("start", {{"slot", "A"}, {"version", "1.0.0"}, {"state", "committed"}}),
      execution_event("QUEUED", ""),
      execution_event("IN_PROGRESS", ""),
      boot_event("reset", {{"reason", "software"}}),
      boot_event("verify", {{"slot", "B"}, {"version", "1.0.1"}, {"counter", 2}, {"result", "ok"}}),
      boot_event("start", {{"slot", "B"}, {"version", "1.0.1"}, {"state", "trial"}}),
      execution_event("SUCCEEDED", "accepted v1.0.1"),
      boot_event("verify", {{"slot", "B"}, {"version", "1.0.1"}, {"counter", 2}, {"result", "ok"}}),
      boot_event("commit", {{"slot", "B"}, {"version", "1.0.1"}, {"counter", 2}, {"result", "ok"}}),
      boot_event("start", {{"slot", "B"}, {"version", "1.0.1"}, {"state", "committed"}})};
}

void SoundRun::forget_update() {
  DeviceEvidence& one = device();
  one.flash = one.factory_flash;
  one.flash_at_end = one.factory_flash;
  one.op_log = flash::OpLog{};
  one.boots = {2, {.slot = "A", .version = "1.0.0", .state = "committed"}};
  evidence.events.resize(3);
}

void SoundRun::damage(std::uint32_t offset, std::uint32_t length) {
  for (Bytes* window : {&device().flash_at_end, &device().flash}) {
    for (std::uint32_t i = 0; i < length; ++i) (*window)[offset + i] ^= 0xFF;
  }
  device().flash_was_damaged = true;
}

}  // namespace otasim::scenario::test
