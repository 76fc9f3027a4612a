#include "sim/link/pcap_writer.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace otasim::link {
namespace {

// The magic numbers tell readers the byte order and the unit of time.
struct FileHeader {
  std::uint32_t magic = 0xa1b23c4d;
  std::uint16_t version_major = 2;
  std::uint16_t version_minor = 4;
  std::uint32_t time_zone = 0;
  std::uint32_t time_accuracy = 0;
  std::uint32_t snapshot_bytes = 65'535;
  std::uint32_t link_type = 1;  // Ethernet
};
static_assert(sizeof(FileHeader) == 24);

struct RecordHeader {
  std::uint32_t seconds;
  std::uint32_t nanoseconds;
  std::uint32_t captured_bytes;
  std::uint32_t frame_bytes;
};
static_assert(sizeof(RecordHeader) == 16);

RecordHeader record_header(std::size_t bytes, std::chrono::system_clock::time_point when) {
  using namespace std::chrono;
  const auto since_epoch = duration_cast<nanoseconds>(when.time_since_epoch()).count();
  const auto size = static_cast<std::uint32_t>(bytes);
  return {static_cast<std::uint32_t>(since_epoch / 1'000'000'000),
          static_cast<std::uint32_t>(since_epoch % 1'000'000'000), size, size};
}

}  // namespace

PcapWriter::PcapWriter(File file, std::uint64_t max_file_bytes)
    : file_(std::move(file)), bytes_left_(max_file_bytes - sizeof(FileHeader)) {}

Result<PcapWriter> PcapWriter::create(const std::string& path, std::uint64_t max_file_bytes) {
  File file(std::fopen(path.c_str(), "wbe"));
  const FileHeader header;
  if (!file || std::fwrite(&header, sizeof header, 1, file.get()) != 1) {
    return fail(ExitCode::kEnvironment,
                fmt::format("cannot create the link's capture file {}: {}", path, std::strerror(errno)),
                "Give the run another folder, or free some space.");
  }
  return PcapWriter(std::move(file), max_file_bytes);
}

bool PcapWriter::write(Bytes frame, std::chrono::system_clock::time_point when) {
  if (!file_) return false;
  const std::uint64_t needed = sizeof(RecordHeader) + frame.size();
  const RecordHeader header = record_header(frame.size(), when);
  if (needed > bytes_left_ || std::fwrite(&header, sizeof header, 1, file_.get()) != 1 ||
      std::fwrite(frame.data(), 1, frame.size(), file_.get()) != frame.size()) {
    file_.reset();
    return false;
  }
  bytes_left_ -= needed;
  return true;
}

}  // namespace otasim::link
