#include "sim/report/capture/pcapng_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "sim/base/unique_fd.h"

namespace otasim::report::capture {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kDecryptionSecrets = 10;
constexpr std::uint32_t kByteOrder = 0x1A2B3C4D;
constexpr std::uint32_t kTlsKeyLog = 0x544C534B;
constexpr std::uint16_t kEthernet = 1;
constexpr std::uint8_t kNanoseconds = 9;  // a unit of 10 to the minus 9

enum Option : std::uint16_t {
  kEnd = 0,
  kComment = 1,
  kInterfaceName = 2,
  kFrameFlags = 2,
  kInterfaceText = 3,
  kProgram = 4,
  kTimeUnit = 9
};

template <typename Number>
void append(std::string& body, Number number) {
  body.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void pad(std::string& body) {
  body.resize((body.size() + 3) / 4 * 4);
}

void append_option(std::string& body, Option option, std::string_view value) {
  if (value.empty()) return;
  value = value.substr(0, std::numeric_limits<std::uint16_t>::max());
  append(body, static_cast<std::uint16_t>(option));
  append(body, static_cast<std::uint16_t>(value.size()));
  body += value;
  pad(body);
}

void end_options(std::string& body) {
  append(body, std::uint32_t{kEnd});
}

/// Made anew, so that nobody has it open who may read it.
UniqueFd open_new(const std::string& path) {
  constexpr mode_t kOwnersAlone = 0600;
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return UniqueFd();
  return UniqueFd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnersAlone));
}

Error write_error(const std::string& path, int error) {
  return {ExitCode::kEnvironment, fmt::format("cannot write '{}': {}.", path, std::strerror(error)),
          "Give another file with --out, or free some space."};
}

}  // namespace

Result<PcapngWriter> PcapngWriter::create(const std::string& path, std::string_view comment) {
  const std::string temporary = fmt::format("{}.{}", path, getpid());
  UniqueFd descriptor = open_new(temporary);
  if (!descriptor) return tl::unexpected(write_error(path, errno));
  File file(fdopen(descriptor.get(), "wb"));
  if (!file) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return tl::unexpected(write_error(path, error));
  }
  static_cast<void>(descriptor.release());
  PcapngWriter writer(std::move(file), temporary, path);
  std::string body;
  append(body, kByteOrder);
  append(body, std::uint16_t{1});  // version 1.0
  append(body, std::uint16_t{0});
  append(body, std::int64_t{-1});  // how long the section is, is not said
  append_option(body, kComment, comment);
  append_option(body, kProgram, "otasim");
  end_options(body);
  writer.write_block(kSectionHeader, std::move(body));
  return writer;
}

PcapngWriter::~PcapngWriter() {
  if (file_) unlink(temporary_.c_str());
}

void PcapngWriter::write_block(std::uint32_t type, std::string body) {
  constexpr std::size_t kAround = 12;  // type, and the length before and after
  pad(body);
  const auto length = static_cast<std::uint32_t>(body.size() + kAround);
  std::string block;
  block.reserve(length);
  append(block, type);
  append(block, length);
  block += body;
  append(block, length);
  if (error_ == 0 && std::fwrite(block.data(), block.size(), 1, file_.get()) != 1) error_ = errno;
}

void PcapngWriter::add_secrets(std::string_view key_log) {
  std::string body;
  append(body, kTlsKeyLog);
  append(body, static_cast<std::uint32_t>(key_log.size()));
  body += key_log;
  write_block(kDecryptionSecrets, std::move(body));
}

std::uint32_t PcapngWriter::add_interface(std::string_view name, std::string_view description) {
  std::string body;
  append(body, kEthernet);
  append(body, std::uint16_t{0});
  append(body, std::uint32_t{0});  // frames are kept whole
  append_option(body, kInterfaceName, name);
  append_option(body, kInterfaceText, description);
  append_option(body, kTimeUnit, std::string(1, static_cast<char>(kNanoseconds)));
  end_options(body);
  write_block(kInterfaceDescription, std::move(body));
  return interfaces_++;
}

void PcapngWriter::add_frame(const FrameToWrite& frame) {
  constexpr unsigned kWordBits = 32;
  const auto when = static_cast<std::uint64_t>(frame.calendar_ns);
  std::string body;
  append(body, frame.interface);
  append(body, static_cast<std::uint32_t>(when >> kWordBits));
  append(body, static_cast<std::uint32_t>(when));
  append(body, static_cast<std::uint32_t>(frame.bytes.size()));
  append(body, frame.wire_bytes);
  body.append(reinterpret_cast<const char*>(frame.bytes.data()), frame.bytes.size());
  pad(body);
  append_option(body, kComment, frame.comment);
  std::string flags;
  append(flags, static_cast<std::uint32_t>(frame.direction));
  append_option(body, kFrameFlags, flags);
  end_options(body);
  write_block(kEnhancedPacket, std::move(body));
}

Result<void> PcapngWriter::finish() {
  if (std::fflush(file_.get()) != 0 && error_ == 0) error_ = errno;
  if (error_ == 0 && std::rename(temporary_.c_str(), path_.c_str()) != 0) error_ = errno;
  if (error_ != 0) return tl::unexpected(write_error(path_, error_));  // the destructor removes what there is
  file_.reset();
  return {};
}

}  // namespace otasim::report::capture
