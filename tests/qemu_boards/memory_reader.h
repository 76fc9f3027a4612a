// Reads a running device's memory as its processor sees it at that moment, through a monitor of QEMU's of its
// own.
//
//   device.power_on(false, MemoryReader::arguments(path));
//   MemoryReader reader(path);                      // once the device says something
//   auto bytes = reader.read(address, size, file);  // nothing: not all of it can be seen from where it runs
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/unique_fd.h"

namespace otasim::test {

class MemoryReader {
 public:
  [[nodiscard]] static std::vector<std::string> arguments(const std::string& socket_path) {
    return {"-qmp", "unix:" + socket_path + ",server=on,wait=off"};
  }

  /// Failures throw std::runtime_error.
  explicit MemoryReader(const std::string& socket_path);

  /// @param file  that QEMU writes what it reads to
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> read(std::uint32_t address, std::uint32_t size,
                                                              const std::string& file);

 private:
  void send(const std::string& command);
  [[nodiscard]] std::string answer();

  UniqueFd socket_;
  std::string received_;
};

}  // namespace otasim::test
