// One update from power-on to its end: broker, cloud, link and device put together, and watched.
//
// The run is driven by the event log alone: what happens next depends on what was seen, never on time. It
// ends when the job is over (and the device has said its last line, if one is awaited), when a part of the
// lab breaks, on Ctrl-C, or at the limit. All child processes and temporary files are gone when it returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/cloud/object_faults.h"
#include "sim/cloud/ota_updates.h"
#include "sim/lab/build_products.h"
#include "sim/lab/factory.h"
#include "sim/lab/transfer_settings.h"
#include "sim/report/event_log.h"
#include "sim/scenario/oracle.h"

namespace otasim::scenario {

struct UpdatePlan {
  std::string board;
  lab::BuildProducts products;
  std::vector<std::uint8_t> factory_image;        ///< what the device starts with
  std::vector<std::uint8_t> recovery_image = {};  ///< in its recovery slot; empty: none
  std::vector<std::uint8_t> update_image;         ///< what it is offered
  std::string run_folder;       ///< exists; gets uart.log, link.pcap, flash.bin, flash.ops, broker.log
  std::uint16_t mqtt_port = 0;  ///< 0: any free one
  std::uint64_t seed = 1;
  lab::TransferSettings transfer = {};                                ///< of the device's agent
  std::vector<cloud::Protocol> protocols = {cloud::Protocol::kMqtt};  ///< that the update offers
  cloud::ObjectFaultHandler object_faults = {};                       ///< asked about each HTTP request
  std::uint32_t request_wait_ms =
      lab::DeviceSettings{}.request_wait_ms;  ///< how long the agent waits for a block
  unsigned limit_seconds = 120;
  /// After SUCCEEDED, wait for a console line that contains this; empty: do not wait.
  std::string last_line;
};

struct UpdateOutcome {
  std::string job_id;
  std::string status;  ///< the job execution's last status: SUCCEEDED, FAILED, ...
  std::string reason;  ///< its statusDetails.reason
  /// Version of the image the device's bootloader started last, from its console.
  std::string running_version;
  std::string running_slot;               ///< "A", "B", or "recovery": the device is in its fail-safe mode
  std::int64_t boot_to_connected_ms = 0;  ///< power-on to the broker accepting the device
  std::int64_t transfer_ms = 0;           ///< job received to image verified, both by the device
  std::int64_t wall_ms = 0;               ///< power-on to the job's end
  std::optional<ApprovedImage> approved;  ///< what the flash says afterwards
  std::string flash_problem;              ///< why `approved` is empty
  /// The recovery image that starts instead, if `approved` is empty and there is one that may.
  std::optional<ApprovedImage> fail_safe;
  bool flash_holds_update = false;  ///< the approved slot has exactly the bytes that were offered
};

/// Runs the plan. An update that the device refuses is an outcome, not an error.
/// @returns kEnvironment  a tool, port or file is missing, or the broker or QEMU ended
///          kFailed       the limit passed
///          kInterrupted  Ctrl-C or SIGTERM
[[nodiscard]] Result<UpdateOutcome> run_update(const UpdatePlan& plan, report::EventLog& log);

}  // namespace otasim::scenario
