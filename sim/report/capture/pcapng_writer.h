// Writes a capture in the pcapng format, which holds what the classic one cannot: names of interfaces,
// several of them in one file, TLS secrets and comments.
//
//   auto writer = PcapngWriter::create(path, comment);
//   writer->add_secrets(key_log);                       // before the frames that need them
//   const auto number = writer->add_interface("thing-1", "its link");
//   writer->add_frame({.interface = number, ...});
//   writer->finish();                                   // until then the path is as it was
//
// The file is the user's alone: with the secrets in it, whoever has it reads the connections. Errors are told
// by finish(), which then leaves nothing.
//
// Source: PCAP Next Generation (pcapng) Capture File Format, draft-ietf-opsawg-pcapng; blocks are padded to 4
// bytes, and numbers have the byte order of the machine, which the first block tells.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sim/base/result.h"

namespace otasim::report::capture {

enum class FrameDirection : std::uint8_t { kUnknown = 0, kToDevice = 1, kFromDevice = 2 };

struct FrameToWrite {
  std::uint32_t interface = 0;
  std::int64_t calendar_ns = 0;
  std::uint32_t wire_bytes = 0;
  FrameDirection direction = FrameDirection::kUnknown;
  std::span<const std::uint8_t> bytes = {};
  std::string_view comment = {};
};

class PcapngWriter {
 public:
  /// @returns kEnvironment if there can be no file
  [[nodiscard]] static Result<PcapngWriter> create(const std::string& path, std::string_view comment);
  ~PcapngWriter();
  PcapngWriter(PcapngWriter&&) noexcept = default;
  PcapngWriter& operator=(PcapngWriter&&) = delete;

  void add_secrets(std::string_view key_log);
  /// @returns its number, from 0
  [[nodiscard]] std::uint32_t add_interface(std::string_view name, std::string_view description);
  void add_frame(const FrameToWrite& frame);

  /// @returns kEnvironment if it could not be written
  [[nodiscard]] Result<void> finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;
  PcapngWriter(File file, std::string temporary, std::string path)
      : file_(std::move(file)), temporary_(std::move(temporary)), path_(std::move(path)) {}

  void write_block(std::uint32_t type, std::string body);

  File file_;
  std::string temporary_;
  std::string path_;
  std::uint32_t interfaces_ = 0;
  int error_ = 0;  ///< errno of the first write that failed
};

}  // namespace otasim::report::capture
