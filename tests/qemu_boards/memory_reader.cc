#include "tests/qemu_boards/memory_reader.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "sim/base/file_io.h"
#include "sim/base/unix_socket.h"

namespace otasim::test {

MemoryReader::MemoryReader(const std::string& socket_path)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const auto address = unix_socket_address(socket_path);
  if (!address) throw std::runtime_error(address.error().message);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0)
    throw std::runtime_error("no monitor at " + socket_path);
  if (answer().find("QMP") == std::string::npos) throw std::runtime_error("the monitor does not greet");
  send(R"({"execute": "qmp_capabilities"})");
  if (answer().find("return") == std::string::npos) throw std::runtime_error("the monitor refuses");
}

std::optional<std::vector<std::uint8_t>> MemoryReader::read(std::uint32_t address, std::uint32_t size,
                                                            const std::string& file) {
  send(fmt::format(R"({{"execute": "memsave", "arguments": {{"val": {}, "size": {}, "filename": "{}"}}}})",
                   address, size, file));
  for (;;) {
    const std::string line = answer();
    if (line.find("\"error\"") != std::string::npos) return std::nullopt;
    if (line.find("\"return\"") != std::string::npos) break;  // the rest are events
  }
  auto bytes = read_file(file);
  if (!bytes) throw std::runtime_error(bytes.error().message);
  return std::vector<std::uint8_t>(bytes->begin(), bytes->end());
}

void MemoryReader::send(const std::string& command) {
  const std::string line = command + "\n";
  if (::write(socket_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    throw std::runtime_error("the monitor does not listen");
}

std::string MemoryReader::answer() {
  for (;;) {
    if (const auto end = received_.find('\n'); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    std::array<char, 4096> bytes;
    const ssize_t count = ::read(socket_.get(), bytes.data(), bytes.size());
    if (count <= 0) throw std::runtime_error("the monitor is gone");
    received_.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace otasim::test
