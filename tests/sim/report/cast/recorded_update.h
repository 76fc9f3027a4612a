// A short update with everything a recording shows: boots, a job, flash operations, a fault, foreign text.
#pragma once

#include <gtest/gtest.h>

#include <cstring>

#include "agent/boot/image_format.h"
#include "tests/sim/report/html/run_folder_fixture.h"

namespace otasim::test {

inline std::vector<std::uint8_t> image_start(std::uint8_t minor) {
  boot::image::Header header{};
  header.magic = boot::image::kMagic;
  header.version.minor = minor;
  std::vector<std::uint8_t> bytes(sizeof header);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

inline void record_update(RunFolder& run) {
  const auto on_device = [&](std::int64_t t_us, const char* source, const char* name,
                             nlohmann::json members) {
    members["device"] = "thing-1";
    run.event(t_us, source, name, std::move(members));
  };
  on_device(1'000, "device", "power_on", {{"board", "mps2-an385"}});
  on_device(2'000, "uart", "line", {{"text", "boot: verify slot=A version=0.1.0 counter=1 result=ok"}});
  on_device(2'500, "boot", "start", {{"slot", "A"}, {"version", "0.1.0"}, {"state", "committed"}});
  run.event(3'000, "broker", "client_connected", {{"clientId", "thing-1"}, {"connection", 1}});
  run.event(4'000, "run", "do", {{"step", "update"}, {"arguments", {{"id", "u1"}}}});
  const auto execution = [&](std::int64_t t_us, const char* status, nlohmann::json details) {
    run.event(
        t_us, "cloud", "job_execution",
        {{"job", "AFR_OTA-u1"}, {"thing", "thing-1"}, {"status", status}, {"details", std::move(details)}});
  };
  execution(5'000, "QUEUED", nlohmann::json::object());
  execution(6'000, "IN_PROGRESS", {{"receive", "1/4"}});
  EXPECT_EQ(run.at(6'100).erase_sector(flash::kSlotB.offset), flash::Status::kOk);
  EXPECT_EQ(run.at(6'200).program(flash::kSlotB.offset, image_start(2)), flash::Status::kOk);
  on_device(6'300, "uart", "line", {{"text", "app: receiving 3/4"}});
  on_device(6'400, "uart", "line", {{"text", "evil \x1b]0;owned\x07\x1b[2J \u4e2d"}});
  on_device(6'500, "link", "fault", {{"fault", "link.blackhole"}});
  on_device(7'000, "device", "reset", {{"cause", "software"}});
  on_device(7'500, "boot", "start", {{"slot", "B"}, {"version", "0.2.0"}, {"state", "trial"}});
  execution(9'000, "SUCCEEDED", {{"reason", "accepted  v0.2.0"}});
  run.result({{"result", "passed"}, {"scenario", "Short"}, {"board", "mps2-an385"}, {"data", "mqtt"}});
}

}  // namespace otasim::test
