// A lasting lab's folder: who works in it now, what it must find again at the next start, and what a start
// that was killed left lying about.
//
//   auto folder = LabFolder::claim(io, "otasim-lab");    // waits until a killed lab's children are gone
//   (*folder)->temporary();                              // a short, private folder for sockets
//   (*folder)->keep_ports(ports);
//   LabFolder::control_socket("otasim-lab");             // others: where to reach the lab that runs there
//
// lab.json     {"format", "mqtt_port", "https_port", "jobs_port", "alpn_port", "running": {"pid",
//              "temporary_folder", "control_socket"}}; `running` stays behind if the lab is killed, and names
//              the temporary folder that is to be removed
// lab.lock     held by the lab that runs
// children.lock  held by it and its child processes
//
// Ports are chosen once: devices are provisioned with that of MQTT, people and scripts know the others.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "sim/base/file_lock.h"
#include "sim/base/result.h"
#include "sim/base/temp_dir.h"
#include "sim/lab/lab_ports.h"

namespace otasim::lab {

class LabFolder {
 public:
  /// Makes the folder if it is missing, locks it, removes what a killed lab left, and makes the temporary
  /// folder. @param path  must be empty or a lab's
  /// @returns kUsage        it holds other things
  ///          kEnvironment  a lab runs in it already (the message has its pid), or it cannot be used
  [[nodiscard]] static Result<std::unique_ptr<LabFolder>> claim(boost::asio::io_context& io,
                                                                const std::string& path);
  /// Notes that the lab has ended in order. The temporary folder goes with the object.
  ~LabFolder();
  LabFolder(const LabFolder&) = delete;
  LabFolder& operator=(const LabFolder&) = delete;

  /// Where the lab that runs in `path` listens for commands.
  /// @returns kEnvironment if none does
  [[nodiscard]] static Result<std::string> control_socket(const std::string& path);
  /// What to say of a folder without a running lab.
  [[nodiscard]] static Error not_running(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }  ///< absolute
  [[nodiscard]] std::string temporary() const { return temporary_->path().string(); }
  [[nodiscard]] std::string control_socket() const { return temporary_->file("control.sock"); }
  /// 0 for each that was not chosen yet.
  [[nodiscard]] const LabPorts& ports() const { return ports_; }
  [[nodiscard]] Result<void> keep_ports(const LabPorts& ports);

 private:
  LabFolder(std::string path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  [[nodiscard]] Result<void> read_state();
  [[nodiscard]] Result<void> write_state(bool running) const;
  [[nodiscard]] Result<void> make_temporary();

  std::string path_;
  FileLock lock_;
  LabPorts ports_;
  std::string left_over_;  ///< the temporary folder of the lab that was killed here
  std::string temporary_path_;
  std::optional<TempDir> temporary_;
};

}  // namespace otasim::lab
