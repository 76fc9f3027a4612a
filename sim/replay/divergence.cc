#include "sim/replay/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "pal_sim/flash/op_log.h"
#include "pal_sim/flash/op_log_tail.h"
#include "sim/device/line_splitter.h"

namespace otasim::replay {
namespace {

constexpr std::size_t kQuotedBytes = 120;
/// Of one boot. A forged recording does not get more memory than this.
constexpr std::uint64_t kMaxOperationBytes = std::uint64_t{256} * 1024 * 1024;

/// The line that holds a byte.
std::string line_at(std::span<const std::uint8_t> text, std::size_t at) {
  if (at >= text.size()) return "(nothing more)";
  const auto here = text.begin() + static_cast<std::ptrdiff_t>(at);
  const auto before = std::find(std::make_reverse_iterator(here), text.rend(), '\n').base();
  const auto after = std::find(here, text.end(), '\n');
  const std::string line(before, after);
  return '\'' + device::escape_text(line.substr(0, kQuotedBytes)) + '\'';
}

std::vector<flash::LoggedOperation> without_times(std::vector<flash::LoggedOperation> operations) {
  for (auto& operation : operations) operation.time_us = 0;
  return operations;
}

std::string text_of(const flash::LoggedOperation* operation) {
  if (operation == nullptr) return "(nothing more)";
  return fmt::format("operation {} of kind {} at {:#x}, {} bytes, {} applied, status {}", operation->sequence,
                     static_cast<int>(operation->kind), operation->offset, operation->length,
                     operation->applied, static_cast<int>(operation->status));
}

/// Those that stand in a part of the log.
Result<std::vector<flash::LoggedOperation>> read_operations(const std::string& path, const ByteRange& range) {
  if (range.end <= flash::kOpLogHeaderSize) return std::vector<flash::LoggedOperation>();
  const std::uint64_t begin = range.begin <= flash::kOpLogHeaderSize ? 0 : range.begin;
  if (range.end - begin > kMaxOperationBytes)
    return fail(ExitCode::kUsage,
                fmt::format("a boot has more than {} bytes of operations", kMaxOperationBytes));
  auto log = flash::read_op_log_piece(path, begin, static_cast<std::size_t>(range.end - begin));
  if (!log) {
    return fail(ExitCode::kUsage,
                fmt::format("the op log {} cannot be read: {}", path, flash::op_log_problem(errno)));
  }
  return without_times(std::move(log->operations));
}

}  // namespace

std::optional<std::string> compare_console(std::span<const std::uint8_t> recorded,
                                           std::span<const std::uint8_t> replayed) {
  const auto [one, other] = std::ranges::mismatch(recorded, replayed);
  if (one == recorded.end() && other == replayed.end()) return std::nullopt;
  const auto at = static_cast<std::size_t>(one - recorded.begin());
  const auto line = 1 + std::count(recorded.begin(), one, '\n');
  return fmt::format("console line {}: recorded {}, replayed {}", line, line_at(recorded, at),
                     line_at(replayed, at));
}

Result<std::optional<std::string>> compare_operations(const std::string& recorded_path,
                                                      const ByteRange& range,
                                                      const std::string& replayed_path) {
  const auto recorded = read_operations(recorded_path, range);
  if (!recorded) return tl::unexpected(recorded.error());
  const auto replayed = read_operations(replayed_path, {0, kMaxOperationBytes});
  if (!replayed) return tl::unexpected(replayed.error());
  const auto [one, other] = std::ranges::mismatch(*recorded, *replayed);
  if (one == recorded->end() && other == replayed->end()) return std::optional<std::string>();
  return fmt::format("flash operations: recorded {}, replayed {}",
                     text_of(one == recorded->end() ? nullptr : &*one),
                     text_of(other == replayed->end() ? nullptr : &*other));
}

std::optional<std::string> compare_flash(std::span<const std::uint8_t> recorded,
                                         std::span<const std::uint8_t> replayed) {
  const auto [one, other] = std::ranges::mismatch(recorded, replayed);
  if (one == recorded.end() && other == replayed.end()) return std::nullopt;
  return fmt::format("flash at {:#x} when the boot had ended: recorded {:#04x}, replayed {:#04x}",
                     one - recorded.begin(), one == recorded.end() ? 0 : *one,
                     other == replayed.end() ? 0 : *other);
}

}  // namespace otasim::replay
