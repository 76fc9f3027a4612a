// Records a device's boots into its folder; see recording.h for what comes of it.
//
//   auto recorder = Recorder::create({...});
//   device::Config{..., .recorder = recorder->get()}
//
// recording.json is written at the end of each boot, so that what was recorded before the simulator ends, or
// is killed, can be replayed. What can go wrong: the disk is full; the next boot then does not start, and
// error() tells of the last one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/device/boot_recorder.h"
#include "sim/replay/recording.h"

namespace otasim::replay {

class Recorder : public device::BootRecorder {
 public:
  struct Spec {
    std::string folder;          ///< of the recording; made here
    std::string scratch_folder;  ///< for memory on its way from one process to the next; its path short
    std::string device;
    std::string board;
    std::string bootloader_elf;
    std::string application_elf;
    std::string plugin;
    std::string flash_path;
    std::string fault_path;
    std::uint64_t seed = 1;
    std::uint32_t window_address = 0;
    std::string nic_model;
    std::string mac;
  };

  /// @returns kUsage if the board cannot be recorded; kEnvironment if a file cannot be used
  [[nodiscard]] static Result<std::unique_ptr<Recorder>> create(const Spec& spec);

  [[nodiscard]] Result<device::RecordingArguments> begin(std::string_view cause) override;
  [[nodiscard]] std::vector<device::MemoryDump> memory_dumps() override;
  void end(device::BootEnd how) override;

  /// What was not recorded, if something was not: to be asked when the run is over.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  explicit Recorder(Spec spec) : spec_(std::move(spec)) {}

  [[nodiscard]] Result<void> keep_start(unsigned boot);
  [[nodiscard]] Result<std::vector<std::string>> keep_memory(unsigned boot);
  [[nodiscard]] Result<void> finish_boot(device::BootEnd how);

  Spec spec_;
  Recording recording_;
  std::optional<RecordedBoot> boot_;  ///< the one that runs
  std::vector<std::uint8_t> flash_;   ///< as the last boot began, or left it
  std::optional<Error> error_;
};

}  // namespace otasim::replay
