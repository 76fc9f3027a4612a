#include "pal_sim/flash/op_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "pal_sim/flash/crc32.h"
#include "pal_sim/flash/op_log_tail.h"

namespace flash {
namespace {

using Bytes = std::span<const std::uint8_t>;

// Where a record's fields stand.
constexpr std::size_t kSequenceAt = 0;
constexpr std::size_t kKindAt = 4;
constexpr std::size_t kStatusAt = 5;
constexpr std::size_t kDataLengthAt = 6;
constexpr std::size_t kOffsetAt = 8;
constexpr std::size_t kLengthAt = 12;
constexpr std::size_t kAppliedAt = 16;
constexpr std::size_t kSourceAt = 20;  // and three zero bytes
constexpr std::size_t kTimeAt = 24;
constexpr std::size_t kCrcAt = 32;

void put32(std::uint8_t* at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint32_t get32(Bytes bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at]) | static_cast<std::uint32_t>(bytes[at + 1]) << 8 |
         static_cast<std::uint32_t>(bytes[at + 2]) << 16 | static_cast<std::uint32_t>(bytes[at + 3]) << 24;
}

std::uint64_t get64(Bytes bytes, std::size_t at) {
  return get32(bytes, at) | std::uint64_t{get32(bytes, at + 4)} << 32;
}

std::uint32_t record_crc(Bytes record, Bytes data) {
  return crc32(data, crc32(record.first(kCrcAt)));
}

// @returns 0 or an errno
int write_all(int descriptor, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

/// Opening a pipe waits for its writer, unless told not to.
constexpr int kToRead = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

/// @param most  bytes to read
std::optional<std::vector<std::uint8_t>> read_part(int descriptor, std::uint64_t from, std::uint64_t most) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) return std::nullopt;
  if (!S_ISREG(info.st_mode)) {
    errno = EINVAL;
    return std::nullopt;
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < from) {
    errno = ERANGE;
    return std::nullopt;
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::min(size - from, most)));
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got =
        ::pread(descriptor, bytes.data() + have, bytes.size() - have, static_cast<off_t>(from + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

std::optional<std::vector<std::uint8_t>> read_all(int descriptor) {
  return read_part(descriptor, 0, std::numeric_limits<std::uint64_t>::max());
}

bool is_known(std::uint8_t kind, std::uint8_t status, std::uint8_t source) {
  const bool is_kind = (kind >= static_cast<std::uint8_t>(OpKind::kProgram) &&
                        kind <= static_cast<std::uint8_t>(OpKind::kOtpLock)) ||
                       kind == static_cast<std::uint8_t>(OpKind::kEraseBlock);
  return is_kind && status <= static_cast<std::uint8_t>(Status::kNoDevice) &&
         source <= static_cast<std::uint8_t>(OpSource::kApplication);
}

/// All whole records; `whole_bytes` counts theirs alone.
OpLog parse_records(Bytes bytes) {
  OpLog log;
  Bytes rest = bytes;
  while (!rest.empty()) {
    std::optional<LoggedOperation> operation = parse_op_log_record(rest);
    if (!operation) break;
    rest = rest.subspan(kOpLogRecordSize + operation->data.size());
    log.operations.push_back(std::move(*operation));
  }
  log.whole_bytes = bytes.size() - rest.size();
  log.torn = !rest.empty();
  return log;
}

std::optional<OpLog> parse_log(Bytes bytes) {
  if (!is_op_log_header(bytes)) {
    const bool is_op_log = bytes.size() >= kOpLogHeaderSize && get32(bytes, 0) == kOpLogMagic;
    errno = is_op_log ? ENOTSUP : EINVAL;
    return std::nullopt;
  }
  OpLog log = parse_records(bytes.subspan(kOpLogHeaderSize));
  log.whole_bytes += kOpLogHeaderSize;
  return log;
}

// Leaves a sound log, to which the descriptor appends. @returns 0 or an errno
int prepare_for_append(int descriptor) {
  const auto bytes = read_all(descriptor);
  if (!bytes) return errno;
  if (bytes->empty()) {
    std::array<std::uint8_t, kOpLogHeaderSize> header{};
    put32(header.data(), kOpLogMagic);
    put32(header.data() + 4, kOpLogVersion);
    return write_all(descriptor, header);
  }
  const auto log = parse_log(*bytes);
  if (!log) return errno;
  if (log->torn && ::ftruncate(descriptor, static_cast<off_t>(log->whole_bytes)) != 0) return errno;
  return 0;
}

}  // namespace

std::optional<OpLogWriter> OpLogWriter::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) return std::nullopt;
  OpLogWriter writer(descriptor);
  if (const int error = prepare_for_append(descriptor); error != 0) {
    errno = error;
    return std::nullopt;
  }
  return writer;
}

OpLogWriter::OpLogWriter(OpLogWriter&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), error_(other.error_) {}

OpLogWriter& OpLogWriter::operator=(OpLogWriter&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(error_, other.error_);
  return *this;
}

OpLogWriter::~OpLogWriter() {
  const int saved = errno;
  if (descriptor_ >= 0) ::close(descriptor_);
  errno = saved;
}

void OpLogWriter::on_operation(const Operation& operation) {
  if (error_ != 0) return;
  std::array<std::uint8_t, kOpLogRecordSize + kPageSize> record{};
  const std::size_t data_length = std::min<std::size_t>(operation.data.size(), kPageSize);
  const Bytes data = operation.data.first(data_length);
  put32(&record[kSequenceAt], operation.sequence);
  record[kKindAt] = static_cast<std::uint8_t>(operation.kind);
  record[kStatusAt] = static_cast<std::uint8_t>(operation.status);
  record[kDataLengthAt] = static_cast<std::uint8_t>(data_length);
  record[kDataLengthAt + 1] = static_cast<std::uint8_t>(data_length >> 8);
  put32(&record[kOffsetAt], operation.offset);
  put32(&record[kLengthAt], operation.length);
  put32(&record[kAppliedAt], operation.applied);
  record[kSourceAt] = static_cast<std::uint8_t>(operation.source);
  put32(&record[kTimeAt], static_cast<std::uint32_t>(operation.time_us));
  put32(&record[kTimeAt + 4], static_cast<std::uint32_t>(operation.time_us >> 32));
  put32(&record[kCrcAt], record_crc(record, data));
  std::ranges::copy(data, record.begin() + kOpLogRecordSize);
  error_ = write_all(descriptor_, Bytes(record).first(kOpLogRecordSize + data_length));
}

std::optional<LoggedOperation> parse_op_log_record(Bytes bytes) {
  if (bytes.size() < kOpLogRecordSize) return std::nullopt;
  const std::size_t data_length =
      static_cast<std::size_t>(bytes[kDataLengthAt] | bytes[kDataLengthAt + 1] << 8);
  if (data_length > kPageSize || data_length > bytes.size() - kOpLogRecordSize) return std::nullopt;
  const Bytes data = bytes.subspan(kOpLogRecordSize, data_length);
  if (record_crc(bytes, data) != get32(bytes, kCrcAt)) return std::nullopt;
  if (!is_known(bytes[kKindAt], bytes[kStatusAt], bytes[kSourceAt])) return std::nullopt;
  return LoggedOperation{.sequence = get32(bytes, kSequenceAt),
                         .kind = static_cast<OpKind>(bytes[kKindAt]),
                         .offset = get32(bytes, kOffsetAt),
                         .length = get32(bytes, kLengthAt),
                         .applied = get32(bytes, kAppliedAt),
                         .status = static_cast<Status>(bytes[kStatusAt]),
                         .data = {data.begin(), data.end()},
                         .source = static_cast<OpSource>(bytes[kSourceAt]),
                         .time_us = get64(bytes, kTimeAt)};
}

bool is_op_log_header(Bytes bytes) {
  return bytes.size() >= kOpLogHeaderSize && get32(bytes, 0) == kOpLogMagic &&
         get32(bytes, 4) == kOpLogVersion;
}

bool empty_op_log(const std::string& path) {
  return ::truncate(path.c_str(), kOpLogHeaderSize) == 0;
}

std::string op_log_problem(int error) {
  switch (error) {
    case EINVAL:
      return "it is not an op log";
    case ENOTSUP:
      return "it is an op log, but not of version " + std::to_string(kOpLogVersion);
    default:
      return std::strerror(error);
  }
}

std::optional<OpLog> read_op_log(const std::string& path) {
  const int descriptor = ::open(path.c_str(), kToRead);
  if (descriptor < 0) return std::nullopt;
  const auto bytes = read_all(descriptor);
  const int error = errno;
  ::close(descriptor);
  errno = error;
  if (!bytes) return std::nullopt;
  return parse_log(*bytes);
}

std::optional<OpLog> read_op_log_piece(const std::string& path, std::uint64_t from, std::size_t most) {
  const int descriptor = ::open(path.c_str(), kToRead);
  if (descriptor < 0) return std::nullopt;
  const auto bytes = read_part(descriptor, from, most);
  const int error = errno;
  ::close(descriptor);
  errno = error;
  if (!bytes) return std::nullopt;
  if (from == 0) return parse_log(*bytes);
  OpLog piece = parse_records(*bytes);
  piece.whole_bytes += from;
  return piece;
}

}  // namespace flash
