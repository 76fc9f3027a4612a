// The op log: every operation a flash part received, with its data, in one append-only file.
//
// Written by whoever runs the part (OpLogWriter is the model's observer), one write() per operation, so that
// what was logged survives a killed process. Read back as a whole by read_op_log(). The bytes are described
// in docs/flash-layout.md. A log may be continued: open() drops a torn tail and appends.
//
// Version 2 tells of each operation whose it was and when it came; logs of version 1 are not read.
//
// What can go wrong: a full disk or a kill tears the last record; readers then return all whole records
// before it and say so. A damaged record ends the log there in the same way.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pal_sim/flash/nor_model.h"

namespace flash {

inline constexpr std::uint32_t kOpLogMagic = 0x4C4F'544F;  // "OTOL" in the file
inline constexpr std::uint32_t kOpLogVersion = 2;
inline constexpr std::size_t kOpLogHeaderSize = 8;
inline constexpr std::size_t kOpLogRecordSize = 36;  ///< without the data that follows

class OpLogWriter : public OpObserver {
 public:
  /// Opens or creates the log at `path` and stands at its end.
  /// @returns nothing, with errno set, if it cannot be opened or written, is some other file (EINVAL), or an
  ///          op log of another version (ENOTSUP)
  [[nodiscard]] static std::optional<OpLogWriter> open(const std::string& path);

  OpLogWriter(OpLogWriter&& other) noexcept;
  OpLogWriter& operator=(OpLogWriter&& other) noexcept;
  ~OpLogWriter() override;

  void on_operation(const Operation& operation) override;

  /// 0, or the errno of the write that failed; nothing is logged after it.
  [[nodiscard]] int error() const { return error_; }

 private:
  explicit OpLogWriter(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
  int error_ = 0;
};

/// One record; the fields are `Operation`'s.
struct LoggedOperation {
  std::uint32_t sequence = 0;
  OpKind kind = OpKind::kProgram;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  std::uint32_t applied = 0;
  Status status = Status::kOk;
  std::vector<std::uint8_t> data;
  OpSource source = OpSource::kUnknown;
  std::uint64_t time_us = 0;

  bool operator==(const LoggedOperation&) const = default;
};

/// The longest record there is.
inline constexpr std::size_t kOpLogMostRecord = kOpLogRecordSize + kPageSize;

/// The bytes that a log of this version begins with. @returns false if these are others, or too few
[[nodiscard]] bool is_op_log_header(std::span<const std::uint8_t> bytes);

/// The record that `bytes` begin with; it has kOpLogRecordSize and its data's bytes.
/// @returns nothing if it is not whole, or damaged
[[nodiscard]] std::optional<LoggedOperation> parse_op_log_record(std::span<const std::uint8_t> bytes);

/// Takes all records out of a log. Its writer, if there is one between two operations, goes on behind the
/// header. @returns false, with errno set, if it cannot be done
[[nodiscard]] bool empty_op_log(const std::string& path);

/// What OpLogWriter::open() and read_op_log() mean by an errno, for a message to the user.
[[nodiscard]] std::string op_log_problem(int error);

struct OpLog {
  std::vector<LoggedOperation> operations;
  std::uint64_t whole_bytes = 0;  ///< header and whole records
  bool torn = false;              ///< something unreadable stands after them
};

/// @returns nothing, with errno set, if the file cannot be read, is not an op log (EINVAL), or one of another
///          version (ENOTSUP)
[[nodiscard]] std::optional<OpLog> read_op_log(const std::string& path);

}  // namespace flash
