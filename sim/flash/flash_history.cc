#include "sim/flash/flash_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "pal_sim/flash/controller_registers.h"
#include "sim/base/file_io.h"

namespace otasim::flash_file {
namespace {

constexpr std::uint8_t kErased = 0xFF;

bool is_program(flash::OpKind kind) {
  return kind == flash::OpKind::kProgram || kind == flash::OpKind::kOtpProgram;
}

bool is_lock(flash::OpKind kind) {
  return kind == flash::OpKind::kLock || kind == flash::OpKind::kOtpLock;
}

}  // namespace

std::uint32_t first_cell(const flash::LoggedOperation& operation) {
  return operation.kind == flash::OpKind::kOtpProgram ? flash::kOtpOffset + operation.offset
                                                      : operation.offset;
}

bool is_possible(const flash::LoggedOperation& operation, const flash::Geometry& part) {
  using flash::OpKind;
  // A refused operation is what was asked for, which may be anything; nobody acts upon it.
  const bool was_accepted = operation.applied != 0 || operation.status == flash::Status::kOk ||
                            operation.status == flash::Status::kProgramFailed ||
                            operation.status == flash::Status::kEraseFailed ||
                            operation.status == flash::Status::kNoDevice;
  if (!was_accepted || is_lock(operation.kind)) return operation.applied == 0;
  const bool is_program = operation.kind == OpKind::kProgram || operation.kind == OpKind::kOtpProgram;
  if (!is_program && operation.kind != OpKind::kEraseSector && operation.kind != OpKind::kEraseBlock)
    return false;
  // The part's own limits, whatever the record says.
  const std::uint32_t most = is_program                              ? part.page_size
                             : operation.kind == OpKind::kEraseBlock ? part.block_size
                                                                     : part.sector_size;
  if (is_program ? operation.length > most || operation.data.size() != operation.length
                 : operation.length != most)
    return false;
  const std::uint32_t size = operation.kind == OpKind::kOtpProgram ? part.otp_size : part.size;
  return operation.applied <= operation.length && operation.offset <= size &&
         operation.length <= size - operation.offset;
}

void apply_logged(const flash::LoggedOperation& operation, flash::Window window) {
  if (is_lock(operation.kind)) return;
  const auto cells = window.subspan(first_cell(operation), operation.applied);
  if (!is_program(operation.kind)) return static_cast<void>(std::ranges::fill(cells, kErased));
  for (std::size_t i = 0; i < cells.size(); ++i)
    cells[i] = static_cast<std::uint8_t>(cells[i] & operation.data[i]);
}

Result<FlashHistory> FlashHistory::make(std::vector<std::uint8_t> before, flash::OpLog log) {
  const auto part = flash::part_of(before);
  if (!part) return fail(ExitCode::kUsage, "what the flash held before is no flash part's window");
  for (const flash::LoggedOperation& operation : log.operations) {
    if (is_possible(operation, *part)) continue;
    return fail(ExitCode::kUsage,
                fmt::format("operation {} of the op log, {} bytes at {:#x}, is none that this part can do",
                            operation.sequence, operation.length, operation.offset),
                "Is it the op log of this device?");
  }
  return FlashHistory(std::move(before), std::move(log), *part);
}

Result<FlashHistory> FlashHistory::load(const std::string& before_path, const std::string& ops_path) {
  auto before = read_file(before_path);
  if (!before) return tl::unexpected(before.error());
  auto log = flash::read_op_log(ops_path);
  if (!log) {
    const int error = errno;
    const bool is_other = error == EINVAL || error == ENOTSUP;
    return fail(is_other ? ExitCode::kUsage : ExitCode::kEnvironment,
                fmt::format("cannot read the op log {}: {}", ops_path, flash::op_log_problem(error)));
  }
  auto history = make(std::move(*before), std::move(*log));
  if (!history) {
    Error error = history.error();
    error.message = fmt::format("{} and {}: {}", before_path, ops_path, error.message);
    return tl::unexpected(std::move(error));
  }
  return history;
}

std::optional<std::size_t> FlashHistory::count_through(std::uint32_t sequence) const {
  // Refused operations bear the number of the accepted one before them, and come after it.
  const auto found = std::ranges::find(log_.operations, sequence, &flash::LoggedOperation::sequence);
  if (found == log_.operations.end()) return std::nullopt;
  return static_cast<std::size_t>(found - log_.operations.begin()) + 1;
}

void FlashHistory::seek(std::size_t done) {
  done = std::min(done, log_.operations.size());
  if (done < done_) {
    window_ = before_;
    done_ = 0;
  }
  for (; done_ < done; ++done_) {
    const flash::LoggedOperation& operation = log_.operations[done_];
    apply_logged(operation, window_);
    flash::write_register(window_, flash::controller::kRegSequence, operation.sequence);
  }
}

}  // namespace otasim::flash_file
